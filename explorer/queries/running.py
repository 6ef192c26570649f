"""Where the running totals of the blocks reach values: they never fall, so a search closes in on them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import chain

from explorer.db import View
from explorer.queries.block_rows import block_rows
from indexer.store.codec import Document

FANOUT = 400


async def first_reaching(view: View, total: str, value: int) -> int | None:
    """The first height at which a running total of ``blocks`` is at least ``value``; None when it is nowhere.

    A few hundred evenly spaced rows at once close in on it in three round trips.
    """
    return (await first_reaching_each(view, total, [value]))[0]


async def first_reaching_each(view: View, total: str, values: Sequence[int]) -> list[int | None]:
    """For each value the first height at which the total is at least that much, all looked for at once.

    The few hundred rows of a round are shared out: fifty values take seven round trips, a thousand take some thirteen.
    """
    end = view.tip.height + 1  # the answer for what no block reaches
    spans = {value: (0, end) for value in values}  # from the first to the last height that it may be
    while still := {span for span in spans.values() if span[0] < span[1]}:
        pieces = max(1, FANOUT // len(still))
        asked = {span: _spaced(*span, pieces) for span in still}
        rows = await block_rows(view, set(chain.from_iterable(asked.values())), total)
        for value, span in spans.items():
            if span in asked:
                spans[value] = _narrowed(asked[span], span, value, total, rows)
    return [low if low < end else None for low, _ in (spans[value] for value in values)]


def _spaced(low: int, high: int, count: int) -> range:
    """Heights that part a span of heights into ``count`` and one more."""
    step = -(-(high - low) // (count + 1))
    return range(low + step - 1, high, step)


def _narrowed(
    heights: range, span: tuple[int, int], value: int, total: str, rows: Mapping[int, Document]
) -> tuple[int, int]:
    """What is left of a span by the rows at heights in it, rising; a row that is gone was above a tip that fell."""
    low, high = span
    reached = bisect_left(heights, True, key=lambda height: height not in rows or rows[height][total] >= value)
    if reached:
        low = heights[reached - 1] + 1
    return low, heights[reached] if reached < len(heights) else high
