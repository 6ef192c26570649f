"""The blocks with which days (UTC) end, and what a day's blocks add up to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from explorer.db import View
from explorer.queries.block_rows import block_rows
from explorer.queries.blocks import difficulty_of

DAY: Final = 86_400  # seconds
MOST_DAYS: Final = 7300
GRID: Final = 4000  # heights looked at in the first question
FANOUT: Final = 9  # heights looked at for each day in each further one
FIELDS: Final = ("bits", "issued", "fees_total", "txs_total", "max_time")


@dataclass(frozen=True, slots=True)
class DaySum:
    """A day by the running maximum of block times: its blocks and sums, and where its last block left the chain.

    Amounts in zatoshi; ``issued`` is what all coinbases up to then have made, less fees.
    """

    date: str
    blocks: int
    transactions: int
    fees: int
    issued: int
    difficulty: float


async def day_sums(view: View, days: int) -> list[DaySum]:
    """The last so many days with blocks, newest first; the first one is the day so far."""
    start = min(1, view.tip.height)  # genesis may be years older
    ends_known = await view.rows("blocks", (start, view.tip.height))
    tip, first = ends_known[view.tip.height], ends_known[start]
    today = tip["max_time"] // DAY
    numbers = range(max(today - min(days, MOST_DAYS), first["max_time"] // DAY - 1), today)
    ends = await _ends(view, numbers)
    heights = sorted({*ends.values(), view.tip.height} - {-1})
    rows = await block_rows(view, heights, *FIELDS)
    before = {"_id": -1, "txs_total": 0, "fees_total": 0}
    found = []
    for number in (*numbers, today):
        row = rows.get(view.tip.height if number == today else ends[number], before)
        if number != numbers.start and row["_id"] > before["_id"]:
            found.append(
                DaySum(
                    date=_text(number),
                    blocks=row["_id"] - before["_id"],
                    transactions=row["txs_total"] - before["txs_total"],
                    fees=row["fees_total"] - before["fees_total"],
                    issued=row["issued"],
                    difficulty=difficulty_of(view, row),
                )
            )
        before = dict(row)
    return found[::-1]


def _text(number: int) -> str:
    day: date = datetime.fromtimestamp(number * DAY, UTC).date()
    return day.isoformat()


async def _ends(view: View, numbers: Sequence[int]) -> Mapping[int, int]:
    """By day the height of its last block, -1 when the chain is younger; kept in memory."""
    kept: Mapping[int, int] = view.kept("ends of days", view.tip.height) or {}
    missing = [number for number in numbers if number not in kept]
    if missing:
        kept = {**kept, **await _searched(view, missing)}
        view.keep("ends of days", view.tip.height, kept)
    return kept


async def _searched(view: View, numbers: Sequence[int]) -> dict[int, int]:
    """For all days at once: first a grid over the chain, then ever finer ones around each day's end."""
    step = max(1, view.tip.height // GRID)
    bounds = {number: (-1, view.tip.height) for number in numbers}
    heights = {*range(0, view.tip.height + 1, step), view.tip.height}
    while heights:
        rows = await block_rows(view, heights, "max_time")
        times = [(height, row["max_time"]) for height, row in rows.items()]
        bounds = _narrowed(bounds, times)
        heights = {
            height
            for low, high in bounds.values()
            if high - low > 1
            for height in range(low + 1, high, max(1, (high - low) // FANOUT))
        }
    return {number: low for number, (low, _) in bounds.items()}


def _narrowed(
    bounds: Mapping[int, tuple[int, int]], times: Sequence[tuple[int, int]]
) -> dict[int, tuple[int, int]]:
    """Closer bounds: the last block of a day is at the lower one or above, and below the upper one."""
    ordered = sorted(bounds)
    found = {}
    at = 0
    for number in ordered:
        low, high = bounds[number]
        while at < len(times) and times[at][1] < (number + 1) * DAY:
            at += 1
        if at:
            low = max(low, times[at - 1][0])
        if at < len(times):
            high = min(high, times[at][0])
        found[number] = low, high
    return found
