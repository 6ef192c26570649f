"""Payouts to nodes: what the queue predicted for each block, and the output that satisfies it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.block_rows import times_at
from explorer.queries.node_results import NodePayout
from explorer.queries.node_rows import Join, newest, node_row
from explorer.queries.nodes import parse_node
from explorer.queries.queues import parse_tier
from explorer.queries.results import Page
from explorer.queries.text import address_key, tier_name
from explorer.queries.timeline import coinbases
from indexer.chain.address import encode_address
from indexer.chain.keys import outpoint_text
from indexer.chain.tiers import TIERS, Tier
from indexer.store.codec import Document

LIST = Cursor("payouts", 2)
CHUNK = 1000  # rows read at once where the first ones held too little

Place = tuple[int, int]
"""Of a payout in the list: its height, and its number in the block."""

COLUMNS = ("tiers", "nodes", "payees", "amounts", "vouts")


@dataclass(frozen=True, slots=True)
class Sought:
    """Which payouts a list asks for; None: all."""

    tier: Tier | None = None
    payee: bytes | None = None
    node: int | None = None


class _Entry(NamedTuple):
    """One payout of a row: height, number in the row, and its columns."""

    height: int
    number: int
    tier: int
    node: int
    payee: bytes
    amount: int
    vout: int


async def payouts(
    view: View,
    *,
    tier: str | None = None,
    address: str | None = None,
    node: str | None = None,
    cursor: str | None = None,
    limit: int,
) -> Page[NodePayout]:
    """The payouts to a tier, an address, a node, newest first; those of a block in the order of tiers."""
    sought = Sought(
        None if tier is None else parse_tier(tier),
        None if address is None else address_key(address, view.network),
    )
    after = place_after(view.tip.height, cursor)
    if node is None:
        return await _page(view, await _entries(view, sought, after, limit + 1), limit)
    row = await node_row(view, parse_node(node), newest_payouts(view, sought, after, limit))
    return await payouts_of_node(view, row, sought, after, limit)


def place_after(height: int, cursor: str | None) -> Place:
    """The place before the first payout that a page shows: that of the cursor, or before those of block ``height``."""
    if cursor is None:
        return height, -1
    decoded = LIST.decode(cursor)
    return decoded[0], decoded[1]


def newest_payouts(view: View, sought: Sought, after: Place, limit: int) -> Join:
    """What a page of the payouts of a node needs beside its row."""
    view.require_index("payouts.nodes")
    where = {"_id": {"$lte": min(after[0], view.tip.height)}, **_where(view, sought)}
    return newest("payouts", "nodes", where, limit + 2, COLUMNS)


async def payouts_of_node(view: View, row: Document, sought: Sought, after: Place, limit: int) -> Page[NodePayout]:
    """A page of the payouts of the node of a row with its newest payouts."""
    entries = await _entries(view, replace(sought, node=row["_id"]), after, limit + 1, row["payouts"])
    return await _page(view, entries, limit, row)


async def _page(
    view: View, entries: Sequence[_Entry], limit: int, node: Document | None = None
) -> Page[NodePayout]:
    """A page of payouts; ``node`` is the row of the one that they are all to."""
    page = entries[:limit]
    heights = sorted({entry.height for entry in page})
    times, txids, nodes = await asyncio.gather(
        times_at(view, heights), coinbases(view, heights), _nodes(view, page, node)
    )
    points = {row["_id"]: outpoint_text(bytes(row["outpoint"])) for row in nodes}
    items = tuple(
        NodePayout(
            height=entry.height,
            time=times[entry.height],
            tier=tier_name(entry.tier),
            node=points.get(entry.node),
            address=encode_address(bytes(entry.payee), view.network),
            amount=entry.amount,
            outpoint=f"{txids[entry.height]}:{entry.vout}" if entry.vout >= 0 else None,
            matched=entry.vout >= 0,
        )
        for entry in page
    )
    return Page(items, LIST.encode(page[-1].height, page[-1].number) if len(entries) > limit else None)


async def _nodes(view: View, page: Sequence[_Entry], node: Document | None) -> list[Document]:
    """Rows that tell the collaterals of the nodes of a page."""
    if node is not None:
        return [node]
    where = {"_id": {"$in": sorted({entry.node for entry in page})}}
    return await view.many("node_starts", where, fields=("outpoint",))


async def payouts_at(view: View, height: int) -> tuple[NodePayout, ...]:
    """The payouts of the block at a height in the order of tiers."""
    page = await payouts(view, cursor=LIST.encode(height + 1, len(TIERS)), limit=len(TIERS))
    return tuple(item for item in page.items if item.height == height)


async def _entries(
    view: View, sought: Sought, after: Place, count: int, known: Sequence[Document] | None = None
) -> list[_Entry]:
    """At least ``count`` payouts after a place in the list, fewer at its end; ``known``: the first rows."""
    found: list[_Entry] = []
    height, size = min(after[0], view.tip.height), count + 1
    while len(found) < count and height >= 0:
        where = {"_id": {"$lte": height}, **_where(view, sought)}
        rows, known = known, None
        if rows is None:
            rows = await view.many("payouts", where, sort=[("_id", -1)], limit=size, fields=COLUMNS)
        for row in rows:
            found += (e for e in _matching(row, sought) if e.height < after[0] or e.number > after[1])
        if len(rows) < size:
            break
        height, size = rows[-1]["_id"] - 1, CHUNK
    return found


def _where(view: View, sought: Sought) -> dict[str, Any]:
    """The condition on rows; which payout of a row it is shows ``_matching``."""
    where: dict[str, Any] = {"tiers": {"$ne": []}}
    if sought.tier is not None:
        where["tiers"] = int(sought.tier)
    if sought.node is not None:
        view.require_index("payouts.nodes")
        where["nodes"] = sought.node
    if sought.payee is not None:
        view.require_index("payouts.payees")
        where["payees"] = sought.payee
    return where


def _matching(row: Document, sought: Sought) -> Iterator[_Entry]:
    for number, columns in enumerate(zip(*(row[name] for name in COLUMNS), strict=True)):
        entry = _Entry(row["_id"], number, *columns)
        if (
            (sought.tier is None or entry.tier == sought.tier)
            and (sought.node is None or entry.node == sought.node)
            and (sought.payee is None or bytes(entry.payee) == sought.payee)
        ):
            yield entry
