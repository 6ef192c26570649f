"""The node lists of the past, replayed, are those that the queue had at the time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import pytest

from indexer.chain.nodes import Status, order_key
from indexer.chain.queue import Changes, Event, NodeQueue
from indexer.chain.replay import LISTS, Change, PastLists, no_lists, past_lists, replay
from indexer.chain.tiers import TIERS, Tier
from indexer.errors import ChainError
from tests.chain.recorded_nodes import NETWORK, follow


def changes_of(height: int, changes: Changes) -> Iterator[Change]:
    """What a block did, in the order that a replay asks for."""
    joined = sorted((node for event, node, _ in changes.events if event is Event.CONFIRM), key=order_key)
    others = [(event, node) for event, node, _ in changes.events if event not in (Event.CONFIRM, Event.UPDATE)]
    yield from (Change(height, event, node.id, node.tier) for event, node in others if event is Event.START)
    yield from (Change(height, Event.CONFIRM, node.id, node.tier) for node in joined)
    yield from (Change(height, event, node.id, node.tier) for event, node in others if event is not Event.START)


@cache
def history() -> list[tuple[PastLists, list[Change]]]:
    """By height above 0: the lists after the block, and what it changed."""
    return [
        (past_lists(follower.queue), list(changes_of(block.height, changes)))
        for block, follower, changes in follow(NodeQueue(NETWORK), branches=False)
    ]


def in_order(lists: PastLists) -> list[tuple[Status, Tier, list[tuple[int, tuple[int, int]]]]]:
    """The lists with the order that matters: that of payment."""
    return [
        (status, tier, list(m.items()) if status is Status.CONFIRMED else sorted(m.items()))
        for (status, tier), m in ((name, lists.members[name]) for name in LISTS)
    ]


def test_block_by_block_from_nothing() -> None:
    lists = no_lists(0)
    for height, (expected, changes) in enumerate(history(), start=1):
        lists = replay(lists, changes, height)
        assert lists.height == height
        assert in_order(lists) == in_order(expected), height


@pytest.mark.parametrize("step", [7, 64, 500])
def test_from_one_snapshot_to_the_next(step: int) -> None:
    for begin, end in pairwise(range(1, len(history()) + 1, step)):
        changes = [change for _, block in history()[begin:end] for change in block]
        kept = in_order(history()[begin - 1][0])
        found = replay(history()[begin - 1][0], changes, end)
        assert in_order(found) == in_order(history()[end - 1][0]), (begin, end)
        assert in_order(history()[begin - 1][0]) == kept  # what was begun with stays as it is


def test_the_recording_has_every_kind_of_change() -> None:
    seen = {change.event for _, changes in history() for change in changes}
    assert seen == set(Event) - {Event.UPDATE}


@pytest.mark.parametrize("event", [Event.CONFIRM, Event.DOS, Event.RELEASED, Event.EXPIRED, Event.SPENT, Event.REMOVED])
def test_a_change_of_a_node_that_is_not_there_is_refused(event: Event) -> None:
    with pytest.raises(ChainError, match=f"block 9 has {event.value} of a node first started in block 7"):
        replay(no_lists(8), [Change(9, event, 7 << 16 | 1, Tier.NIMBUS)], 9)


def test_a_payee_that_left_the_list_is_paid_and_gone() -> None:
    lists = replay(no_lists(8), [Change(9, Event.PAYOUT, 7 << 16 | 1, Tier.NIMBUS)], 9)
    assert not any(lists.count(Status.CONFIRMED, tier) for tier in TIERS)
