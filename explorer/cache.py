"""Hot answers: what was answered for a tip is answered again as bytes until the tip or the epoch changes.

Only answers that carry the ETag of the tip are kept, so whatever else an answer shows must be in its ETag too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.etag import is_known

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, bytes, bytes, bool]

MOST_BYTES = 64 << 20
LARGEST = 256 << 10
NOT_IN_304 = (b"content-length", b"content-type", b"content-encoding")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent, with the function that gave it (for the metrics)."""

    headers: Headers
    body: bytes
    endpoint: Any


class CacheMiddleware:
    """Keeps answers to GET that are true for ``current(scope)``, the ETag of the tip, empty without one."""

    def __init__(self, app: ASGIApp, current: Callable[[Scope], str]) -> None:
        self._app = app
        self._current = current
        self._tag = b""
        self._kept: dict[Key, Kept] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or pass the request on and keep the answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        self._renew(self._current(scope).encode())
        headers = dict(scope["headers"])
        key = (
            scope["path"],
            scope["query_string"],
            headers.get(b"accept", b""),
            b"gzip" in headers.get(b"accept-encoding", b""),
        )
        kept = self._kept.get(key)
        if kept is None:
            await self._app(scope, receive, _Keeper(self, key, scope, send).send)
            return
        scope["endpoint"] = kept.endpoint
        known = is_known(headers.get(b"if-none-match", b"").decode("latin-1"), self._tag.decode())
        await _answer(kept, known, send)

    def keep(self, key: Key, kept: Kept) -> None:
        """Keep an answer, unless the tip has moved meanwhile."""
        if dict(kept.headers).get(b"etag") != self._tag or len(kept.body) > LARGEST:
            return
        if self._bytes > MOST_BYTES:
            self._kept.clear()
            self._bytes = 0
        self._kept[key] = kept
        self._bytes += len(kept.body) + 1000

    def _renew(self, tag: bytes) -> None:
        if tag != self._tag:
            self._kept.clear()
            self._bytes = 0
            self._tag = tag


class _Keeper:
    """Passes an answer on and keeps a copy of a successful one."""

    def __init__(self, cache: CacheMiddleware, key: Key, scope: Scope, send: Send) -> None:
        self._cache, self._key, self._scope, self._send = cache, key, scope, send
        self._headers: Headers | None = None

    async def send(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._headers = list(message["headers"])
        elif message["type"] == "http.response.body" and self._headers and not message.get("more_body"):
            kept = Kept(self._headers, message.get("body", b""), self._scope.get("endpoint"))
            self._headers = None
            self._cache.keep(self._key, kept)
        elif message["type"] == "http.response.body":
            self._headers = None
        await self._send(message)


async def _answer(kept: Kept, known: bool, send: Send) -> None:
    status, headers, body = 200, kept.headers, kept.body
    if known:
        status, body = 304, b""
        headers = [(name, value) for name, value in headers if name not in NOT_IN_304]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
