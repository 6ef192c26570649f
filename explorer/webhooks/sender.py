"""Telling one webhook everything in order: the next is not sent before the last has been taken."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from explorer.db import POLL_SECONDS, Database, View
from explorer.errors import ExplorerError, UpstreamUnavailable
from explorer.events.event import DONE, Position, parse_position
from explorer.queries.feed import place_at_tip
from explorer.webhooks.book import Book, Lost, Row
from explorer.webhooks.hooks import Webhook
from explorer.webhooks.news import News, news_of_credits, news_of_nodes, news_of_test
from explorer.webhooks.post import Post, Undelivered

LOOK_SECONDS: Final = 1.0  # between looks whether another notifier has gone, or a failed database is back
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 3600.0
LOUD_ATTEMPTS: Final = (1, 5, 20)  # failed attempts after which the log tells of a server that takes nothing

log = logging.getLogger(__name__)


def pause_after(attempts: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds from a failed attempt to the next: twice as long each time up to an hour, a quarter of it random."""
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * float(2 ** min(attempts - 1, 20)))
    return longest * (1 - chance() / 4)


class Sender:
    """Tells one webhook; ``clock`` gives Unix seconds. ``is_new``: it may have no row yet, and then gets one."""

    def __init__(
        self, database: Database, hook: Webhook, book: Book, post: Post, clock: Callable[[], float] = time.time,
        *, is_new: bool = True,
    ) -> None:  # fmt: skip
        self._database, self._hook, self._book, self._post, self._clock = database, hook, book, post, clock
        self._ahead: deque[News] = deque()
        self._begun = not is_new
        self._obstacle = ""  # why nothing can be told, as the log has it

    async def run(self) -> None:
        """Tell until cancelled."""
        try:
            while True:
                await asyncio.sleep(await self._safe_turn())
        finally:
            with suppress(UpstreamUnavailable):
                await self._book.release(self._hook.name)

    async def _safe_turn(self) -> float:
        try:
            wait = await self.turn()
        except Lost:
            log.warning("webhook %s: another notifier has taken over, this one took too long", self._hook.name)
        except ExplorerError as error:
            if str(error) != self._obstacle:
                log.warning("webhook %s: nothing can be told for now: %s", self._hook.name, error)
            self._obstacle = str(error)
        except Exception:
            log.exception("webhook %s: a fault of the notifier", self._hook.name)  # the other webhooks go on
        else:
            self._obstacle = ""
            return wait
        self._ahead.clear()
        return LOOK_SECONDS

    async def turn(self) -> float:
        """One step: deliver what is pending, or find what is next; the seconds to wait for the one after it."""
        if not self._begun:
            await self._begin()
        row = await self._book.claim(self._hook.name)
        if row is None or row.get("paused"):
            self._ahead.clear()
            return LOOK_SECONDS
        if "pending" not in row:
            news = await self._next(row)
            if news is None:
                return POLL_SECONDS
            row = await self._book.take_up(self._hook.name, news)
        wait = row["due"] / 1000 - self._clock()
        if wait > 0:
            return float(min(wait, LOOK_SECONDS))
        await self._attempt(row)
        return 0.0

    async def _attempt(self, row: Row) -> None:
        pending = row["pending"]
        try:
            await self._post.deliver(self._hook, pending["seq"], bytes(pending["body"]))
        except Undelivered as error:
            attempts = row["attempts"] + 1
            due = self._clock() + (pause_after(attempts) if error.seconds is None else error.seconds)
            await self._book.failed(row, str(error), due)
            if attempts in LOUD_ATTEMPTS:
                log.warning("webhook %s: attempt %d failed: %s", self._hook.name, attempts, error)
        else:
            await self._book.delivered(row)

    async def _begin(self) -> None:
        """A webhook that is new is told of what comes after the tip of this moment."""
        place, position = (await self._database.fenced(places_now)).value
        await self._book.begin(self._hook.name, place, position)
        self._begun = True

    async def _next(self, row: Row) -> News | None:
        """What to tell next, or None when there is nothing; a test that was asked for comes first."""
        tip = self._database.meta.tip
        if row.get("asked", "") != row.get("tested", "") and tip is not None:
            self._ahead.clear()
            return news_of_test(self._hook, row["asked"], tip)
        if not self._ahead:
            await self._look(row)
        return self._ahead.popleft() if self._ahead else None

    async def _look(self, row: Row) -> None:
        """Look through what is next in both feeds, credits first."""
        hook = self._hook
        if hook.addresses:
            told, place = (await self._database.fenced(news_of_credits, hook, row["credit"])).value
            self._ahead.extend(told)
            if not told and place != row["credit"]:
                await self._book.move(hook.name, "credit", place)
        if hook.nodes and not self._ahead:
            after = parse_position(row["life"])
            assert after is not None
            news, reached = (await self._database.fenced(news_of_nodes, hook, after)).value
            self._ahead.extend(news)
            if not news and reached != after:
                await self._book.move(hook.name, "life", str(reached))


async def places_now(view: View) -> tuple[str, str]:
    """The places in both feeds at the tip."""
    return str(place_at_tip(view)), str(Position(view.tip.reorgs, view.tip.height, DONE, 0))
