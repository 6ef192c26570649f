"""The daemon's JSON-RPC over HTTP: one attempt a call, fail-over between daemons, batches bounded by bytes.

The protocol without its I/O is in ``jsonrpc`` and ``endpoint``; it is exported here for other clients.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

import httpx

from indexer.errors import Garbled, Refused, Stopped, Unreachable, WrongCredentials
from indexer.source.base import HASH_BYTES, DaemonStatus, RawBlock
from indexer.source.conf import endpoints
from indexer.source.endpoint import Endpoint, parse_endpoints
from indexer.source.jsonrpc import (
    NOT_FOUND,
    OUT_OF_RANGE,
    Call,
    check_status,
    decode_batch,
    decode_call,
    encode_batch,
    encode_call,
)
from indexer.source.retry import TEMPORARY, Retry
from indexer.source.window import Window

__all__ = [
    "TEMPORARY",
    "Call",
    "DaemonRpc",
    "Endpoint",
    "Retry",
    "check_status",
    "decode_batch",
    "decode_call",
    "encode_batch",
    "encode_call",
    "endpoints",
    "parse_endpoints",
    "transport_error",
]

FAILURES_BEFORE_SWITCH = 2
MAX_REPLY = 64 * 1024 * 1024

T = TypeVar("T")

log = logging.getLogger(__name__)
logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every request, and we poll


class _TooLarge(Garbled):
    """A reply over the size limit; a smaller batch may fit."""


def transport_error(error: httpx.HTTPError, where: str) -> Unreachable:
    """What a failure below HTTP means; ``where`` is the URL without credentials."""
    if isinstance(error, httpx.TimeoutException):
        return Unreachable(f"the daemon at {where} does not answer in time: waiting for it")
    if isinstance(error, httpx.ConnectError):
        return Unreachable(f"no connection to the daemon at {where}: is it running? waiting for it")
    return Unreachable(f"the connection to the daemon at {where} broke off ({type(error).__name__}): asking again")


class DaemonRpc:
    """A source of blocks: a daemon, or several that stand in for each other.

    Each call is one attempt and raises what went wrong; ``Retry`` repeats. After two temporary failures in a row
    the next endpoint is asked. ``timeout`` is the seconds one call may take.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        timeout: float = 60.0,
        max_reply: int = MAX_REPLY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not endpoints:
            raise ValueError("a DaemonRpc needs at least one endpoint")
        self._endpoints = list(endpoints)
        self._current = 0
        self._failures = 0
        self._authorization: str | None = None
        self._timeout, self._max_reply, self._clock = timeout, max_reply, clock
        self._window = Window()
        self._lock = Lock()
        self._questions = 0  # under way
        self._closed = False
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            limits=httpx.Limits(max_connections=4, keepalive_expiry=20.0),
            trust_env=False,  # neither a proxy nor a .netrc may come between us and the daemon
        )

    @property
    def url(self) -> str:
        """The endpoint that is asked now, without credentials."""
        return self._endpoints[self._current].url

    def close(self) -> None:
        """Ask nothing more and drop the connections; a question under way drops its own when it ends."""
        with self._lock:
            self._closed = True
            idle = not self._questions
        if idle:
            self._http.close()

    def call(self, method: str, *params: Any) -> Any:
        """The result of one call; raises Refused with the daemon's code, or another SourceError."""
        call = Call(method, params)
        return self._attempt(encode_call(call), lambda status, body: decode_call(status, body, call, self.url))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The results of a batch in order; the place of a call that the daemon refused holds its Refused."""
        if not calls:
            return []
        return self._attempt(encode_batch(calls), lambda status, body: decode_batch(status, body, calls, self.url))

    def status(self) -> DaemonStatus:
        """The daemon's chain and network state."""
        chain, network = self._results([Call("getblockchaininfo"), Call("getnetworkinfo")])
        try:
            return DaemonStatus(
                height=int(chain["blocks"]),
                headers=int(chain["headers"]),
                best_hash=self._hash(chain["bestblockhash"]),
                chain=str(chain["chain"]),
                version=int(network["version"]),
                subversion=str(network["subversion"]),
                connections=int(network["connections"]),
                url=self.url,
            )
        except (KeyError, TypeError, ValueError):
            raise Garbled(f"the daemon at {self.url} described its chain in an unknown form: asking again") from None

    def hashes(self, heights: Sequence[int]) -> list[bytes | None]:
        """The active chain's block hashes at ``heights``; None where the daemon has no block."""
        answers = self.batch([Call("getblockhash", (height,)) for height in heights])
        return [None if _refused(answer, OUT_OF_RANGE) else self._hash(answer) for answer in answers]

    def blocks(self, first: int, last: int) -> list[RawBlock]:
        """Blocks from ``first`` on, at most to ``last``, as many as one batch may hold.

        Fewer, even none, and perhaps not linked when the daemon's chain moved between the questions.
        """
        while True:
            size = self._window.size
            try:
                found = self._blocks(range(first, min(last, first + size - 1) + 1))
            except _TooLarge:
                if size == 1:
                    raise
                self._window.shrink()
                continue
            self._window.note([len(block.raw) for block in found])
            return found

    def _blocks(self, heights: range) -> list[RawBlock]:
        hashes = [hash_ for hash_ in self.hashes(heights) if hash_ is not None]
        raws = self.batch([Call("getblock", (hash_[::-1].hex(), 0)) for hash_ in hashes])
        blocks = []
        for height, hash_, raw in zip(heights, hashes, raws, strict=False):
            if _refused(raw, NOT_FOUND):
                break
            blocks.append(RawBlock(height, hash_, self._block_bytes(raw, hash_)))
        return blocks

    def _results(self, calls: Sequence[Call]) -> list[Any]:
        answers = self.batch(calls)
        for answer in answers:
            if isinstance(answer, Refused):
                raise answer
        return answers

    def _hash(self, answer: Any) -> bytes:
        if isinstance(answer, Refused):
            raise answer
        try:
            wire = bytes.fromhex(answer)[::-1]
        except (TypeError, ValueError):
            wire = b""
        if len(wire) != HASH_BYTES:
            raise Garbled(f"the daemon at {self.url} gave a block hash that is none: asking again")
        return wire

    def _block_bytes(self, answer: Any, hash_: bytes) -> bytes:
        if isinstance(answer, Refused):
            raise answer
        try:
            raw = bytes.fromhex(answer)
        except (TypeError, ValueError):
            raw = b""
        if len(raw) < 4 + HASH_BYTES:
            raise Garbled(f"the daemon at {self.url} gave no hex bytes for block {hash_[::-1].hex()}: asking again")
        return raw

    def _attempt(self, body: bytes, decode: Callable[[int, bytes], T]) -> T:
        try:
            answer = self._with_fresh_cookie(body, decode)
        except _TooLarge:
            raise
        except TEMPORARY:
            self._note_failure()
            raise
        self._failures = 0
        return answer

    def _with_fresh_cookie(self, body: bytes, decode: Callable[[int, bytes], T]) -> T:
        used = self._login()
        try:
            return decode(*self._post(body, used))
        except WrongCredentials:
            self._authorization = None
            if self._login() == used:
                raise
            return decode(*self._post(body, self._login()))

    def _login(self) -> str:
        if self._authorization is None:
            self._authorization = self._endpoints[self._current].authorization()
        return self._authorization

    def _note_failure(self) -> None:
        self._failures += 1
        if self._failures < FAILURES_BEFORE_SWITCH or len(self._endpoints) == 1:
            return
        failed = self.url
        self._current = (self._current + 1) % len(self._endpoints)
        self._failures, self._authorization = 0, None
        log.info("the daemon at %s failed %d times: asking %s", failed, FAILURES_BEFORE_SWITCH, self.url)

    def _post(self, body: bytes, authorization: str) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        if authorization:
            headers["Authorization"] = authorization
        give_up_at = self._clock() + self._timeout
        try:
            with self._asking(), self._http.stream("POST", self.url, content=body, headers=headers) as response:
                return response.status_code, self._read(response, give_up_at)
        except httpx.HTTPError as error:
            raise transport_error(error, self.url) from None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """A question under way; the last one to end after the close drops the connections."""
        with self._lock:
            if self._closed:
                raise Stopped("the daemon is not asked any more")
            self._questions += 1
        try:
            yield
        finally:
            with self._lock:
                self._questions -= 1
                last = self._closed and not self._questions
            if last:
                self._http.close()

    def _read(self, response: httpx.Response, give_up_at: float) -> bytes:
        received = bytearray()
        for chunk in response.iter_bytes():
            received += chunk
            if len(received) > self._max_reply:
                raise _TooLarge(f"the daemon at {self.url} answered with over {self._max_reply} bytes: asking for less")
            if self._clock() > give_up_at:
                raise Unreachable(f"the daemon at {self.url} answers too slowly: asking again")
        return bytes(received)


def _refused(answer: Any, code: int) -> bool:
    return isinstance(answer, Refused) and answer.code == code
