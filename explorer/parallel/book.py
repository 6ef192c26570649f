"""Writing down what is known of the parallel chains, so that all explorers of a database know it and one of them asks.

A round of readings is claimed by moving ``due`` forward in one conditional update: who dies in a round loses it when
that time comes. Whoever writes during a round must still be its owner.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from explorer.db import Database
from explorer.parallel.base import Cut, ParallelChain, Reading
from explorer.parallel.chains import ChainsFile
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID, chain_row, cut_fields, fingerprint, reading_fields

HOUR: Final = 3600
HOURS_KEPT: Final = 5 * 366 * 24
SHOWN: Final = ("of", "minted", "held", "time", "block", "state", "reason")

Row = dict[str, Any]


class Lost(Exception):
    """The round is no longer ours: another explorer has claimed it, for we took too long."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long things hold, in seconds: a reading as fresh, a claim without a sign of life."""

    stale: float
    lease: float


class Book:
    """The state document and the rows of hours; ``clock`` gives Unix seconds."""

    def __init__(
        self, database: Database, chains: ChainsFile, times: Times, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._journal = database.journal
        self._chains = chains.chains
        self._times = times
        self._clock = clock
        self._owner = secrets.token_hex(8)

    async def begin(self) -> None:
        """Make the document if there is none; when the settings name other addresses, read those at once."""
        empty: Row = {"revision": 0, "due": 0, "chains": {}}
        document = await self._change({}, {"$setOnInsert": empty}, upsert=True)
        rows = {} if document is None else document["chains"]
        if any(rows.get(chain.key, {}).get("of") != fingerprint(chain) for chain in self._chains):
            await self._change({"owner": {"$exists": False}}, {"$set": {"due": 0}, "$inc": {"revision": 1}})

    async def claim(self) -> Mapping[str, Row] | None:
        """The rows of the chains by key, if a round is due and it is ours now; else None."""
        where = {"due": {"$lte": _milliseconds(self._clock())}}
        document = await self._change(where, {"$set": {"owner": self._owner, "due": self._lease()}})
        if document is None:
            return None
        return {chain.key: dict(chain_row(document["chains"].get(chain.key), chain)) for chain in self._chains}

    async def keep(self, chain: ParallelChain, before: Row, row: Row) -> None:
        """Write what a round found of a chain; what is shown has changed if any of SHOWN has. Raises Lost."""
        change: Row = {"$set": {f"chains.{chain.key}": row, "due": self._lease()}}
        if any(before.get(name) != row.get(name) for name in SHOWN):
            change["$inc"] = {"revision": 1}
        await self._own(change)

    async def keep_cut(self, cut: Cut) -> None:
        """Write a cut. Raises Lost."""
        fields = {"cut": cut_fields(cut), "cut_stale": False, "due": self._lease()}
        await self._own({"$set": fields, "$inc": {"revision": 1}})

    async def release(self, due: float) -> None:
        """End the round; the next one may begin at ``due``, Unix seconds. Raises Lost."""
        await self._own({"$set": {"due": _milliseconds(due)}, "$unset": {"owner": ""}})

    async def keep_hour(self, rows: Sequence[Row], cut: Cut | None) -> None:
        """Replace the row of this hour, by the cut; if the hour has seen none yet, by the fresh readings."""
        meta, now = self._database.meta, int(self._clock())
        hour = now - now % HOUR
        row: Row = {"_id": hour, "time": now}
        if cut is not None:
            row |= {"height": cut.height, "outstanding": dict(cut.outstanding), "total": cut.total}
        elif meta.tip is None or (meta.parallel and meta.parallel.cut and meta.parallel.cut.time >= hour):
            return
        else:
            row |= {"height": meta.tip.height, "outstanding": self._fresh(rows)}
        await self._journal.put(PARALLEL_READINGS, [row])
        await self._journal.remove(PARALLEL_READINGS, {"_id": {"$lt": hour - HOURS_KEPT * HOUR}})

    async def mark_stale(self) -> None:
        """Note which readings, and whether the cut, have become too old to count."""
        limit = self._stale_limit()
        known = self._database.meta.parallel
        if known is None:
            return
        for chain in known.chains:
            if chain.state == "fresh" and chain.reading is not None and chain.reading.time <= limit:
                at = f"chains.{chain.chain.key}"
                where: Row = {f"{at}.state": "fresh", f"{at}.time": {"$lte": limit}}
                await self._change(where, {"$set": {f"{at}.state": "stale"}, "$inc": {"revision": 1}})
        if known.cut is not None and not known.cut_stale and known.cut.time <= limit:
            old = {"cut_stale": False, "cut.time": {"$lte": limit}}
            await self._change(old, {"$set": {"cut_stale": True}, "$inc": {"revision": 1}})

    def good_row(self, chain: ParallelChain, before: Row, reading: Reading, due: float) -> Row:
        """The row of a chain that gave a reading."""
        return {
            "of": fingerprint(chain),
            **reading_fields(reading),
            "state": "fresh",
            "reason": None,
            "due": _milliseconds(due),
            "failures": 0,
            "failed": before.get("failed", 0),
        }

    def failed_row(self, chain: ParallelChain, before: Row, reason: str, due: float) -> Row:
        """The row of a chain that gave none: the last reading stays, with its age."""
        row = {**before, "of": fingerprint(chain), "reason": reason, "due": _milliseconds(due)}
        row["failures"] = before.get("failures", 0) + 1
        row["failed"] = before.get("failed", 0) + 1
        row["state"] = "unavailable"
        if "time" in before:
            row["state"] = "fresh" if before["time"] > self._stale_limit() else "stale"
        return row

    def _fresh(self, rows: Sequence[Row]) -> dict[str, int]:
        """What circulates on the chains with a fresh reading, by key."""
        named = zip(self._chains, rows, strict=True)
        return {chain.key: row["minted"] - sum(row["held"]) for chain, row in named if row.get("state") == "fresh"}

    def _stale_limit(self) -> float:
        return self._clock() - self._times.stale

    def _lease(self) -> int:
        return _milliseconds(self._clock() + self._times.lease)

    async def _own(self, change: Mapping[str, Any]) -> None:
        if await self._change({"owner": self._owner}, change) is None:
            raise Lost

    async def _change(self, where: Mapping[str, Any], change: Mapping[str, Any], *, upsert: bool = False) -> Any:
        return await self._journal.change(PARALLEL_READINGS, {"_id": STATE_ID, **where}, change, upsert=upsert)


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
