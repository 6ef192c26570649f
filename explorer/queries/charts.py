"""The chain over time: every chart is made of a few hundred rows, however long the chain is.

Points are spread evenly over the heights. What is counted by the day comes from running totals: the difference
between two rows is the exact sum of all blocks between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Final

from explorer.db import View
from explorer.errors import BadRequest, NotFound
from explorer.languages.phrases import Phrase
from explorer.queries.block_rows import block_rows
from explorer.queries.blocks import difficulty_of
from explorer.queries.chart_results import NAMES, ChartName, ChartPoint, History, Measure
from explorer.queries.past import lists_at
from explorer.queries.reductions import begun_eras
from explorer.queries.spans import first_block, last_block
from explorer.queries.supply_history import DEFAULT, FEWEST, MOST
from indexer.chain.eras import DAY, day_begin, day_number
from indexer.chain.nodes import Status
from indexer.chain.replay import SNAPSHOT_EVERY
from indexer.chain.tiers import TIERS, Tier
from indexer.store.codec import Document

COUNTED: Final = "confirmed nodes of each tier"

Points = list[ChartPoint]
Read = Callable[[View, Sequence[int]], Awaitable[Points]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a chart shows: its unit, how it is written, and how it is found at given heights."""

    unit: str
    measure: Measure
    read: Read


async def history(
    view: View, name: str, *, points: int | None = None, since: str | None = None, until: str | None = None
) -> History:
    """A chart with so many points (2 to 1000, 200 by default) of the blocks between two heights or dates.

    Both are included; None: from genesis, to the tip.
    """
    known = next((known for known in NAMES if known == name), None)
    if known is None:
        raise NotFound(Phrase(
            "there is no chart %(name)s: expected one of %(known)s",
            name=repr(name[:30]), known=", ".join(NAMES),
        ))  # fmt: skip
    wanted = DEFAULT if points is None else points
    if not FEWEST <= wanted <= MOST:
        raise BadRequest(Phrase(
            "points is %(wanted)s: expected a whole number from %(fewest)s to %(most)s",
            wanted=wanted, fewest=FEWEST, most=MOST,
        ))  # fmt: skip
    subject = SUBJECTS[known]
    found = await subject.read(view, await _heights(view, wanted, since, until))
    return History(known, subject.unit, subject.measure, tuple(found), begun_eras(view.network, view.tip.height))


async def _heights(view: View, points: int, since: str | None, until: str | None) -> list[int]:
    """Evenly spread heights of a stretch, the first and the last included; none when no block lies in it."""
    low = 0 if since is None else await first_block(view, since)
    high = view.tip.height if until is None else await last_block(view, until)
    if low > high + 1:
        raise BadRequest(Phrase("from is block %(low)s, above to, which is block %(high)s", low=low, high=high))
    return sorted({low + (high - low) * n // (points - 1) for n in range(points)}) if low <= high else []


async def _rows(view: View, heights: Sequence[int], *fields: str) -> list[Document]:
    """Some fields of some rows of ``blocks``, in rising order."""
    return [*(await block_rows(view, heights, "time", "max_time", *fields)).values()]


async def _at_blocks(view: View, heights: Sequence[int], *, field: str) -> Points:
    """A field of the blocks themselves."""
    return [ChartPoint(row["_id"], row["time"], row[field]) for row in await _rows(view, heights, field)]


async def _difficulty(view: View, heights: Sequence[int]) -> Points:
    rows = await _rows(view, heights, "bits")
    return [ChartPoint(row["_id"], row["time"], difficulty_of(view, row)) for row in rows]


async def _a_day(
    view: View, heights: Sequence[int], *, gained: Callable[[Document], int], fields: Sequence[str]
) -> Points:
    """What a running total gains in a day: the mean of the blocks since the point before."""
    return [
        ChartPoint(row["_id"], row["time"], round((gained(row) - gained(before)) * DAY / seconds))
        for before, row, seconds in _stretches(await _rows(view, _edges(heights), *fields))
    ]


async def _block_time(view: View, heights: Sequence[int]) -> Points:
    """Seconds between two blocks: the mean since the point before."""
    return [
        ChartPoint(row["_id"], row["time"], round(seconds / (row["_id"] - before["_id"]), 2))
        for before, row, seconds in _stretches(await _rows(view, _edges(heights)))
    ]


def _edges(heights: Sequence[int]) -> list[int]:
    """The heights and one before them; never genesis, which may be years older than the next block."""
    before = [max(heights[0] - 1, 1)] if heights else []
    return sorted({*before, *(height for height in heights if height > 0)})


def _stretches(rows: Sequence[Document]) -> Iterator[tuple[Document, Document, int]]:
    """Pairs of rows with the seconds between them; a stretch in which time stood still is joined to the next."""
    before = None
    for row in rows:
        if before is None:
            before = row
        elif row["max_time"] > before["max_time"]:
            yield before, row, row["max_time"] - before["max_time"]
            before = row


async def _nodes(view: View, heights: Sequence[int], *, tier: Tier) -> Points:
    """The confirmed nodes of a tier, at the heights at which the lists are kept, and at the tip."""
    kept = sorted({height - height % SNAPSHOT_EVERY for height in heights})
    kept = [height for height in kept if height >= heights[0]]
    now = [view.tip.height] if heights and heights[-1] == view.tip.height else []
    known, blocks = await asyncio.gather(_counts(view, kept), _rows(view, [*kept, *now]))
    counts = {height: known[height][tier - 1] for height in kept if height in known}
    if now:
        counts[now[0]] = (await lists_at(view, now[0])).count(Status.CONFIRMED, tier)
    return [ChartPoint(row["_id"], row["time"], counts[row["_id"]]) for row in blocks if row["_id"] in counts]


async def _counts(view: View, heights: Sequence[int]) -> Mapping[int, Sequence[int]]:
    """The confirmed nodes of each tier at heights at which the lists are kept; kept in memory."""
    known: Mapping[int, Sequence[int]] = view.kept(COUNTED, view.tip.height) or {}
    if missing := [height for height in heights if height not in known]:
        rows = await view.many("queue_snapshots", {"_id": {"$in": missing}}, fields=("counts",))
        known = {**known, **{row["_id"]: row["counts"] for row in rows}}
        view.keep(COUNTED, view.tip.height, known)
    return known


async def _active(view: View, heights: Sequence[int]) -> Points:
    """The addresses that blocks touch in a day's worth of them: the mean of the whole days since the point before.

    The last point is the day so far.
    """
    ends = sorted({day_begin(view.network, height) - 1 for height in heights} | set(heights[-1:]))
    known = {row["_id"]: row for row in await _rows(view, [end for end in ends if end >= 0], "active_total")}
    return [
        ChartPoint(
            last,
            known[last]["time"],
            round((known[last]["active_total"] - _of(known, end)) / _days(view, end, last)),
        )
        for end, last in pairwise(ends)
    ]


def _of(rows: Mapping[int, Document], height: int) -> int:
    """The running total of active addresses after a block; nothing before genesis."""
    total: int = rows[height]["active_total"] if height >= 0 else 0
    return total


def _days(view: View, after: int, last: int) -> int:
    """How many days end in ``after < height <= last``, the one that ``last`` lies in included."""
    return day_number(view.network, last) - (day_number(view.network, after) if after >= 0 else -1)


SUBJECTS: Final[Mapping[ChartName, Subject]] = {
    "block_time": Subject("seconds", "number", _block_time),
    "transactions": Subject(
        "transactions a day", "count", partial(_a_day, gained=lambda row: row["txs_total"], fields=("txs_total",))
    ),
    "difficulty": Subject("difficulty", "number", _difficulty),
    "fees": Subject(
        "FLUX a day", "amount", partial(_a_day, gained=lambda row: row["fees_total"], fields=("fees_total",))
    ),
    "nodes_cumulus": Subject("nodes", "count", partial(_nodes, tier=TIERS[0])),
    "nodes_nimbus": Subject("nodes", "count", partial(_nodes, tier=TIERS[1])),
    "nodes_stratus": Subject("nodes", "count", partial(_nodes, tier=TIERS[2])),
    "payouts": Subject(
        "payouts a day",
        "count",
        partial(
            _a_day,
            gained=lambda row: row["payouts_checked"] - row["payouts_mismatched"],
            fields=("payouts_checked", "payouts_mismatched"),
        ),
    ),
    "supply": Subject("FLUX", "amount", partial(_at_blocks, field="issued")),
    "active_addresses": Subject("addresses a day", "count", _active),
}
