"""Who produced the Proof of Node blocks, by the address that the nodes pay."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.chances import Chances, chances_at
from explorer.queries.node_results import Operator
from explorer.queries.pinned import mark_of, require_mark, require_pinned
from explorer.queries.producers import Table, table_at
from explorer.queries.results import Page
from indexer.chain.address import encode_address
from indexer.chain.pon import producer_kind

LIST = Cursor("producers by address", 3)


class Owned(NamedTuple):
    """A node as its first START tells: collateral and address key. Later STARTs pay the same address."""

    outpoint: bytes
    payee: bytes


class Standing(NamedTuple):
    """An address among the producers, as ``Operator`` shows it."""

    payee: bytes
    nodes: int
    confirmed: int
    blocks: int
    expected: float
    first: int | None
    last: int | None


async def operators(view: View, *, cursor: str | None = None, limit: int) -> Page[Operator]:
    """The addresses whose nodes could produce, those with the most blocks first; a cursor stays with its block."""
    height, mark, rank = (view.tip.height, None, 0) if cursor is None else LIST.decode(cursor)
    require_pinned(view, height)
    ranked, _ = await asyncio.gather(standings_at(view, height), require_mark(view, height, mark))
    page = ranked[rank : rank + limit]
    items = tuple(
        Operator(encode_address(one.payee, view.network), one.nodes, one.confirmed, one.blocks, one.expected,
                 one.first, one.last)
        for one in page
    )  # fmt: skip
    end = rank + len(page)
    return Page(items, LIST.encode(height, await mark_of(view, height), end) if end < len(ranked) else None)


async def standings_at(view: View, height: int) -> list[Standing]:
    """All addresses whose nodes were confirmed, or produced, in Proof of Node blocks up to ``height``; in order."""

    async def made() -> list[Standing]:
        table, chances = await asyncio.gather(table_at(view, height), chances_at(view, height))
        return standings(table, chances, await _owned(view, table, chances, height))

    return await view.once("operators", height, made)


def standings(table: Table, chances: Chances, owned: Mapping[int, Owned]) -> list[Standing]:
    """What the nodes of each address produced and could have; the most blocks, then the highest chance, first."""
    fleets: defaultdict[bytes, list[int]] = defaultdict(list)
    for id, node in owned.items():
        fleets[node.payee].append(id)
    found = (_standing(payee, ids, table, chances, owned) for payee, ids in fleets.items())
    return sorted(found, key=lambda one: (-one.blocks, -one.expected, one.payee))


def _standing(
    payee: bytes, ids: Iterable[int], table: Table, chances: Chances, owned: Mapping[int, Owned]
) -> Standing:
    counts: Counter[str] = Counter()
    expected, heights = 0.0, []
    for id in ids:
        produced = table.get(owned[id].outpoint)
        counts.update(nodes=1, confirmed=int(id in chances.since), blocks=produced.blocks if produced else 0)
        expected += chances.of(id)
        heights += [produced.first, produced.last] if produced else []
    return Standing(
        payee,
        counts["nodes"],
        counts["confirmed"],
        counts["blocks"],
        round(expected, 2),
        min(heights, default=None),
        max(heights, default=None),
    )


async def _owned(view: View, table: Table, chances: Chances, height: int) -> dict[int, Owned]:
    """Every node that had a chance or produced, by id; kept in memory, and carried on by those that are new."""
    kept: dict[int, Owned] = view.kept("owned", height) or {}
    missing = (chances.since.keys() | chances.earlier.keys()) - kept.keys()
    found = kept | await _first_starts(view, missing)
    # A producer that was never confirmed is known by its block alone.
    points = {node.outpoint for node in found.values()}
    strays = [made.first for point, made in table.items() if producer_kind(point) == "node" and point not in points]
    if strays:
        rows = await view.many("blocks", {"_id": {"$in": strays}}, fields=("producer_node",))
        found |= await _first_starts(view, {row["producer_node"] for row in rows if "producer_node" in row})
    view.keep("owned", height, found)
    return found


async def _first_starts(view: View, ids: Collection[int]) -> dict[int, Owned]:
    where = {"_id": {"$in": sorted(ids)}}
    rows = await view.many("node_starts", where, fields=("outpoint", "payee")) if ids else []
    return {row["_id"]: Owned(bytes(row["outpoint"]), bytes(row["payee"])) for row in rows}
