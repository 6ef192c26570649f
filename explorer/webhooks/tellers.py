"""Telling the webhooks of accounts: many, most of them idle, so that none has a task of its own.

A webhook is looked at when the tip has moved, when a delivery is due again, and when a test was asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from explorer.accounts.hooks import webhook_of
from explorer.db import POLL_SECONDS, Database
from explorer.errors import ExplorerError, UpstreamUnavailable
from explorer.meta import Tip
from explorer.tasks import end
from explorer.webhooks.book import Book, Lost, Row
from explorer.webhooks.post import Post
from explorer.webhooks.sender import Sender
from indexer.store.schema import WEBHOOKS

LOOK_SECONDS: Final = 1.0
AT_ONCE: Final = 16  # webhooks that are told at the same time
IN_A_ROW: Final = 50  # deliveries to one webhook before others have their turn
LOOKED_AT: Final = ("due", "asked", "tested", "pending.seq")

log = logging.getLogger(__name__)


class Tellers:
    """Tells every webhook of accounts that is not paused; ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, book: Book, post: Post, clock: Callable[[], float] = time.time) -> None:
        self._database, self._book, self._post, self._clock = database, book, post, clock
        self._told: dict[str, tuple[int, bytes, int]] = {}  # the tip up to which nothing is left to tell
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(AT_ONCE)
        self._obstacle = ""  # why nothing can be told, as the log has it

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                await self._safe_look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in list(self._busy.values()):
                await end(task)

    async def _safe_look(self) -> None:
        try:
            await self.look()
        except ExplorerError as error:
            if str(error) != self._obstacle:
                log.warning("the webhooks of accounts are not told for now: %s", error)
            self._obstacle = str(error)
        else:
            self._obstacle = ""

    async def look(self) -> None:
        """Begin to tell the webhooks that there may be something for."""
        tip = self._database.meta.tip
        if tip is None:
            return
        where = {"account": {"$exists": True}, "paused": False}
        rows = {row["_id"]: row for row in await self._database.find(WEBHOOKS.name, where, fields=LOOKED_AT)}
        self._told = {id: seen for id, seen in self._told.items() if id in rows}
        for id, row in rows.items():
            if id not in self._busy and self._is_due(row, tip):
                self._busy[id] = asyncio.create_task(self._tell(id, tip))

    async def settle(self) -> None:
        """Wait until everything that was begun is done."""
        await asyncio.gather(*self._busy.values())

    def _is_due(self, row: Row, tip: Tip) -> bool:
        if "pending" in row:
            return bool(row["due"] <= self._clock() * 1000)
        return bool(row["asked"] != row["tested"]) or self._told.get(row["_id"]) != _key(tip)

    async def _tell(self, id: str, tip: Tip) -> None:
        """Tell one webhook for a while; a fault is logged and holds up no other."""
        try:
            async with self._places:
                if await self._tell_some(id):
                    self._told[id] = _key(tip)
        except Lost:
            log.warning("webhook %s: another notifier has taken over, or it was deleted", id)
        except ExplorerError as error:
            log.info("webhook %s: nothing can be told for now: %s", id, error)
        except Exception:
            log.exception("webhook %s: a fault of the notifier", id)
        finally:
            del self._busy[id]

    async def _tell_some(self, id: str) -> bool:
        """Whether nothing was left to tell."""
        row: Any = await self._database.find_one(WEBHOOKS.name, {"_id": id, "account": {"$exists": True}}, ())
        if row is None:
            return False
        sender = Sender(self._database, webhook_of(row), self._book, self._post, self._clock, is_new=False)
        try:
            for _ in range(IN_A_ROW):
                if wait := await sender.turn():
                    return wait == POLL_SECONDS
            return False
        finally:
            with suppress(UpstreamUnavailable):
                await self._book.release(id)


def _key(tip: Tip) -> tuple[int, bytes, int]:
    return tip.height, tip.hash, tip.reorgs
