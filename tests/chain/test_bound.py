"""A node that stays confirmed is paid no later than ``pays_by_height`` said at any time of its wait."""

from __future__ import annotations

import pytest

from indexer.chain.deadlines import pays_by_height
from indexer.chain.queue import Event, NodeQueue
from indexer.chain.tiers import TIERS
from tests.chain.bounds import Bounds
from tests.chain.recorded_nodes import NETWORK, follow

LEAVING = (Event.EXPIRED, Event.SPENT, Event.REMOVED)


@pytest.mark.parametrize("branches", [False, True])
def test_the_bound_holds_for_every_node_at_every_height(branches: bool) -> None:
    bounds = Bounds(NETWORK.nodes.payments_from)
    for _, follower, changes in follow(NodeQueue(NETWORK), branches):
        bounds.connect(follower.queue, [node.outpoint for _, node in changes.paid])
    assert (bounds.kept > 5900, bounds.told > 50_000) == (True, True)


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
