"""FluxOS's HTTP interface to a daemon: one GET a question, several gateways to ask, politely.

An answer is ``{"status": "success", "data": …}``; a refusal is HTTP 200 with ``"status": "error"``
(``ZelBack/src/services/messageHelper.js``).
"""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import partial
from threading import Lock, Thread
from typing import Any, TypeVar

import httpx

from indexer.errors import ConfigError, Garbled, Refused, SourceError, Stopped, Unreachable, WarmingUp
from indexer.source.endpoint import parse_endpoints
from indexer.source.jsonrpc import IN_WARMUP
from indexer.source.retry import TEMPORARY

PARALLEL = 4
"""Questions under way at once, over all gateways: they are other people's nodes."""

MAX_ANSWER = 5_000_000  # the largest block in hex, and its envelope
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
ASKED_TO_WAIT, LONGEST_WAIT = 30.0, 600.0

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Gateway:
    url: str
    failures: int = 0
    paused_until: float = 0.0


class Gateways:
    """Asks any gateway of a comma-separated list; leaves those alone that fail or ask to be.

    ``timeout`` is the seconds one answer may take, ``first_pause`` the seconds for which a gateway that failed once
    is left alone; twice that the next time.
    """

    def __init__(
        self,
        urls: str,
        *,
        timeout: float = 30.0,
        first_pause: float = FIRST_PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gateways = [_Gateway(endpoint.url.rstrip("/")) for endpoint in parse_endpoints(urls)]
        if not self._gateways:
            raise ConfigError("daemon.gateway names no gateway: write https://host[:port]")
        self._timeout, self._first_pause, self._clock = timeout, first_pause, clock
        self._lock = Lock()
        self._ended = False
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)),
            limits=httpx.Limits(max_connections=PARALLEL, keepalive_expiry=60.0),
            follow_redirects=True,
            trust_env=False,
        )

    @property
    def urls(self) -> list[str]:
        """The gateways, without credentials."""
        return [gateway.url for gateway in self._gateways]

    def end(self) -> None:
        """Ask nothing more, and break off the answers that are still coming."""
        self._ended = True

    def close(self) -> None:
        """Drop the connections, of which none should be in use."""
        self._http.close()

    def drop(self, url: str) -> None:
        """Never ask this gateway again."""
        self._gateways = [gateway for gateway in self._gateways if gateway.url != url]

    def ask(self, method: str, *params: object, read: Callable[[Any], T]) -> T:
        """What ``read`` makes of the answer of any gateway that is not left alone.

        Raises Refused or a temporary SourceError; one that ``read`` raises counts against the gateway too.
        """
        return self._ask(self._choose(), method, params, read)

    def ask_at(self, url: str, method: str, *params: object, read: Callable[[Any], T]) -> T:
        """The same of one gateway; WarmingUp while it is left alone."""
        return self._ask(self._choose(url), method, params, read)

    def ask_many(self, method: str, params: Sequence[tuple[object, ...]], read: Callable[[int, Any], T]) -> list[T]:
        """The same for each of ``params``, PARALLEL at a time, up to the first that failed; ``read`` gets its place.

        Raises what made the first of all fail.
        """
        came: dict[int, T] = {}
        failed: dict[int, Exception] = {}
        todo = iter(range(len(params)))

        def work() -> None:
            while (number := self._take(todo)) is not None and not failed:
                try:
                    came[number] = self.ask(method, *params[number], read=partial(read, number))
                except Exception as error:  # carried to the thread that asked
                    failed[number] = error

        threads = [Thread(target=work, name="gateway", daemon=True) for _ in range(min(PARALLEL, len(params)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        whole = next((number for number in range(len(params)) if number not in came), len(params))
        if whole == 0 and failed:
            raise failed[min(failed)]
        return [came[number] for number in range(whole)]

    def _take(self, todo: Iterator[int]) -> int | None:
        with self._lock:
            return next(todo, None)

    def _choose(self, url: str | None = None) -> _Gateway:
        if self._ended:
            raise Stopped("the gateways are not asked any more")
        now = self._clock()
        wanted = [gateway for gateway in self._gateways if url in (None, gateway.url)]
        ready = [gateway for gateway in wanted if gateway.paused_until <= now]
        if not ready:
            wait = min(gateway.paused_until for gateway in wanted) - now
            raise WarmingUp(f"every gateway of daemon.gateway failed or asked us to wait: asking again in {wait:.0f} s")
        return random.choice(ready)

    def _ask(self, gateway: _Gateway, method: str, params: Sequence[object], read: Callable[[Any], T]) -> T:
        try:
            answer = read(self._answer(gateway, method, params))
        except TEMPORARY:
            self._failed(gateway)
            raise
        gateway.failures = 0
        return answer

    def _failed(self, gateway: _Gateway) -> None:
        now = self._clock()
        if gateway.paused_until <= now:  # several questions under way that fail together count as one failure
            gateway.failures += 1
            gateway.paused_until = now + min(self._first_pause * 2.0 ** (gateway.failures - 1), LONGEST_PAUSE)

    def _answer(self, gateway: _Gateway, method: str, params: Sequence[object]) -> Any:
        url = "/".join([gateway.url, "daemon", method, *map(str, params)])
        give_up_at = self._clock() + self._timeout
        try:
            with self._http.stream("GET", url) as response:
                if response.status_code == 429:
                    wait = min(_retry_after(response.headers.get("Retry-After", "")), LONGEST_WAIT)
                    gateway.paused_until = self._clock() + wait
                    raise WarmingUp(f"the gateway {gateway.url} asks us to wait {wait:.0f} s (HTTP 429)")
                if response.status_code != 200:
                    raise Unreachable(f"the gateway {gateway.url} answered HTTP {response.status_code}: asking again")
                return decode(self._read(response, gateway.url, give_up_at), method, gateway.url)
        except httpx.TimeoutException:
            raise Unreachable(f"the gateway {gateway.url} does not answer in time: asking again") from None
        except httpx.HTTPError as error:
            raise Unreachable(f"no connection to the gateway {gateway.url} ({type(error).__name__})") from None

    def _read(self, response: httpx.Response, url: str, give_up_at: float) -> bytes:
        received = bytearray()
        for chunk in response.iter_bytes():
            received += chunk
            if self._ended:
                raise Stopped(f"an answer of the gateway {url} is not waited for any more")
            if len(received) > MAX_ANSWER:
                raise Garbled(f"the gateway {url} answers with over {MAX_ANSWER} bytes: asking again")
            if self._clock() > give_up_at:
                raise Unreachable(f"the gateway {url} answers too slowly: asking again")
        return bytes(received)


def decode(body: bytes, method: str, url: str) -> Any:
    """What an envelope holds; Refused with the daemon's code, WarmingUp, or Garbled when it is none."""
    try:
        envelope = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError):
        raise Garbled(f"the gateway {url} answered {method} with {len(body)} bytes that are no JSON") from None
    if not isinstance(envelope, dict) or envelope.get("status") not in ("success", "error") or "data" not in envelope:
        raise Garbled(f"the gateway {url} answered {method} with no FluxOS envelope: is daemon.gateway a FluxOS API?")
    if envelope["status"] == "success":
        return envelope["data"]
    raise _refusal(envelope["data"], method, url)


def _refusal(problem: Any, method: str, url: str) -> SourceError:
    told: dict[str, Any] = problem if isinstance(problem, dict) else {"message": problem}
    code, message = told.get("code"), str(told.get("message", "")).partition("\n")[0]
    if code == IN_WARMUP:
        return WarmingUp(f"the daemon behind the gateway {url} is warming up: {message}")
    return Refused(method, code if isinstance(code, int) else -1, message)


def _retry_after(text: str) -> float:
    """Seconds to wait by a ``Retry-After`` header, which has seconds or a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return ASKED_TO_WAIT
