"""One watcher a process: it looks at tip and mempool, and tells every listener what it wants to hear.

A listener has a queue of bounded length. Whoever does not read for so long that it is full hears no more, so that
nobody waits for him; with the position of the last event he can come back and hear the rest.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from explorer.db import Database, View
from explorer.errors import ExplorerError
from explorer.events.chain import Gap, chain_events, end_of
from explorer.events.event import WAITING, Event, Position, Wanted
from explorer.events.waiting import arrivals, waiting_txids
from explorer.meta import Tip
from explorer.tasks import end

LOOK_SECONDS: Final = 0.05
AGAIN_SECONDS: Final = 0.5
OLDER_SECONDS: Final = 5.0  # after which a tip from before is believed: the index was made anew
LITTLE_BEHIND: Final = 3  # blocks that one process may know before another
TOLD_AT_ONCE: Final = 20  # listeners
BREATH_SECONDS: Final = 0.002
QUEUE: Final = 1000  # events that wait for one listener
REMEMBERED: Final = 1000  # arrivals in the mempool that can be told again

TOO_SLOW: Final = "the events were not read in time: come back with the id of the last one"
GOODBYE: Final = "this site is going away: come back with the id of the last event"

log = logging.getLogger(__name__)


class Listener:
    """What one listener has still to hear; as an iterator it ends when it is closed, ``closed`` then says why."""

    def __init__(self, wanted: Wanted, most: int) -> None:
        self.wanted = wanted
        self.closed = ""
        self._most = most
        self._queue: deque[Event | Gap] = deque()
        self._ready = asyncio.Event()

    def offer(self, event: Event | Gap) -> None:
        """Have it hear an event if it wants it; close it when too many wait."""
        if self.closed or (isinstance(event, Event) and not self.wanted.matches(event)):
            return
        if isinstance(event, Gap) and self._queue and isinstance(self._queue[-1], Gap):
            return
        if len(self._queue) >= self._most:
            self.close(TOO_SLOW)
            return
        self._queue.append(event)
        self._ready.set()

    def close(self, reason: str) -> None:
        """Let it hear what waits, and then nothing more."""
        self.closed = self.closed or reason
        self._ready.set()

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Event | Gap:
        while not self._queue:
            if self.closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popleft()


class Watcher:
    """Compares tip and mempool with what it saw before; ``position`` is up to where everything has been told."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._listeners: set[Listener] = set()
        self._tip: Tip | None = None
        self._revision: int | None = None
        self._waiting: frozenset[bytes] = frozenset()
        self._arrived: deque[Event] = deque(maxlen=REMEMBERED)
        self._since_older: float | None = None
        self._goodbye = ""
        self.position: Position | None = None

    def listen(self, wanted: Wanted) -> Listener:
        """A listener that hears everything from ``position`` on; ``leave`` it afterwards."""
        listener = Listener(wanted, QUEUE)
        self._listeners.add(listener)
        if self._goodbye:
            listener.close(self._goodbye)
        return listener

    def leave(self, listener: Listener) -> None:
        """Tell a listener nothing more."""
        self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def close(self) -> None:
        """Say goodbye to all listeners, now and from now on."""
        self._goodbye = GOODBYE
        for listener in self._listeners:
            listener.close(GOODBYE)

    async def missed(self, since: Position, wanted: Wanted) -> tuple[list[Event], Position]:
        """What a listener missed after a position, and the position then; Gap when that is too much to tell.

        Arrivals in the mempool are told again as far as this process remembers them, at the place of the tip.
        """

        async def query(view: View) -> tuple[list[Event], Position]:
            if _is_little_behind(view.tip, since):
                return [], since
            return await chain_events(view, since, wanted.sources), end_of(view, since)

        events, at = (await self._db.fenced(query)).value
        for came in self._arrived:
            if came.position.sequence > since.sequence:
                at = at._replace(sequence=came.position.sequence)
                events.append(replace(came, position=at))
        return [event for event in events if wanted.matches(event)], at

    async def watch(self) -> None:
        """Look until cancelled; a look that fails is made again, and the first failure of several is logged.

        Any failure: a rewind takes rows away while they are read, and tells so only afterwards.
        """
        failing = False
        while True:
            try:
                await self._look_at_chain()
                await self._look_at_mempool()
                failing = False
            except ExplorerError as error:
                log.debug("events wait: %s", error)
            except Exception:
                if not failing:
                    log.warning("events wait: what happened could not be read, and is read again", exc_info=True)
                failing = True
            await asyncio.sleep(AGAIN_SECONDS if failing else LOOK_SECONDS)

    async def _look_at_chain(self) -> None:
        tip, since = self._db.meta.tip, self.position
        if tip is None or (self._tip is not None and self._is_known(tip, self._tip)):
            return
        if since is None:
            self.position, self._tip = Position(tip.reorgs, tip.height, WAITING, _now()), tip
            return
        sources = frozenset[str]().union(*(listener.wanted.sources for listener in self._listeners))

        async def query(view: View) -> tuple[list[Event] | Gap, Position]:
            try:
                return await chain_events(view, since, sources), end_of(view, since)
            except Gap as gap:
                return gap, end_of(view, since)

        found = await self._db.fenced(query)
        events, self.position = found.value
        self._tip = found.tip
        await self._tell([events] if isinstance(events, Gap) else events)

    def _is_known(self, tip: Tip, last: Tip) -> bool:
        """Whether a tip tells nothing new; one from before is what a slow read brought, unless it stays."""
        if (tip.reorgs, tip.height) >= (last.reorgs, last.height):
            self._since_older = None
            return (tip.reorgs, tip.height, tip.hash) == (last.reorgs, last.height, last.hash)
        now = time.monotonic()
        self._since_older = self._since_older or now
        return now - self._since_older < OLDER_SECONDS

    async def _look_at_mempool(self) -> None:
        pool, since = self._db.meta.pool, self.position
        if pool is None or since is None or pool.revision == self._revision:
            return
        begun, known = self._revision is not None, self._waiting
        after = since._replace(sequence=max(since.sequence, _now()))

        async def query(view: View) -> tuple[frozenset[bytes] | None, list[Event]]:
            txids = await waiting_txids(view)
            return txids, await arrivals(view, after, txids - known if begun and txids else ())

        revision = pool.revision
        txids, events = (await self._db.fenced(query)).value
        if txids is None:
            return
        self._waiting, self._revision = txids, revision
        if events:
            self.position = events[-1].position
            self._arrived += events
            await self._tell(events)

    async def _tell(self, events: Sequence[Event | Gap]) -> None:
        """Offer events to everybody, to some at a time: thousands who write at once would keep requests waiting."""
        listeners = list(self._listeners) if events else []
        for first in range(0, len(listeners), TOLD_AT_ONCE):
            for listener in listeners[first : first + TOLD_AT_ONCE]:
                for event in events:
                    listener.offer(event)
            await asyncio.sleep(BREATH_SECONDS if len(listeners) > TOLD_AT_ONCE else 0)


def _is_little_behind(tip: Tip, since: Position) -> bool:
    """Whether a position is of a tip that this process is about to see: another one told it."""
    reorgs, blocks = since.reorgs - tip.reorgs, since.height - tip.height
    return (reorgs == 0 and 0 < blocks <= LITTLE_BEHIND) or (reorgs == 1 and blocks <= LITTLE_BEHIND)


def _now() -> int:
    return int(time.time() * 1000)


@asynccontextmanager
async def watching(db: Database) -> AsyncIterator[Watcher]:
    """A watcher that looks until the context ends."""
    watcher = Watcher(db)
    task = asyncio.create_task(watcher.watch())
    try:
        yield watcher
    finally:
        watcher.close()
        await end(task)
