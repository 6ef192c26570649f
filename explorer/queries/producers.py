"""Who produced the Proof of Node blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.chances import chances_at
from explorer.queries.node_results import Producer, ProducerTotals, Slots
from explorer.queries.outlook import WINDOW
from explorer.queries.past import NEAR
from explorer.queries.pinned import mark_of, require_mark, require_pinned
from explorer.queries.results import Page
from explorer.queries.text import address_text, tier_name
from indexer.chain.keys import outpoint_text
from indexer.chain.params import pon_active
from indexer.chain.pon import EMERGENCY_PRODUCER, TEST_PRODUCER, skipped_slots, slot

LIST = Cursor("producers", 3)


class Produced(NamedTuple):
    """What a producer did: blocks, height of the first and of the last."""

    blocks: int
    first: int
    last: int


NOTHING = Produced(0, 0, 0)

Table = Mapping[bytes, Produced]
"""By the outpoint in the header."""


async def producers(view: View, *, cursor: str | None = None, limit: int) -> Page[Producer]:
    """The producers of Proof of Node blocks, the busiest first; a cursor stays with its block."""
    height, mark, rank = (view.tip.height, None, 0) if cursor is None else LIST.decode(cursor)
    require_pinned(view, height)
    table, chances, _ = await asyncio.gather(
        table_at(view, height), chances_at(view, height), require_mark(view, height, mark)
    )
    ranked = sorted(table, key=lambda point: (-table[point].blocks, point))
    page = ranked[rank : rank + limit]
    nodes = {bytes(row["outpoint"]): row for row in await view.many("nodes", {"outpoint": {"$in": page}})}
    items = tuple(
        Producer(
            node=outpoint_text(point),
            tier=tier_name(nodes[point]["tier"]) if point in nodes else None,
            address=address_text(bytes(nodes[point]["payee"]), view.network) if point in nodes else None,
            blocks=table[point].blocks,
            expected=chances.of(nodes[point]["_id"]) if point in nodes else None,
            first_height=table[point].first,
            last_height=table[point].last,
        )
        for point in page
    )
    end = rank + len(page)
    return Page(items, LIST.encode(height, await mark_of(view, height), end) if end < len(ranked) else None)


async def producer_totals(view: View) -> ProducerTotals:
    """All Proof of Node blocks by kind of producer, and how the newest of them fill their slots."""
    table, recent = await asyncio.gather(table_at(view, view.tip.height), _recent_slots(view))
    others = {point: table.get(point, NOTHING) for point in (EMERGENCY_PRODUCER, TEST_PRODUCER)}
    blocks = sum(made.blocks for made in table.values())
    return ProducerTotals(
        blocks=blocks,
        by_nodes=blocks - sum(made.blocks for made in others.values()),
        emergency=others[EMERGENCY_PRODUCER].blocks,
        test=others[TEST_PRODUCER].blocks,
        producers=len(table.keys() - others.keys()),
        first_height=min((made.first for made in table.values()), default=None),
        last_emergency_height=others[EMERGENCY_PRODUCER].last or None,
        recent=recent,
    )


async def _recent_slots(view: View) -> Slots | None:
    """The slots of the last blocks after the first Proof of Node block; None when there is none."""
    first = max(view.tip.height - WINDOW, view.network.upgrades.pon or 0, 1)
    if not pon_active(view.network, view.tip.height) or first >= view.tip.height:
        return None
    rows = await view.many("blocks", {"_id": {"$gte": first, "$lte": view.tip.height}}, sort=[("_id", 1)],
                           fields=("time",))  # fmt: skip
    times = [row["time"] for row in rows]
    skipped = sum(skipped_slots(view.network, before, after) for before, after in pairwise(times))
    passed = slot(view.network, times[-1]) - slot(view.network, times[0])
    return Slots(first, len(times) - 1, passed, skipped)


async def table_at(view: View, height: int) -> Table:
    """All producers up to a block; kept in memory, and carried on from there block by block."""

    async def made() -> tuple[int, Table]:
        near: tuple[int, Table] | None = view.kept("producers", height)
        if near is not None and near[0] >= height - NEAR:
            return height, await _carried_on(view, near, height)
        return height, await _counted(view, height)

    return (await view.once("producers", height, made))[1]


async def _counted(view: View, height: int) -> Table:
    """Counted by the index alone."""
    stages: list[dict[str, Any]] = [
        {"$match": {"producer": {"$gt": b""}, "_id": {"$lte": height}}},
        {"$group": {"_id": "$producer", "blocks": {"$sum": 1}, "first": {"$min": "$_id"}, "last": {"$max": "$_id"}}},
    ]
    rows = await view.aggregate("blocks", stages)
    return {bytes(row["_id"]): Produced(row["blocks"], row["first"], row["last"]) for row in rows}


async def _carried_on(view: View, kept: tuple[int, Table], height: int) -> Table:
    table = dict(kept[1])
    where = {"_id": {"$gt": kept[0], "$lte": height}}
    for row in await view.many("blocks", where, sort=[("_id", 1)], fields=("producer",)):
        if "producer" in row:
            point = bytes(row["producer"])
            before = table.get(point, Produced(0, row["_id"], row["_id"]))
            table[point] = Produced(before.blocks + 1, before.first, row["_id"])
    return table
