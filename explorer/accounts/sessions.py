"""Sessions: a random token for who has signed in. The database has its hash only."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final

from explorer.accounts.challenges import Purpose
from explorer.db import Database
from indexer.store.schema import SESSIONS

TOKEN_BYTES: Final = 32
LONGEST_TOKEN: Final = 64  # characters; ours have 43
IDLE_SECONDS: Final = 2 * 3600  # without a request
LONGEST_SECONDS: Final = 12 * 3600  # whatever is done
SLIDE_SECONDS: Final = 60  # between two notes of use
MOST: Final = 10  # of one account; the oldest goes


class Sessions:
    """Begins, finds and ends sessions; ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database, self._clock = database, clock

    async def begin(self, account: str, purpose: Purpose, site: str) -> str:
        """The token of a new session of an account at a host."""
        journal, now = self._database.journal, self._now()
        await journal.remove(SESSIONS.name, {"until": {"$lte": now}})
        token = secrets.token_urlsafe(TOKEN_BYTES)
        row = {"_id": digest(token), "account": account, "purpose": purpose, "site": site, "begun": now}
        await journal.put(SESSIONS.name, [row | {"until": now + 1000 * IDLE_SECONDS}])
        mine = await self._database.find(SESSIONS.name, {"account": account}, (("begun", -1),), fields=("_id",))
        await journal.remove(SESSIONS.name, {"_id": {"$in": [old["_id"] for old in mine[MOST:]]}})
        return token

    async def find(self, token: str, purpose: Purpose, site: str) -> str | None:
        """The address that is signed in with a token at a host, or None; the session goes on from now."""
        if not 0 < len(token) <= LONGEST_TOKEN:
            return None
        now = self._now()
        where = {"_id": digest(token), "purpose": purpose, "site": site, "until": {"$gt": now}}
        row = await self._database.find_one(SESSIONS.name, where, ())
        if row is None:
            return None
        until = min(now + 1000 * IDLE_SECONDS, row["begun"] + 1000 * LONGEST_SECONDS)
        if until - row["until"] >= 1000 * SLIDE_SECONDS:
            await self._database.journal.change(SESSIONS.name, where, {"$set": {"until": until}})
        return str(row["account"])

    async def end(self, token: str) -> None:
        """End a session; nothing when there is none."""
        await self._database.journal.remove(SESSIONS.name, {"_id": digest(token)})

    async def end_all(self, account: str) -> int:
        """End every session of an account; how many there were."""
        return await self._database.journal.remove(SESSIONS.name, {"account": account})

    def _now(self) -> int:
        return int(self._clock() * 1000)


def digest(token: str) -> bytes:
    """What the database has of a token: enough to know it again, not enough to use it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
