"""Payouts block by block: whom the queue predicted for each tier, and whether the coinbase paid."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.blocks import payouts_of
from explorer.queries.results import Page, Payout
from explorer.queries.running import first_reaching_each
from explorer.queries.units import Height, Seconds
from indexer.chain.keys import outpoint_text

LIST = Cursor("blocks with payouts", 1)


@dataclass(frozen=True, slots=True)
class PayoutBlock:
    """What one block had to pay to nodes; ``checked`` is False before such payments began."""

    height: Height
    time: Seconds
    checked: bool
    payouts: tuple[Payout, ...]


async def payout_blocks(
    view: View, *, before: int | None = None, mismatched: bool = False, cursor: str | None = None, limit: int
) -> Page[PayoutBlock]:
    """The blocks below height ``before`` (the tip included when None), newest first; all, or those that did not pay."""
    if cursor is not None:
        (below,) = LIST.decode(cursor)
    else:
        below = 1 + view.require_height(view.tip.height if before is None else before - 1)
    below = min(below, view.tip.height + 1)
    heights = await _mismatched(view, below, limit + 1) if mismatched else range(below - 1, -1, -1)[: limit + 1]
    items = await _blocks(view, heights[:limit])
    return Page(items, LIST.encode(heights[limit - 1]) if len(heights) > limit else None)


async def _mismatched(view: View, below: int, count: int) -> list[int]:
    """The newest heights below a height whose block did not pay as predicted, by the running count of them."""
    found: list[int] = []
    row = await view.row("blocks", below - 1)
    total = row["payouts_mismatched"] if row else 0
    while len(found) < count and total > 0:
        totals = range(total, max(0, total - count), -1)
        heights = await first_reaching_each(view, "payouts_mismatched", totals)
        # A block that owed several payouts is where several totals are reached.
        found += sorted({height for height in heights if height is not None} - set(found), reverse=True)
        total = totals[-1] - 1
    return found[:count]


async def _blocks(view: View, heights: Sequence[int]) -> tuple[PayoutBlock, ...]:
    where = {"_id": {"$in": list(heights)}}
    blocks, rows = await asyncio.gather(
        view.many("blocks", where, fields=("time",)), view.many("payouts", where)
    )
    nodes = sorted({node for row in rows for node in row["nodes"]})
    starts = await view.many("node_starts", {"_id": {"$in": nodes}}, fields=("outpoint",)) if nodes else []
    outpoints = {start["_id"]: outpoint_text(bytes(start["outpoint"])) for start in starts}
    times = {row["_id"]: row["time"] for row in blocks}
    return tuple(
        PayoutBlock(
            height=row["_id"],
            time=times[row["_id"]],
            checked=row["checked"],
            payouts=tuple(payouts_of(view, {**row, "outpoints": outpoints})),
        )
        for row in sorted(rows, key=lambda row: -row["_id"])
    )
