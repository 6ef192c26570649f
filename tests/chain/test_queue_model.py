"""The incremental queue against the naive one, over random histories with reorganisations."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chain import tiers
from indexer.chain.keys import outpoint
from indexer.chain.lists import Undo
from indexer.chain.networks import MAIN
from indexer.chain.nodes import Node, Status
from indexer.chain.queue import BlockEvents, NodeQueue
from indexer.chain.tiers import NEW_COLLATERAL, OLD_COLLATERAL, TIERS, Tier
from tests.chain.naive_queue import NaiveBlock, NaiveQueue, Rules

FLUX, HALVING, PON, PAYMENTS = 40, 60, 110, 10
TRANSITIONS = {Tier.CUMULUS: (60, 75), Tier.NIMBUS: (65, 80), Tier.STRATUS: (70, 85)}

NETWORK = replace(
    MAIN,
    upgrades=replace(MAIN.upgrades, flux=FLUX, halving=HALVING, pon=PON),
    nodes=replace(
        MAIN.nodes,
        payments_from=PAYMENTS,
        cumulus_transition=TRANSITIONS[Tier.CUMULUS],
        nimbus_transition=TRANSITIONS[Tier.NIMBUS],
        stratus_transition=TRANSITIONS[Tier.STRATUS],
    ),
)

RULES = Rules(
    start_wait=[(0, 4), (PON, 9)],
    dos_release=[(0, 9), (PON, 20)],
    expiry=[(0, 6), (FLUX, 8), (HALVING, 11), (PON, 17)],
    payments_from=PAYMENTS,
    amounts={
        tier: [(OLD_COLLATERAL[tier], 0, TRANSITIONS[tier][1]), (NEW_COLLATERAL[tier], TRANSITIONS[tier][0], None)]
        for tier in TIERS
    },
    sweep=(HALVING, TRANSITIONS[Tier.STRATUS][1] + 10),
)

POINTS = [outpoint(bytes([n * 37 % 256]) * 32, n % 3) for n in range(24)]
VALUES = {point: (OLD_COLLATERAL if n % 2 else NEW_COLLATERAL)[TIERS[n % 3]] for n, point in enumerate(POINTS)}


@pytest.fixture(autouse=True, scope="module")
def short_waits() -> Iterator[None]:
    """Waiting times small enough that two dozen nodes meet every border within 150 blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiers, "START_WAIT", ((tiers.BEGINNING, 4), (tiers.PON_BLOCKS, 9)))
        patch.setattr(tiers, "DOS_RELEASE", ((tiers.BEGINNING, 9), ("pon", 20)))
        patch.setattr(tiers, "EXPIRY", ((tiers.BEGINNING, 6), ("flux", 8), ("halving", 11), ("pon", 17)))
        yield


def random_block(naive: NaiveQueue, dice: random.Random) -> NaiveBlock:
    """Events that the daemon would accept in the next block, each of them at random."""
    height = naive.height + 1
    block = NaiveBlock([], [], [], {p for p in POINTS if dice.random() < 0.01})
    for point in dice.sample(POINTS, len(POINTS)):
        tier = tiers.tier_of_collateral(NETWORK, VALUES[point], height)
        record, ip = naive.nodes.get(point), bytes([dice.randrange(3)])
        if tier is None:
            continue
        if record is None and dice.random() < 0.2:
            block.starts.append((point, tier, VALUES[point]))
        elif record is not None and record.where == "started" and dice.random() < 0.3:
            block.initial.append((point, ip))
        elif record is not None and record.where == "confirmed" and dice.random() < 0.12:
            block.updates.append((point, ip))
    return block


class Fed:
    """The queue under test, fed with the naive model's blocks in batches of one or several."""

    def __init__(self) -> None:
        self.queue = NodeQueue(NETWORK)
        self.undos: list[Undo] = []

    def apply(self, block: NaiveBlock, dice: random.Random, batched: bool) -> None:
        height = self.queue.height + 1
        confirms = [(p, 0, ip) for p, ip in block.initial] + [(p, 1, ip) for p, ip in block.updates]
        dice.shuffle(confirms)
        starts: list[tuple[Node, Node | None]] = []
        for point, tier, value in block.starts:
            starts.append((Node(point, 0, Status.STARTED, Tier(tier), value, b"", 1, b"", height), None))
        if not batched or not self.undos:
            self.undos.append(Undo(self.queue.height))
        self.queue.apply(BlockEvents(height, starts, confirms, block.spent), self.undos[-1])

    def disconnect(self) -> None:
        """Take the last batch back."""
        self.queue.undo(self.undos.pop())

    def restart(self) -> None:
        """Begin again from the records, as after an end of the process."""
        self.queue = NodeQueue(NETWORK, [node.copy() for node in self.queue], self.queue.height)


def assert_equal(queue: NodeQueue, naive: NaiveQueue) -> None:
    assert queue.height == naive.height
    assert {
        n.outpoint: (
            Status(n.status).label,
            n.tier,
            n.value,
            n.started,
            n.confirmed,
            n.last_confirmed,
            n.last_paid,
            n.ip,
        )
        for n in queue
    } == {
        p: (r.where, r.tier, r.value, r.added, r.confirmed, r.last_confirmed, r.last_paid, r.ip)
        for p, r in naive.nodes.items()
    }
    for tier in TIERS:
        assert [node.outpoint for node in queue.order(tier)] == naive.order(tier)
    due = {tier: naive.payee(tier) for tier in TIERS} if naive.height + 1 >= PAYMENTS else {}
    assert {tier: node.outpoint for tier, node in queue.payees(naive.height + 1)} == {
        tier: point for tier, point in due.items() if point is not None
    }


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_random_histories(seed: int) -> None:
    dice, fed = random.Random(seed), Fed()
    states = [NaiveQueue(RULES)]
    while len(states) < 150:
        if dice.random() < 0.03:
            for _ in range(min(dice.randrange(1, 12), len(fed.undos))):
                fed.disconnect()
                del states[fed.queue.height + 1 :]
            assert_equal(fed.queue, states[-1])
        if dice.random() < 0.02:
            fed.restart()
        block = random_block(states[-1], dice)
        states.append(states[-1].after(block))
        fed.apply(block, dice, batched=dice.random() < 0.4)
        assert_equal(fed.queue, states[-1])


def test_the_histories_are_eventful() -> None:
    """A fixed history has payments, expiries, DoS entries, spent coins, new lives to disagree about."""
    dice, naive = random.Random(1), NaiveQueue(RULES)
    paid = dos = gone = spent = 0
    lives: Counter[bytes] = Counter()
    for _ in range(150):
        block = random_block(naive, dice)
        after = naive.after(block)
        lives.update(point for point, _, _ in block.starts)
        spent += sum(r.where == "confirmed" and p in block.spent for p, r in naive.nodes.items())
        paid += sum(r.last_paid == after.height for r in after.nodes.values())
        waiting = {point for point, record in naive.nodes.items() if record.where == "started"}
        dos += sum(after.nodes[point].where == "dos" for point in waiting)
        gone += len(naive.nodes.keys() - after.nodes.keys())
        naive = after
    assert paid > 300 and dos > 10 and gone > 50 and spent > 3 and max(lives.values()) > 3
