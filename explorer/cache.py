"""Hot answers: what was answered is answered again as bytes for as long as what it rests on is current.

So whatever an answer shows must be in its ETag (the tip and its epoch, in some the revision of the mempool), or in the
notes that are taken while it is made (``explorer.grounds``). Who asks while an answer is made waits for it instead of
having it made once more. Where nothing but ages has changed nobody waits: the answer is given as it is and made anew.

Answers depend on the URL, and of the headers on those that ``Asker`` reads. A request with a cookie that is not known
to be harmless is a person's own: it goes by.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer import grounds
from explorer.etag import is_known
from explorer.grounds import Ground
from explorer.meta import Meta, Tip
from explorer.negotiate import likes

Headers = list[tuple[bytes, bytes]]
Key = tuple[str, bytes, "Asker", bytes, str, str]

MOST_BYTES: Final = 64 << 20
LARGEST: Final = 256 << 10
NOT_IN_304: Final = (b"content-length", b"content-type", b"content-encoding")
HARMLESS: Final = frozenset(("theme", "language"))
THEMES: Final = ("light", "dark")
LONGEST: Final = 2000  # characters of a question that are remembered
LATE: Final = 5  # seconds that an answer may be given after its ages have passed
READ: Final = frozenset((b"accept", b"accept-encoding", b"cookie", b"authorization", b"host", b"if-none-match"))

log = logging.getLogger(__name__)


class Asker(NamedTuple):
    """What an answer depends on besides the URL and the language."""

    prefers_json: bool
    names_html: bool
    takes_gzip: bool
    theme: str


@dataclass(slots=True)
class Kept:
    """An answer as it was sent, with the function that gave it (for the metrics) and what it rests on.

    ``seen`` is the last ``meta`` under which that was found current.
    """

    tag: str
    ground: Ground
    until: float
    aged: float
    headers: Headers
    body: bytes
    endpoint: Any
    seen: Meta | None = None

    @property
    def cost(self) -> int:
        """The memory it takes, in bytes."""
        return len(self.body) + 1500


class CacheMiddleware:
    """Keeps answers to GET for as long as their grounds are current, at most ``most`` bytes; ``meta(scope)`` tells."""

    def __init__(self, app: ASGIApp, meta: Callable[[Scope], Meta], most: int = MOST_BYTES) -> None:
        self._app, self._meta, self._most = app, meta, most
        self._tip: Tip | None = None
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._making: dict[Key, asyncio.Future[Kept | None]] = {}
        self._renewing: dict[Key, asyncio.Task[None]] = {}
        self._turn = asyncio.Lock()
        self.bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, wait for who makes the same, or pass the request on and keep the answer."""
        asked = _question(scope) if scope["type"] == "http" and scope["method"] == "GET" else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        key, known = asked
        kept = self._find(key, scope)
        if kept is None and (making := self._making.get(key)) is not None:
            await asyncio.wait((making,))
            kept = self._find(key, scope)
        if kept is None:
            await self._make(key, known, scope, receive, send)
            return
        if kept.aged <= time.time():
            self._renew(key, dict(scope))
        scope["endpoint"] = kept.endpoint
        await _answer(kept, is_known(known, kept.tag), send)

    def keep(self, key: Key, kept: Kept, meta: Meta) -> None:
        """Keep an answer, unless what it shows has moved meanwhile; the least recently asked for go."""
        if not kept.ground.holds(meta) or len(kept.body) > LARGEST:
            return
        kept.seen = meta
        self._drop(key)
        self._kept[key] = kept
        self.bytes += kept.cost
        while self.bytes > self._most:
            self._drop(next(iter(self._kept)))

    def _find(self, key: Key, scope: Scope) -> Kept | None:
        meta = self._meta(scope)
        if meta.tip != self._tip:
            self._tip = meta.tip
            for old in [old for old, kept in self._kept.items() if kept.ground.tip != meta.tip]:
                self._drop(old)
        kept = self._kept.get(key)
        if kept is not None and kept.seen is not meta:
            if not kept.ground.holds(meta):
                self._drop(key)
                return None
            kept.seen = meta
        if kept is None or min(kept.until, kept.aged + LATE) <= time.time():
            return None
        self._kept.move_to_end(key)
        return kept

    def _drop(self, key: Key) -> None:
        old = self._kept.pop(key, None)
        if old is not None:
            self.bytes -= old.cost

    def _renew(self, key: Key, scope: Scope) -> None:
        """Have an answer made anew, beside the request in ``scope``, which does not wait for it."""

        def end(renewing: asyncio.Task[None]) -> None:
            del self._renewing[key]
            if not renewing.cancelled() and (error := renewing.exception()):
                log.error("%s could not be made anew", scope["path"], exc_info=error)

        async def renew() -> None:
            async with self._turn:  # many ages pass at the same moment: who asks meanwhile gets a word in between
                if key not in self._making:
                    await self._make(key, "", scope, _nobody, _unheard)

        if key not in self._renewing and key not in self._making:
            self._renewing[key] = asyncio.create_task(renew())
            self._renewing[key].add_done_callback(end)

    async def _make(self, key: Key, known: str, scope: Scope, receive: Receive, send: Send) -> None:
        made: asyncio.Future[Kept | None] = asyncio.get_running_loop().create_future()
        leads = self._making.setdefault(key, made) is made
        scope["headers"] = [header for header in scope["headers"] if header[0] != b"if-none-match"]

        def end(kept: Kept | None) -> None:
            if kept is not None:
                self.keep(key, kept, self._meta(scope))
            if leads and not made.done():
                del self._making[key]
                made.set_result(kept)

        try:
            await self._app(scope, receive, _Keeper(scope, known, send, end).send)
        finally:
            end(None)


class _Keeper:
    """Passes an answer on, as 304 to who has it, and hands over a copy of a whole successful one."""

    def __init__(self, scope: Scope, known: str, send: Send, end: Callable[[Kept | None], None]) -> None:
        self._scope, self._known, self._send, self._end = scope, known, send, end
        self._notes = grounds.begin()
        self._start: Message | None = None  # held back until the body tells whether it is 304
        self._swallows = False

    async def send(self, message: Message) -> None:
        """Pass one message on."""
        if message["type"] == "http.response.start":
            if message["status"] == 200 and _tag(message["headers"]):
                self._start = message
                return
            self._end(None)
        elif self._start is not None and message["type"] == "http.response.body":
            start, self._start = self._start, None
            await self._first_piece(start, message)
            return
        if not self._swallows:
            await self._send(message)

    async def _first_piece(self, start: Message, message: Message) -> None:
        tag, headers = _tag(start["headers"]), start["headers"]
        ground = self._notes.ground(tag)
        in_part = message.get("more_body") or any(name == b"set-cookie" for name, _ in headers)
        self._end(None if ground is None or in_part else self._copy(tag, ground, headers, message))
        if is_known(self._known, tag):
            self._swallows = True
            await self._send({**start, "status": 304, "headers": _of_304(headers)})
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self._send(start)
            await self._send(message)

    def _copy(self, tag: str, ground: Ground, headers: Headers, message: Message) -> Kept:
        notes, body = self._notes, message.get("body", b"")
        return Kept(tag, ground, notes.until, notes.aged, list(headers), body, self._scope.get("endpoint"))


def _tag(headers: Headers) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == b"etag"), "")


def _question(scope: Scope) -> tuple[Key, str] | None:
    """What is asked, and which ETags are known; None for what only its answerer may judge."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in READ:
            if name in found:
                return None
            found[name] = value
    if b"authorization" in found or _length(scope, found) > LONGEST:
        return None
    asker = _asker(found.get(b"accept", b""), found.get(b"accept-encoding", b""), found.get(b"cookie", b""))
    if asker is None:
        return None
    key = (
        scope["path"], scope["query_string"], asker, found.get(b"host", b""), scope.get("scheme", ""),
        scope.get("language", ""),
    )  # fmt: skip
    return key, found.get(b"if-none-match", b"").decode("latin-1")


def _length(scope: Scope, found: dict[bytes, bytes]) -> int:
    return len(scope["path"]) + len(scope["query_string"]) + sum(map(len, found.values()))


@lru_cache(maxsize=4096)
def _asker(accept: bytes, encodings: bytes, cookies: bytes) -> Asker | None:
    """What these headers come to; None for a person's own."""
    told = cookie_parser(cookies.decode("latin-1")) if cookies else {}
    if not told.keys() <= HARMLESS:
        return None
    theme = told.get("theme", "")
    return Asker(*likes(accept.decode("latin-1")), b"gzip" in encodings, theme if theme in THEMES else "")


async def _nobody() -> Message:
    """What is received from nobody: there is no body, and nobody goes away."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def _unheard(message: Message) -> None:
    """What is sent to nobody."""


def _of_304(headers: Headers) -> Headers:
    return [(name, value) for name, value in headers if name not in NOT_IN_304]


async def _answer(kept: Kept, known: bool, send: Send) -> None:
    status, headers, body = 200, kept.headers, kept.body
    if known:
        status, headers, body = 304, _of_304(headers), b""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
