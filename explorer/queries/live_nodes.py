"""All nodes on the daemon's lists at the tip, in one reading."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.db import View
from explorer.errors import Syncing
from explorer.languages.phrases import Phrase
from explorer.queries.addresses import is_following
from explorer.queries.nodes import stored_node
from indexer.chain.deadlines import dos_list, start_list
from indexer.chain.lists import NodeLists
from indexer.chain.nodes import Node, Status
from indexer.chain.params import Network
from indexer.chain.tiers import TIERS, Tier

Waiting = tuple[tuple[int, Node], ...]
"""Nodes with the blocks left until something happens to them, soonest first."""


@dataclass(frozen=True, slots=True)
class LiveNodes:
    """The confirmed nodes of each tier in payment order, and the two lists of waiting ones, after block ``height``.

    ``times`` are header times (Unix seconds) by height, of the heights at which confirmed nodes were started or paid.
    """

    network: Network
    height: int
    confirmed: Mapping[Tier, tuple[Node, ...]]
    started: Waiting
    dos: Waiting
    times: Mapping[int, int]


async def live_nodes(view: View) -> LiveNodes:
    """The node lists at the tip; Syncing while the index catches up."""
    if not is_following(view):
        raise Syncing(Phrase("the node lists are told when the index has caught up with the daemon: ask again later"))
    rows = await view.many("nodes", {"status": {"$in": [Status.STARTED, Status.CONFIRMED, Status.DOS]}})
    height, network = view.tip.height, view.network
    lists = await asyncio.to_thread(lambda: NodeLists(map(stored_node, rows), height))
    confirmed = {tier: tuple(lists.order(tier)) for tier in TIERS}
    heights = {h for nodes in confirmed.values() for node in nodes for h in (node.started, node.last_paid)}
    blocks = await view.many("blocks", {"_id": {"$in": sorted(heights)}}, fields=("time",))
    return LiveNodes(
        network,
        height,
        confirmed,
        tuple(start_list(network, lists.with_status(Status.STARTED), height)),
        tuple(dos_list(network, lists.with_status(Status.DOS), height)),
        {row["_id"]: row["time"] for row in blocks},
    )
