"""How far each webhook is, written down so that a notifier that dies loses nothing and two do not tell at once.

What is about to be delivered is written down before the first attempt, and stays until it is delivered: a notifier that
dies in between delivers it again, even when its block is gone by then. Only so is what was told and orphaned always
taken back.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from explorer.db import Database
from explorer.webhooks.news import News
from indexer.store.schema import WEBHOOKS

Row = Mapping[str, Any]

LOGGED: Final = 50  # attempts that the log of an account's webhook has
MOST_ATTEMPTS: Final = 100  # in a row to an account's webhook: about four days


class Lost(Exception):
    """The webhook is no longer ours: another notifier has taken over, for we took too long."""


class Book:
    """The rows of ``webhooks``; a claim without a sign of life runs out after ``lease`` seconds."""

    def __init__(self, database: Database, lease: float, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._lease = lease
        self._clock = clock
        self._owner = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    async def begin(self, name: str, credit: str, life: str) -> None:
        """Make the row of a webhook that is new: it is told of what comes after these places."""
        new = {"until": 0, "credit": credit, "life": life, "due": 0, "attempts": 0, "delivered": 0, "failed": 0}
        await self._database.journal.change(WEBHOOKS.name, {"_id": name}, {"$setOnInsert": new}, upsert=True)

    async def claim(self, name: str) -> Row | None:
        """The row of a webhook if it is ours now; None while another notifier lives."""
        free = [{"owner": self._owner}, {"until": {"$lte": _milliseconds(self._clock())}}]
        row = await self._change({"_id": name, "$or": free}, {"$set": self._mine()})
        if row is not None:
            return row
        seen = await self._database.find_one(WEBHOOKS.name, {"_id": name}, ())
        if seen is None or not _is_dead(seen.get("owner", "")):
            return None
        return await self._change({"_id": name, "owner": seen["owner"]}, {"$set": self._mine()})

    async def take_up(self, name: str, news: News) -> Row:
        """Write down what is about to be delivered. Raises Lost."""
        pending = {"seq": news.seq, "body": news.body, "after": news.feed, "place": news.place}
        return await self._own(name, {"$set": {"pending": pending, "attempts": 0, "due": 0, **self._mine()}})

    async def move(self, name: str, feed: str, place: str) -> Row:
        """Note that there is nothing to tell up to a place of a feed. Raises Lost."""
        return await self._own(name, {"$set": {feed: place, **self._mine()}})

    async def delivered(self, row: Row) -> Row:
        """What was pending has been delivered. Raises Lost."""
        pending = row["pending"]
        done = {pending["after"]: pending["place"], "attempts": 0, **self._mine()}
        change = {"$set": done, "$unset": {"pending": "", "problem": ""}, "$inc": {"delivered": 1}}
        return await self._own(row["_id"], change | self._logged(row, None))

    async def failed(self, row: Row, problem: str, due: float) -> Row:
        """An attempt failed; the next one is at ``due``, Unix seconds. Raises Lost.

        A webhook of an account is paused when it has taken nothing for too long: nobody else looks after it.
        """
        told = {"problem": problem, "due": _milliseconds(due), **self._mine()}
        if "account" in row and row["attempts"] + 1 >= MOST_ATTEMPTS:
            told["paused"] = True
        change = {"$set": told, "$inc": {"attempts": 1, "failed": 1}}
        return await self._own(row["_id"], change | self._logged(row, problem))

    def _logged(self, row: Row, problem: str | None) -> dict[str, Any]:
        """The entry about an attempt, where its webhook keeps a log: those of accounts do."""
        if "log" not in row:
            return {}
        pending = row["pending"]
        event = json.loads(bytes(pending["body"]))["event"]
        entry = {"at": int(self._clock()), "event": event, "seq": pending["seq"], "problem": problem}
        return {"$push": {"log": {"$each": [entry], "$slice": -LOGGED}}}

    async def release(self, name: str) -> None:
        """Let another notifier go on at once."""
        change = {"$set": {"until": 0}, "$unset": {"owner": ""}}
        await self._change({"_id": name, "owner": self._owner}, change)

    def _mine(self) -> dict[str, Any]:
        return {"owner": self._owner, "until": _milliseconds(self._clock() + self._lease)}

    async def _own(self, name: str, change: Mapping[str, Any]) -> Row:
        row = await self._change({"_id": name, "owner": self._owner}, change)
        if row is None:
            raise Lost
        return row

    async def _change(self, where: Mapping[str, Any], change: Mapping[str, Any]) -> Row | None:
        return await self._database.journal.change(WEBHOOKS.name, where, change)


def _is_dead(owner: str) -> bool:
    """Whether a notifier ran on this machine and is gone."""
    host, _, rest = owner.partition("/")
    if host != socket.gethostname():
        return False
    pid = int(rest.partition("/")[0])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return pid == os.getpid()


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
