"""What an address runs: the nodes that pay it, what they lock up, when the next of them is paid."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from explorer.db import View
from explorer.queries.node_results import Node, QueuePlace
from explorer.queries.nodes import node_result, stored_node
from explorer.queries.outlook import outlook_at
from explorer.queries.past import lists_at, ranks_at
from explorer.queries.queues import places
from explorer.queries.results import TierCounts
from explorer.queries.text import address_key, tier_name
from explorer.queries.units import Tier as TierName
from explorer.queries.units import Zatoshi
from indexer.chain.keys import outpoint, outpoint_index
from indexer.chain.nodes import Status
from indexer.chain.tiers import TIERS, Tier

PLACES = 50
"""Places of an address in a queue that are shown."""

LAST_OUTPUT = (1 << 32) - 1

LISTED = [int(status) for status in (Status.STARTED, Status.CONFIRMED, Status.DOS)]


@dataclass(frozen=True, slots=True)
class Fleet:
    """The nodes on the lists that pay an address; ``next`` is the one that is expected to be paid first."""

    confirmed: TierCounts
    started: int
    dos: int
    collateral: Zatoshi
    next: Node | None


@dataclass(frozen=True, slots=True)
class Places:
    """The first places of an address in a queue, and how many it has."""

    total: int
    items: tuple[QueuePlace, ...]


async def fleet(view: View, key: bytes) -> Fleet | None:
    """What an address runs at the tip; None when no node on the lists pays it."""
    rows = await view.many("nodes", {"payee": key, "status": {"$in": LISTED}})
    if not rows:
        return None
    records = [stored_node(row) for row in rows]
    height = view.tip.height
    ranks, outlook = await asyncio.gather(ranks_at(view, height), outlook_at(view, height))
    nodes = [node_result(view.network, record, ranks.get(record.id), outlook) for record in records]
    queued = [node for node in nodes if node.expected_height is not None]
    tiers = Counter(record.tier for record in records if record.status is Status.CONFIRMED)
    statuses = Counter(record.status for record in records)
    return Fleet(
        confirmed=TierCounts(*(tiers[tier] for tier in TIERS)),
        started=statuses[Status.STARTED],
        dos=statuses[Status.DOS],
        collateral=sum(record.value for record in records),
        next=min(queued, key=lambda node: (node.expected_height or 0, node.node), default=None),
    )


async def collaterals(view: View, txid: bytes) -> dict[int, TierName]:
    """The outputs of a transaction that are or were the collateral of a node, with its tier."""
    where = {"outpoint": {"$gte": outpoint(txid, 0), "$lte": outpoint(txid, LAST_OUTPUT)}}
    rows = await view.many("nodes", where, fields=("outpoint", "tier"))
    return {outpoint_index(bytes(row["outpoint"])): tier_name(row["tier"]) for row in rows}


async def places_of(view: View, tier: Tier, address: str, *, at: int | None = None) -> Places:
    """The places of an address in the queue of a tier after block ``at``, the tip by default."""
    key = address_key(address, view.network)
    height = view.tip.height if at is None else view.require_height(at)
    # All lives of a node pay the same address: the one that its collateral belongs to.
    rows, lists, ranks, outlook = await asyncio.gather(
        view.many("nodes", {"payee": key}, fields=("_id",)),
        lists_at(view, height),
        ranks_at(view, height),
        outlook_at(view, height),
    )
    mine = {row["_id"] for row in rows} & lists.order(tier).keys()
    held = sorted(mine, key=ranks.__getitem__)
    items = await places(view, tier, lists, outlook, {node: ranks[node] for node in held[:PLACES]})
    return Places(len(held), items)
