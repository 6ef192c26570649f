"""Watch lists: nodes to which something is about to happen, the most urgent first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.db import View
from explorer.queries.node_results import Node
from explorer.queries.nodes import node_result, stored_node
from explorer.queries.outlook import Outlook, outlook_at
from explorer.queries.past import ranks_at
from indexer.chain import deadlines, nodes, tiers
from indexer.chain.nodes import Status
from indexer.chain.params import Network
from indexer.store.codec import Document

SOON = 60
"""Blocks before its expiry from which a confirmed node is watched."""

MOST = 500
"""Nodes of a watch list that are shown; its total counts all."""


@dataclass(frozen=True, slots=True)
class WatchList:
    """The most urgent nodes of a list, and how many are on it."""

    total: int
    items: tuple[Node, ...]


async def expiring(view: View) -> WatchList:
    """Confirmed nodes that expire within ``SOON`` blocks unless they confirm, the first to go first."""
    horizon = view.tip.height + SOON
    # The windows of the next block are the shortest of those to come: no node is missed, the deadline decides.
    latest = horizon - 1 - tiers.windows(view.network, view.tip.height + 1).expiry
    rows, ranks, outlook = await _with_queues(view, {
        "status": int(Status.CONFIRMED), "last_confirmed": {"$lte": latest}
    })  # fmt: skip
    records = [record for row in rows if _deadline(view.network, record := stored_node(row)) <= horizon]
    return _watched(view.network, records, ranks, outlook)


async def on_list(view: View, status: Status) -> WatchList:
    """The nodes that wait for their first confirmation, or those on the DoS list; the first deadline first."""
    rows, ranks, outlook = await _with_queues(view, {"status": int(status)})
    return _watched(view.network, [stored_node(row) for row in rows], ranks, outlook)


async def _with_queues(view: View, where: Mapping[str, Any]) -> tuple[list[Document], Mapping[int, int], Outlook]:
    """Rows of nodes, and what their places in the queues follow from."""
    height = view.tip.height
    return await asyncio.gather(view.many("nodes", where), ranks_at(view, height), outlook_at(view, height))


def _deadline(network: Network, record: nodes.Node) -> int:
    """The height at which the list that a node is on lets it go."""
    return deadlines.expires_height(network, record) or deadlines.dos_until(network, record) or 0


def _watched(
    network: Network, records: Sequence[nodes.Node], ranks: Mapping[int, int], outlook: Outlook
) -> WatchList:
    first = sorted(records, key=lambda record: (_deadline(network, record), record.outpoint))[:MOST]
    items = tuple(node_result(network, record, ranks.get(record.id), outlook) for record in first)
    return WatchList(len(records), items)
