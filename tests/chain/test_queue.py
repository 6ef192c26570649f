"""The node queue by hand: what a block may not do, what is reported, what undo restores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.chain.keys import outpoint, outpoint_text
from indexer.chain.lists import Undo
from indexer.chain.networks import MAIN, REGTEST
from indexer.chain.nodes import Node, Status
from indexer.chain.params import COIN, Network
from indexer.chain.queue import BlockEvents, Event, NodeQueue
from indexer.chain.tiers import Tier
from indexer.errors import ChainError

H = 600_000
IP = b"1.2.3.4"


def point(n: int) -> bytes:
    return outpoint(bytes([n]) * 32, n)


def node(n: int, status: Status, started: int, **fields: int) -> Node:
    made = Node(point(n), n, status, Tier.CUMULUS, 10_000 * COIN, bytes([1]) + bytes(20), 1, b"", started)
    return replace(made, **fields)  # type: ignore[arg-type]


def confirmed(n: int, at: int, last_paid: int = 0) -> Node:
    return node(n, Status.CONFIRMED, at - 1, confirmed=at, last_confirmed=at, last_paid=last_paid)


def queue_of(*nodes: Node, network: Network = MAIN, height: int = H - 1) -> NodeQueue:
    return NodeQueue(network, nodes, height)


def kinds(queue: NodeQueue, block: BlockEvents) -> list[tuple[Event, int]]:
    return [(event, node.outpoint[-1]) for event, node, _ in queue.apply(block).events]


@pytest.mark.parametrize(
    ("nodes", "update", "state"),
    [
        ((), 0, "on no list"),
        ((), 1, "on no list"),
        ((confirmed(1, H - 9),), 0, f"confirmed, started at {H - 10}"),
        ((node(1, Status.STARTED, H - 9),), 1, f"started, started at {H - 9}"),
        ((node(1, Status.DOS, H - 99),), 0, "dos, started"),
        ((node(1, Status.DOS, H - 99),), 1, "dos, started"),
        ((confirmed(1, H - 50),), 2, "confirmed, started"),
    ],
)
def test_a_confirmation_of_the_wrong_kind(nodes: tuple[Node, ...], update: int, state: str) -> None:
    with pytest.raises(ChainError, match=f"block {H} has .* {outpoint_text(point(1))}, which is {state}.*rewind"):
        queue_of(*nodes).apply(BlockEvents(H, confirms=[(point(1), update, IP)]))


@pytest.mark.parametrize("second", [0, 1])
def test_two_transactions_of_one_node_in_a_block(second: int) -> None:
    queue = queue_of(node(1, Status.STARTED, H - 9))
    with pytest.raises(ChainError):
        queue.apply(BlockEvents(H, confirms=[(point(1), 0, IP), (point(1), second, IP)]))
    started = node(2, Status.STARTED, H)
    with pytest.raises(ChainError):
        queue_of().apply(BlockEvents(H, [(started, None)], [(point(2), 0, IP)]))
    with pytest.raises(ChainError):
        queue_of().apply(BlockEvents(H, [(started, None), (started.copy(), None)]))


@pytest.mark.parametrize("status", [Status.STARTED, Status.CONFIRMED, Status.DOS])
def test_a_start_of_a_live_node(status: Status) -> None:
    queue = queue_of(node(1, status, H - 5, confirmed=H - 4, last_confirmed=H - 4))
    with pytest.raises(ChainError, match="a START of node"):
        queue.apply(BlockEvents(H, [(node(1, Status.STARTED, H), None)]))


@pytest.mark.parametrize("height", [H - 1, H + 1])
def test_blocks_come_in_order(height: int) -> None:
    with pytest.raises(ChainError, match=f"block {height} does not follow height {H - 1}"):
        queue_of().apply(BlockEvents(height))


def test_a_refused_block_is_taken_back_by_its_undo() -> None:
    nodes = [confirmed(1, H - 50), node(2, Status.STARTED, H - 9)]
    queue, undo = queue_of(*(n.copy() for n in nodes)), Undo(H - 1)
    block = BlockEvents(
        H, [(node(3, Status.STARTED, H), None)], [(point(1), 1, b"new"), (point(2), 0, IP), (point(4), 1, IP)]
    )
    with pytest.raises(ChainError):
        queue.apply(block, undo)
    queue.undo(undo)
    assert list(queue) == nodes and queue.height == H - 1
    assert list(queue.order(Tier.CUMULUS)) == nodes[:1]


def test_what_a_block_reports() -> None:
    queue = queue_of(
        confirmed(1, H - 61),  # expires
        confirmed(2, H - 50, last_paid=H - 70),  # is paid, and updates with another ip
        confirmed(3, H - 10),  # spent
        node(4, Status.STARTED, H - 60),  # becomes DoS
        node(5, Status.DOS, H - 180),  # released
        node(6, Status.STARTED, H - 20),  # confirms
    )
    block = BlockEvents(
        H,
        starts=[(node(7, Status.STARTED, H), None)],
        confirms=[(point(2), 1, IP), (point(6), 0, IP)],
        spent=[point(9), point(3), point(4)],
        amounts=(5, 6, 7),
    )
    changes = queue.apply(block)
    assert [(event.value, node.outpoint[-1], detail) for event, node, detail in changes.events] == [
        ("start", 7, None),
        ("update", 2, None),
        ("ip_change", 2, b""),
        ("confirm", 6, None),
        ("dos", 4, None),
        ("released", 5, None),
        ("spent", 3, None),
        ("expired", 1, None),
        ("payout", 2, 5),
    ]
    assert [(tier, node.outpoint[-1]) for tier, node in changes.paid] == [(Tier.CUMULUS, 2)]
    assert [n.outpoint[-1] for n in queue.order(Tier.CUMULUS)] == [6, 2]
    assert {n.outpoint[-1]: n.status for n in queue} == {
        2: Status.CONFIRMED, 4: Status.DOS, 6: Status.CONFIRMED, 7: Status.STARTED
    }  # fmt: skip
    assert queue.count(Tier.CUMULUS) == 2 and queue.count(Tier.STRATUS) == 0 and len(queue) == 4


@pytest.mark.parametrize(
    ("block", "ending"),
    [
        (BlockEvents(H, spent=[point(1)], amounts=(5, 0, 0)), Status.SPENT),
        (BlockEvents(H, amounts=(5, 0, 0)), Status.EXPIRED),
    ],
)
def test_paid_in_the_block_that_takes_it_off_the_list(block: BlockEvents, ending: Status) -> None:
    queue, undo = queue_of(confirmed(1, H - 61), confirmed(2, H - 9)), Undo(H - 1)
    queue.apply(block, undo)
    gone = undo.left[point(1)]
    assert (gone.status, gone.ended, gone.last_paid, gone.paid_count, gone.paid_total) == (ending, H, H, 1, 5)
    assert queue.get(point(1)) is None and queue.head(Tier.CUMULUS) == confirmed(2, H - 9)


def test_a_restart_within_a_batch_has_left_nothing() -> None:
    queue, batch = queue_of(confirmed(1, H - 61)), Undo(H - 1)
    queue.apply(BlockEvents(H), batch)
    gone = batch.left[point(1)]
    queue.apply(BlockEvents(H + 1, [(node(1, Status.STARTED, H + 1), gone)]), batch)
    assert not batch.left and batch.before[point(1)] == confirmed(1, H - 61)
    queue.undo(batch)
    assert list(queue) == [confirmed(1, H - 61)]


def test_undone_start_of_a_node_that_lived_before() -> None:
    last = replace(confirmed(1, H - 99), status=Status.EXPIRED, ended=H - 38)
    queue, undo = queue_of(), Undo(H - 1)
    queue.apply(BlockEvents(H, [(node(1, Status.STARTED, H), last)]), undo)
    assert undo.before == {point(1): last}
    queue.undo(undo)
    assert not len(queue)


def test_spent_before_expired() -> None:
    """A block that spends the collateral of a node that it also lets expire: the coin is the reason."""
    assert kinds(queue_of(confirmed(1, H - 61), network=MAIN), BlockEvents(H, spent=[point(1)]))[0] == (Event.SPENT, 1)


def test_payments_begin_with_the_state_before() -> None:
    queue = queue_of(confirmed(1, 559_990), height=559_998)
    assert queue.payees(559_999) == []
    assert [node.outpoint for _, node in queue.payees(560_000)] == [point(1)]


def test_dos_entries_of_a_network_without_the_pon_upgrade() -> None:
    """There an entry becomes DoS after its release height, which is met exactly or never."""
    queue = queue_of(node(1, Status.STARTED, 10), network=REGTEST, height=249)
    for height in (250, 251, 252, 300):
        queue.height = height - 1
        queue.apply(BlockEvents(height))
    assert [n.status for n in queue] == [Status.DOS]
