"""A node that stays confirmed is paid no later than ``pays_by_height`` said at any time of its wait."""

from __future__ import annotations

from indexer.chain.deadlines import pays_by_height
from indexer.chain.queue import Event, NodeQueue
from indexer.chain.tiers import TIERS
from tests.chain.recorded_nodes import NETWORK, follow

LEAVING = (Event.EXPIRED, Event.SPENT, Event.REMOVED)


def test_the_bound_holds_for_every_node_at_every_height() -> None:
    earliest: dict[bytes, int] = {}  # of all bounds told since the node joined or was paid
    kept = told = 0
    for block, follower, changes in follow(NodeQueue(NETWORK), branches=False):
        for _, node in changes.paid:
            assert block.height <= earliest.pop(node.outpoint), (block.height, node)
            kept += 1
        for event, node, _ in changes.events:
            if event in LEAVING:
                earliest.pop(node.outpoint, None)
        for tier in TIERS:
            for rank, node in enumerate(follower.queue.order(tier)):
                bound = pays_by_height(block.height, NETWORK.nodes.payments_from, rank)
                earliest[node.outpoint] = min(bound, earliest.get(node.outpoint, bound))
                assert block.height < earliest[node.outpoint], (block.height, node)
                told += 1
    assert (kept > 5900, told > 50_000) == (True, True)


def test_without_drop_outs_the_bound_is_the_height() -> None:
    due: dict[bytes, int] = {}
    exact = 0
    for block, follower, changes in follow(NodeQueue(NETWORK), branches=False):
        for event, node, _ in changes.events:
            if event in LEAVING:
                due.clear()
            elif event is Event.PAYOUT and node.outpoint in due:
                assert due.pop(node.outpoint) == block.height
                exact += 1
        for tier in TIERS:
            for rank, node in enumerate(follower.queue.order(tier)):
                due[node.outpoint] = pays_by_height(block.height, NETWORK.nodes.payments_from, rank)
    assert exact > 3000
