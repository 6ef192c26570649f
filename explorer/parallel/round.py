"""A round of readings: every chain that is due, each by itself, and then all of them together for a cut.

Adding up needs a moment at which everything added was true. No such moment can be arranged on eleven chains, but one
can be proved: read all, ask the daemon for its tip, read all again. What is equal before and after was so when the tip
was asked for. Coins on their way over the bridge are on neither side, so that nothing is counted twice.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from explorer.errors import UpstreamUnavailable
from explorer.parallel.ask import Asker, Failed, Rests, same
from explorer.parallel.base import Cut, ParallelChain, Reading
from explorer.parallel.book import Book, Row
from explorer.parallel.chains import ChainsFile
from explorer.parallel.native import NativeTip
from explorer.parallel.together import together
from indexer.errors import SourceError

CUT_ATTEMPTS: Final = 3
LONGEST_BACK_OFF: Final = 12  # intervals
TOGETHER: Final = 0.2  # of an interval: who is due so soon is asked with the others
JITTER: Final = 0.1

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Standing:
    """How a chain stands in this round: what is kept of it, which endpoints rest, what it said now."""

    chain: ParallelChain
    row: Row
    rests: Rests
    reading: Reading | None = None


class Round:
    """One round after the other; ``interval`` in seconds, ``clock`` in Unix seconds."""

    def __init__(
        self,
        chains: ChainsFile,
        book: Book,
        asker: Asker,
        native: NativeTip,
        interval: float,
        clock: Callable[[], float],
    ) -> None:
        self._chains = chains.chains
        self._book, self._asker, self._native = book, asker, native
        self._interval, self._clock = interval, clock

    async def run(self, rows: Mapping[str, Row]) -> None:
        """Read what is due, cut if everything is well, and say when the next round is. Raises Lost."""
        all_of_them = [self._standing(chain, rows[chain.key]) for chain in self._chains]
        soon = (self._clock() + TOGETHER * self._interval) * 1000
        due = [one for one in all_of_them if one.row.get("due", 0) <= soon]
        others = [one for one in all_of_them if one not in due]
        await self._read(due)
        if _all_read(due) and not any(one.row.get("failures", 1) for one in others):
            await self._read(others)  # for a cut, which a chain that has just come back made impossible
        cut = await self._cut(all_of_them) if _all_read(all_of_them) else None
        await self._book.keep_hour([one.row for one in all_of_them], cut)
        await self._book.release(min(one.row["due"] for one in all_of_them) / 1000)

    def _standing(self, chain: ParallelChain, row: Row) -> Standing:
        until = row.get("rests", [])
        count = len(chain.endpoints)
        return Standing(chain, row, Rests(list(until) if len(until) == count else [0.0] * count))

    async def _read(self, chosen: Iterable[Standing]) -> None:
        await together(self._read_one(one) for one in chosen)

    async def _read_one(self, one: Standing) -> None:
        """Read a chain and write it down at once: a chain that answers late holds up none but itself."""
        try:
            reading = await self._asker.steady(one.chain, one.rests, self._clock())
        except Failed as error:
            await self._fail(one, str(error))
        else:
            await self._keep(one, reading)

    async def _keep(self, one: Standing, reading: Reading) -> None:
        if one.row.get("failures"):
            log.info("%s answers again", one.chain.name)
        row = self._book.good_row(one.chain, one.row, reading, self._clock() + self._interval * _about_one())
        row["rests"] = self._resting(one.rests)
        await self._book.keep(one.chain, one.row, row)
        one.row, one.reading = row, reading

    async def _fail(self, one: Standing, reason: str) -> None:
        failures = one.row.get("failures", 0)
        if not failures:
            log.warning("%s cannot be read: %s", one.chain.name, reason)
        wait = self._interval * min(2.0 ** (min(failures, 20) - 1), LONGEST_BACK_OFF) * _about_one()
        now = self._clock()
        row = self._book.failed_row(one.chain, one.row, reason, max(now + wait, min(one.rests.until)))
        row["rests"] = self._resting(one.rests)
        await self._book.keep(one.chain, one.row, row)
        one.row, one.reading = row, None

    def _resting(self, rests: Rests) -> list[float]:
        now = self._clock()
        return [until if until > now else 0.0 for until in rests.until]

    async def _cut(self, standings: list[Standing]) -> Cut | None:
        """A cut, tried a few times while things keep moving; None when there is none to be had now."""
        before = {one.chain.key: one.reading for one in standings}
        for _ in range(CUT_ATTEMPTS):
            try:
                at = int(self._clock())
                block_hash = await self._native.hash()
                after = await self._all_once(standings)
            except (SourceError, UpstreamUnavailable) as error:
                log.info("no sum over all chains for now: %s", error)
                return None
            moved = [one for one in standings if not _equal(before[one.chain.key], after[one.chain.key])]
            for one in moved:
                if self._asker.is_of_one_block(one.chain):
                    await self._keep(one, after[one.chain.key])
            height = None if moved else await self._native.height(block_hash)
            if height is not None:
                cut = Cut(height, block_hash, at, tuple((key, found.outstanding) for key, found in after.items()))
                await self._keep_moved(standings, after)
                await self._book.keep_cut(cut)
                return cut
            before = dict(after)
        return None

    async def _all_once(self, standings: list[Standing]) -> dict[str, Reading]:
        found = await together(self._asker.once(one.chain, one.rests, self._clock()) for one in standings)
        return {one.chain.key: reading for one, reading in zip(standings, found, strict=True)}

    async def _keep_moved(self, standings: list[Standing], after: Mapping[str, Reading]) -> None:
        """Write the chains that moved before the cut held: what is shown of them is then what was added up."""
        for one in standings:
            if not _equal(one.reading, after[one.chain.key]):
                await self._keep(one, after[one.chain.key])


def _all_read(standings: Iterable[Standing]) -> bool:
    return all(one.reading is not None for one in standings)


def _equal(before: Reading | None, after: Reading) -> bool:
    return before is not None and same(before, after)


def _about_one() -> float:
    """A factor that keeps explorers that were started together from asking together."""
    return random.uniform(1 - JITTER, 1 + JITTER)
