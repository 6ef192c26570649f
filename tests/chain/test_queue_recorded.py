"""The node queue against the recorded chain: every list after every block, lost branches too."""

from __future__ import annotations

from collections import Counter

import pytest

from indexer.chain import deadlines, tiers
from indexer.chain.keys import outpoint_text, parse_outpoint
from indexer.chain.lists import Undo
from indexer.chain.nodes import Node, Status
from indexer.chain.payouts import tier_payouts
from indexer.chain.queue import BlockEvents, Event, NodeQueue
from indexer.chain.tiers import TIERS
from tests import recorded
from tests.chain.recorded_nodes import NETWORK, Follower, chain, follow, lists_of

Fingerprint = tuple[list[Node], list[list[bytes]]]


def fingerprint(queue: NodeQueue) -> Fingerprint:
    """Every record in full, and the order of every tier."""
    records = sorted((node.copy() for node in queue), key=lambda node: node.outpoint)
    return records, [[node.outpoint for node in queue.order(tier)] for tier in TIERS]


def test_lists_after_every_block() -> None:
    seen = 0
    for block, follower, _ in follow(NodeQueue(NETWORK)):
        assert lists_of(follower.queue) == block.lists, f"block {block.height} {block.hash}"
        seen += 1
    assert seen == recorded.TIP + 22, "2,400 blocks and 22 that lost"


def test_the_lists_have_something_to_say() -> None:
    active, branches = chain()
    assert [len(branch.blocks) for branch in branches] == [2, 6, 4, 5, 5]
    assert max(sum(map(len, block.lists.confirmed)) for block in active) == 77
    assert any(block.lists.started for block in active) and any(block.lists.dos for block in active)


def _count(queue: NodeQueue) -> dict[str, int]:
    by_name = {f"{tier.label}-enabled": queue.count(tier) for tier in TIERS}
    old_names = {
        f"{old}-enabled": queue.count(tier) for old, tier in zip(("basic", "super", "bamf"), TIERS, strict=True)
    }
    total = sum(by_name.values())
    return by_name | old_names | {"total": total, "stable": total}


def _migration(queue: NodeQueue) -> list[dict[str, int]]:
    answer = []
    for word, amounts in (("old", tiers.OLD_COLLATERAL), ("new", tiers.NEW_COLLATERAL)):
        counts = {
            f"{tier.label}-enabled-{word}": sum(node.value == amounts[tier] for node in queue.order(tier))
            for tier in TIERS
        }
        answer.append({f"total-{word}": sum(counts.values())} | counts)
    return answer


def test_counts_after_every_block() -> None:
    for block, follower, _ in follow(NodeQueue(NETWORK)):
        state = recorded.states()[block.hash]
        by_address_kind = {"ipv4", "ipv6", "onion"}  # of the ip texts, not of the lists
        assert _count(follower.queue) == {k: v for k, v in state["count"].items() if k not in by_address_kind}
        assert _migration(follower.queue) == state["migration"]


def test_every_coinbase_pays_whom_the_queue_predicts() -> None:
    mismatches, checked = [], 0
    for block, _, changes in follow(NodeQueue(NETWORK)):
        amounts = tier_payouts(NETWORK, block.height)
        assert block.height >= NETWORK.nodes.payments_from or not changes.paid
        for tier, node in changes.paid:
            checked += 1
            if (node.payee, amounts[tier - 1]) not in block.paid:
                mismatches.append((block.height, tier, outpoint_text(node.outpoint)))
    assert not mismatches
    assert checked > 5000


def test_prediction_is_that_of_the_state_before_the_block() -> None:
    for block, follower, _ in follow(NodeQueue(NETWORK)):
        predicted = follower.queue.payees(block.height + 1)
        enforced = block.height + 1 >= NETWORK.nodes.payments_from
        assert [(tier, node.outpoint) for tier, node in predicted] == (block.lists.winners if enforced else [])


def test_payments_are_counted_on_the_node() -> None:
    follower = Follower(NodeQueue(NETWORK))
    paid: Counter[bytes] = Counter()
    total = 0
    for block in chain()[0][1:]:
        amounts = tier_payouts(NETWORK, block.height)
        for tier, node in follower.apply(block, amounts).paid:
            paid[node.outpoint] += 1
            total += amounts[tier - 1]
    records = {node.outpoint: node for node in (*follower.last.values(), *follower.queue)}
    assert {point: node.paid_count for point, node in records.items() if node.paid_count} == paid
    assert sum(node.paid_total for node in records.values()) == total
    assert sum(node.lives for node in records.values()) == sum(len(block.starts) for block in chain()[0])


def test_undone_to_the_beginning_and_applied_again() -> None:
    follower = Follower(NodeQueue(NETWORK))
    blocks = chain()[0][1:]
    states = [fingerprint(follower.queue)]
    for block in blocks:
        follower.apply(block)
        states.append(fingerprint(follower.queue))
    for height in range(recorded.TIP, 0, -1):
        assert fingerprint(follower.queue) == states[height]
        follower.disconnect()
    assert fingerprint(follower.queue) == states[0] == ([], [[], [], []])
    for block in blocks:
        follower.apply(block)
        assert fingerprint(follower.queue) == states[block.height]


@pytest.mark.parametrize(("begin", "end"), [(340, 470), (590, 1110), (1790, 2400), (1, 2400)])
def test_one_undo_for_a_batch_takes_all_of_it_back(begin: int, end: int) -> None:
    follower, blocks = Follower(NodeQueue(NETWORK)), chain()[0]
    for block in blocks[1:begin]:
        follower.apply(block)
    before = fingerprint(follower.queue)
    live = {node.outpoint for node in follower.queue}
    batch = Undo(follower.queue.height)
    for block in blocks[begin:end]:
        starts = follower.starts(block)
        follower.queue.apply(BlockEvents(block.height, starts, block.confirms, block.spent), batch)
        follower.last.update(batch.left)
    after = {node.outpoint for node in follower.queue}
    assert live - after <= batch.left.keys() and not batch.left.keys() & after
    assert after - live <= batch.before.keys()
    follower.queue.undo(batch)
    assert fingerprint(follower.queue) == before


def test_loaded_from_its_records_it_goes_on_alike() -> None:
    follower, blocks = Follower(NodeQueue(NETWORK)), chain()[0]
    for block in blocks[1:]:
        if block.height % 7 == 0:
            follower.queue = NodeQueue(NETWORK, [node.copy() for node in follower.queue], follower.queue.height)
        follower.apply(block)
        assert lists_of(follower.queue) == block.lists


def test_stored_delegates() -> None:
    asked = [call for call in recorded.rpc_calls() if call["method"] == "listfluxnodedelegates"]
    answers = {(c["height"], ":".join(c["params"])): c["response"]["result"]["delegate_keys"] for c in asked}
    assert answers
    for block, follower, _ in follow(NodeQueue(NETWORK), branches=False):
        for (height, text), keys in answers.items():
            if height == block.height:
                node = follower.queue.get(parse_outpoint(text) or b"")
                assert node is not None and [key.hex() for key in node.delegates] == keys


def test_deadlines_come_true() -> None:
    """What a record said when it last changed is the height at which it then happened."""
    kinds: Counter[Event] = Counter()
    images: dict[bytes, Node] = {}
    for block, _, changes in follow(NodeQueue(NETWORK), branches=False):
        for event, node, _ in changes.events:
            if event in (Event.EXPIRED, Event.DOS, Event.RELEASED):
                kinds[event] += 1
                say = deadlines.dos_until if event == Event.RELEASED else deadlines.expires_height
                assert say(NETWORK, images[node.outpoint]) == block.height
            images[node.outpoint] = node.copy()
    assert min(kinds[event] for event in (Event.EXPIRED, Event.DOS, Event.RELEASED)) > 5


def test_updates_and_restarts_come_no_earlier_than_said() -> None:
    updates: Counter[int] = Counter()
    restarts: Counter[int] = Counter()
    images: dict[bytes, Node] = {}
    for block, _, changes in follow(NodeQueue(NETWORK), branches=False):
        moved = {node.outpoint for event, node, _ in changes.events if event == Event.IP_CHANGE}
        for event, node, _ in changes.events:
            before = images.get(node.outpoint)
            if event == Event.UPDATE and before and node.outpoint not in moved:
                updates[block.height - (deadlines.next_update_height(NETWORK, before) or 0)] += 1
            if event == Event.START and before:
                earliest = deadlines.restart_from(NETWORK, before)
                assert earliest is not None, before
                restarts[block.height - earliest] += 1
        for _, node, _ in changes.events:
            images[node.outpoint] = node.copy()
    assert min(updates) >= 0 and sum(updates.values()) > 400
    assert min(restarts) == 0, "some at the very first height, none before it"


def test_rank_bounds_the_height_of_the_next_payment() -> None:
    promised: dict[bytes, int] = {}
    for block, follower, changes in follow(NodeQueue(NETWORK), branches=False):
        for event, node, _ in changes.events:
            if event == Event.PAYOUT:
                assert block.height <= promised.pop(node.outpoint)
        for tier in TIERS:
            for rank, node in enumerate(follower.queue.order(tier)):
                height = deadlines.pays_by_height(block.height, NETWORK.nodes.payments_from, rank)
                promised[node.outpoint] = min(height, promised.get(node.outpoint, height))
        for _, node, _ in changes.events:
            if node.status > Status.DOS:
                promised.pop(node.outpoint, None)
