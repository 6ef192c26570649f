"""One question over HTTP to a server that nobody here runs: bounded in time and size, and never sent elsewhere.

What is said of a failure names the host only, for the rest of a URL may be a key. It is shown to everybody.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from indexer import __version__
from indexer.errors import Garbled, SourceError, Unreachable

MAX_BYTES: Final = 1 << 20
LONGEST_WAIT: Final = 24 * 3600.0  # seconds that a server may ask us to stay away
LONGEST_NUMBER: Final = 80  # digits; 2^256 has 78
HEADERS: Final = {
    "User-Agent": f"flux-explorer/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # what is unpacked here cannot grow
}


class Throttled(Unreachable):
    """The server asks to be left alone for ``seconds``, or for a time it does not tell."""

    def __init__(self, message: str, seconds: float | None) -> None:
        super().__init__(message)
        self.seconds = seconds


class NotThere(SourceError):
    """HTTP 404 with a JSON body: the server knows nothing under this name."""


def host_of(url: str) -> str:
    """Host and port of a URL, which is all of it that may be shown."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{host}:{parts.port}" if parts.port else host


@cache
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed; reading them takes a while, so once."""
    return httpx.create_ssl_context(trust_env=False)


class Fetcher:
    """Questions and JSON answers; ``timeout`` in seconds is that of a step, the caller bounds the whole."""

    def __init__(self, timeout: float) -> None:
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=15.0),
            headers=HEADERS,
            verify=trusted(),
            follow_redirects=False,  # a redirect could lead into the operator's own network
            trust_env=False,
        )

    async def close(self) -> None:
        """Drop the connections."""
        await self._http.aclose()

    async def get(self, url: str) -> Any:
        """The JSON answer to GET, numbers with a fraction as Decimal."""
        return await self._json("GET", url, None)

    async def post(self, url: str, body: Any) -> Any:
        """The JSON answer to POST of a JSON body."""
        return await self._json("POST", url, json.dumps(body).encode())

    async def _json(self, method: str, url: str, content: bytes | None) -> Any:
        host = host_of(url)
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            async with self._http.stream(method, url, content=content, headers=headers) as response:
                _check_status(response.status_code, response.headers, host)
                body = await _read(response, host)
        except httpx.TimeoutException:
            raise Unreachable(f"{host} does not answer in time") from None
        except httpx.ConnectError:
            raise Unreachable(f"no connection to {host}") from None
        except httpx.HTTPError as error:
            raise Unreachable(f"the connection to {host} broke off ({type(error).__name__})") from None
        except httpx.InvalidURL:
            raise SourceError(f"the endpoint at {host} is no URL") from None
        found = _parsed(body, host)
        if response.status_code == HTTPStatus.NOT_FOUND:
            raise NotThere(f"{host} has nothing under this name (HTTP 404)")
        # JSON-RPC servers give their refusals with statuses of errors, too.
        if response.status_code >= 400 and not (method == "POST" and isinstance(found, dict | list)):
            raise Unreachable(f"{host} answered HTTP {response.status_code}")
        return found


def _check_status(status: int, headers: Mapping[str, str], host: str) -> None:
    busy = status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in headers
    if status == HTTPStatus.TOO_MANY_REQUESTS or busy:
        seconds = retry_after(headers.get("retry-after", ""), datetime.now(UTC))
        raise Throttled(f"{host} asks to be asked less often (HTTP {status})", seconds)
    if 300 <= status < 400:
        raise SourceError(f"{host} answered with a redirect (HTTP {status}), which is not followed: name its target")
    if status >= 500:
        raise Unreachable(f"{host} answered HTTP {status}")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise SourceError(f"{host} does not serve us (HTTP {status}): it may want a key in the endpoint's URL")


def retry_after(value: str, now: datetime) -> float | None:
    """The seconds that a Retry-After header asks for (RFC 9110 §10.2.3), at most a day; None when it says nothing."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), LONGEST_WAIT)


async def _read(response: httpx.Response, host: str) -> bytes:
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise Garbled(f"{host} answered compressed, which was not asked for")
    received = bytearray()
    async for chunk in response.aiter_raw():
        received += chunk
        if len(received) > MAX_BYTES:
            raise Garbled(f"{host} answered with more than {MAX_BYTES} bytes")
    return bytes(received)


def _parsed(body: bytes, host: str) -> Any:
    try:
        return json.loads(body, parse_float=Decimal, parse_int=_parse_int, parse_constant=_no_number)
    except (ValueError, RecursionError, ArithmeticError):
        what = "a web page" if body.lstrip()[:1] == b"<" else f"{len(body)} bytes that are no JSON"
        raise Garbled(f"{host} answered with {what}") from None


def _parse_int(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise ValueError("a number of absurd length")
    return int(text)


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")
