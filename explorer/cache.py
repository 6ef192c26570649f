"""Hot answers: what was answered is answered again as bytes for as long as its ETag is a current one.

So whatever an answer shows must be in its ETag: the tip and its epoch, and in some the revision of the mempool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.etag import is_known

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, str, bytes, bytes, bool]

MOST_BYTES = 64 << 20
LARGEST = 256 << 10
NOT_IN_304 = (b"content-length", b"content-type", b"content-encoding")


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent, with the function that gave it (for the metrics)."""

    tag: str
    headers: Headers
    body: bytes
    endpoint: Any

    @property
    def cost(self) -> int:
        """The memory it takes, in bytes."""
        return len(self.body) + 1000


class CacheMiddleware:
    """Keeps answers to GET whose ETag is among ``current(scope)``."""

    def __init__(self, app: ASGIApp, current: Callable[[Scope], frozenset[str]]) -> None:
        self._app = app
        self._current = current
        self._tags: frozenset[str] = frozenset()
        self._kept: dict[Key, Kept] = {}
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or pass the request on and keep the answer."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        self._renew(self._current(scope))
        headers = dict(scope["headers"])
        key = (
            scope["language"],
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
        known = is_known(headers.get(b"if-none-match", b"").decode("latin-1"), kept.tag)
        await _answer(kept, known, send)

    def keep(self, key: Key, kept: Kept) -> None:
        """Keep an answer, unless what it shows has moved meanwhile."""
        if kept.tag not in self._tags or len(kept.body) > LARGEST:
            return
        if self._bytes > MOST_BYTES:
            self._kept.clear()
            self._bytes = 0
        self._kept[key] = kept
        self._bytes += kept.cost

    def _renew(self, tags: frozenset[str]) -> None:
        if tags != self._tags:
            self._kept = {key: kept for key, kept in self._kept.items() if kept.tag in tags}
            self._bytes = sum(kept.cost for kept in self._kept.values())
            self._tags = tags


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
            tag = dict(self._headers).get(b"etag", b"").decode("latin-1")
            kept = Kept(tag, self._headers, message.get("body", b""), self._scope.get("endpoint"))
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
