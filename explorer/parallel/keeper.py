"""Keeps the readings of the parallel chains: a task of every explorer, of which one at a time asks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from explorer.daemon import Daemon
from explorer.db import Database
from explorer.errors import UpstreamUnavailable
from explorer.parallel.ask import Asker
from explorer.parallel.book import Book, Lost, Times
from explorer.parallel.chains import ChainsFile
from explorer.parallel.native import NativeTip
from explorer.parallel.round import Round
from explorer.tasks import end
from indexer.config import Parallel as Settings

LEAST_LEASE: Final = 5.0  # seconds
PAUSES: Final = 10  # looks for work within an interval
LONGEST_PAUSE: Final = 1.0  # seconds

log = logging.getLogger(__name__)


class Keeper:
    """Looks for work again and again: readings that grew old, and a round that is due."""

    def __init__(
        self,
        database: Database,
        daemon: Daemon,
        chains: ChainsFile,
        settings: Settings,
        clock: Callable[[], float] = time.time,
    ) -> None:
        most = max(len(chain.endpoints) for chain in chains.chains)
        lease = LEAST_LEASE + 4 * most * settings.timeout_seconds
        self._book = Book(database, chains, Times(settings.stale_seconds, lease), clock)
        self._asker = Asker(settings.timeout_seconds)
        native = NativeTip(database, daemon)
        self._round = Round(chains, self._book, self._asker, native, settings.interval_seconds, clock)
        self._asks = settings.enabled
        self._clock = clock
        self._pause = min(LONGEST_PAUSE, settings.interval_seconds / PAUSES)

    async def run(self) -> None:
        """Keep the readings until cancelled."""
        while True:
            try:
                await self.turn()
            except UpstreamUnavailable as error:
                log.debug("the parallel chains are not kept for now: %s", error)  # the database is told of elsewhere
            except Lost:
                log.info("another explorer reads the parallel chains: this one took too long")
            except Exception:
                # One reading that nobody foresaw must not end all readings until the next start.
                log.exception("a fault while the parallel chains were read")
            await asyncio.sleep(self._pause)

    async def turn(self) -> bool:
        """Mark what grew old, and do the round if one is due; whether there was one."""
        await self._book.mark_stale()
        rows = await self._book.claim() if self._asks else None
        if rows is not None:
            await self._round.run(rows)
        return rows is not None

    async def begin(self) -> None:
        """What must be so before the first answer: nothing that grew old while nobody looked counts as fresh."""
        await self._book.begin()
        await self._book.mark_stale()

    async def close(self) -> None:
        """Drop the connections; leave a round that is under way to others."""
        await self._asker.close()
        with suppress(Lost, UpstreamUnavailable):
            await self._book.release(self._clock())


@asynccontextmanager
async def keeping(
    database: Database, daemon: Daemon, chains: ChainsFile | None, settings: Settings
) -> AsyncIterator[None]:
    """Keep the readings of ``chains``, if there are any, until the context ends."""
    if chains is None:
        yield
        return
    keeper = Keeper(database, daemon, chains, settings)
    with suppress(UpstreamUnavailable):
        await keeper.begin()
        await database.poll()
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        await end(task)
        await keeper.close()
