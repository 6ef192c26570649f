"""Events over HTTP as they happen: server-sent events (HTML, 9.2), one connection a listener."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from explorer.api.json import encode
from explorer.api.respond import tip_json
from explorer.db import Database
from explorer.events.chain import Gap
from explorer.events.event import Event, Position, Wanted, message
from explorer.events.places import Places
from explorer.events.watcher import Listener, Watcher
from explorer.tasks import end

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 30.0  # a client that takes nothing for so long is gone
RETRY: Final = b"retry: 2000\n\n"
HEARTBEAT: Final = b": still here\n\n"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # for proxies that hold answers back
    "Access-Control-Allow-Origin": "*",
}


class EventStream(Response):
    """The answer that does not end: what is missed after a position, then what happens."""

    media_type = MEDIA_TYPE

    def __init__(
        self, db: Database, watcher: Watcher, places: Places, wanted: Wanted, since: Position | str | None
    ) -> None:
        """``since``: the position of the last event that was heard, a text that is none, or None for a new listener."""
        super().__init__(headers=HEADERS)
        self._db, self._watcher, self._places = db, watcher, places
        self._wanted, self._since = wanted, since
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes, reads too slowly, or the site says goodbye; RateLimited before the first byte."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(start)
            await send({"type": "http.response.body", "body": b""})
            return
        with self._places.place(scope):
            listener = self._watcher.listen(self._wanted)
            try:
                await send(start)
                await self._until_gone(listener, receive, send)
            finally:
                self._watcher.leave(listener)

    async def _until_gone(self, listener: Listener, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(listener, send))
        going = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((sending, going), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(going)
            await end(sending)

    async def _send(self, listener: Listener, send: Send) -> None:
        async for text in self._texts(listener):
            try:
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            except TimeoutError:
                return
        await send({"type": "http.response.body", "body": b""})

    async def _texts(self, listener: Listener) -> AsyncIterator[bytes]:
        """What goes over the wire, piece by piece."""
        yield RETRY
        last = None if isinstance(self._since, str) else self._since
        if self._since is not None:
            missed = await self._missed()
            if isinstance(missed, Gap):
                yield self._told("reset", self._watcher.position, reason=str(missed))
                last = self._watcher.position
            else:
                events, last = missed
                for event in events:
                    yield event.text()
        yield self._told("tip", last or self._watcher.position)
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    heard = await listener.__anext__()
            except TimeoutError:
                yield HEARTBEAT
                continue
            except StopAsyncIteration:
                yield self._told("end", None, reason=listener.closed)
                return
            if isinstance(heard, Gap):
                last = self._watcher.position
                yield self._told("reset", last, reason=str(heard))
            elif (fresh := _after(last, heard)) is not None:
                last = fresh.position
                yield fresh.text()

    async def _missed(self) -> tuple[list[Event], Position] | Gap:
        if not isinstance(self._since, Position):
            return Gap("the id of the last event is none of this site")
        try:
            return await self._watcher.missed(self._since, self._wanted)
        except Gap as gap:
            return gap

    def _told(self, name: str, position: Position | None, **more: str) -> bytes:
        """An event about the stream itself, with the tip."""
        tip = self._db.meta.tip
        return message(name, encode({"tip": tip and tip_json(tip), **more}), position)


def _after(last: Position | None, event: Event) -> Event | None:
    """An event unless it was told by ``last``; one that is told late gets a later place, so that places only rise."""
    if last is None:
        return event
    at = event.position
    if event.kind == "transaction" and not event.mined:
        later = max(at, last._replace(sequence=at.sequence))
        return replace(event, position=later) if at.sequence > last.sequence else None
    return event if at[:3] > last[:3] else None


async def _gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
