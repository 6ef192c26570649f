"""Where the running totals of the blocks reach a value: they never fall, so a search closes in on it."""

from __future__ import annotations

from explorer.db import View
from explorer.queries.block_rows import block_rows

FANOUT = 400


async def first_reaching(view: View, total: str, value: int) -> int | None:
    """The first height at which a running total of ``blocks`` is at least ``value``; None when it is nowhere.

    A few hundred evenly spaced rows at once close in on it in three round trips.
    """
    low, high = 0, view.tip.height + 1  # the answer is in low..high; high means none
    while low < high:
        step = max(1, (high - low) // FANOUT)
        heights = range(low, high, step)
        rows = await block_rows(view, heights, total)
        reached = {h for h, row in rows.items() if row[total] >= value}
        first = next((h for h in heights if h in reached), None)
        if first is None:
            low = heights[-1] + 1
        else:
            low, high = max(low, first - step + 1), first
    return low if low <= view.tip.height else None
