"""Changed rules of payment: order of the queue, who is paid, to which address, and what identifies a node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from indexer.chain import nodes, queue
from indexer.chain.keys import P2PKH
from indexer.chain.lists import NodeLists, Undo
from indexer.chain.nodes import Node, Status
from indexer.chain.queue import BlockEvents, Changes, NodeQueue
from indexer.chain.tiers import TIERS, Tier
from tests.chain import recorded_nodes
from tests.chain.recorded_nodes import NETWORK, RecordedBlock
from tests.mutants.harness import Change, Mutant, setting

Patch = pytest.MonkeyPatch
CONFIRMED = Status.CONFIRMED


# Orders of payment.


def ordered_by(key: Callable[[Node], Any]) -> Change:
    """The confirmed nodes of a tier sorted by another key."""

    def order(self: NodeLists, tier: Tier) -> list[Node]:
        return sorted((n for n in self if n.status == CONFIRMED and n.tier == tier), key=key)

    return lambda patch: patch.setattr(NodeLists, "order", order)


def queued_at(node: Node) -> int:
    return node.last_paid or node.confirmed


def paid(node: Node) -> bool:
    return node.last_paid > 0


def displayed(node: Node) -> tuple[bytes, bytes]:
    return node.outpoint[31::-1], node.outpoint[32:]


def reverse(point: bytes) -> tuple[bytes, bytes]:
    return bytes(255 - byte for byte in point[:32]), point[32:]


def unsorted_newcomers(patch: Patch) -> None:
    def append(self: NodeLists, newcomers: Iterable[Node]) -> None:
        for node in newcomers:
            self._tiers[node.tier][node.outpoint] = node

    patch.setattr(NodeLists, "_append_confirmed", append)


ORDERS = [
    Mutant("queue: outpoint compared as displayed hex", ordered_by(lambda n: (queued_at(n), paid(n), displayed(n)))),
    Mutant("queue: tie by order of first START (insertion)", ordered_by(lambda n: (queued_at(n), paid(n), n.id))),
    Mutant("queue: tie by reverse outpoint", ordered_by(lambda n: (queued_at(n), paid(n), reverse(n.outpoint)))),
    Mutant("queue: tie by block position of the confirm", unsorted_newcomers),
    Mutant(
        "queue: paid node before new one at equal key", ordered_by(lambda n: (queued_at(n), not paid(n), n.outpoint))
    ),
    Mutant("queue: no paid flag at equal key", ordered_by(lambda n: (queued_at(n), n.outpoint))),
    Mutant("queue: never paid nodes always first", ordered_by(lambda n: (paid(n), queued_at(n), n.outpoint))),
    Mutant(
        "queue: key = last_confirmed instead of confirmed",
        ordered_by(lambda n: (n.last_paid or n.last_confirmed, paid(n), n.outpoint)),
    ),
    Mutant(
        "queue: key = added instead of confirmed", ordered_by(lambda n: (n.last_paid or n.started, paid(n), n.outpoint))
    ),
    Mutant(
        "pay: an update moves the node in the queue",
        ordered_by(lambda n: (max(n.last_paid, n.last_confirmed), paid(n), n.outpoint)),
    ),
]


# Payments, addresses, identity.


def payments_shifted(by: int) -> Change:
    pays = queue.pays_nodes
    return setting(queue, "pays_nodes", lambda network, height: pays(network, height - by))


def pay_unless_updated(patch: Patch) -> None:
    pay = NodeQueue._pay

    def skip(self: NodeQueue, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        changes.paid = [(tier, node) for tier, node in changes.paid if node.last_confirmed != block.height]
        pay(self, block, undo, changes)

    patch.setattr(NodeQueue, "_pay", skip)


def pay_who_is_left(patch: Patch) -> None:
    pay = NodeQueue._pay

    def choose_late(self: NodeQueue, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        left = [(tier, next((n for n in self.order(tier) if n.confirmed < block.height), None)) for tier in TIERS]
        paying = queue.pays_nodes(NETWORK, block.height)
        changes.paid = [(tier, node) for tier, node in left if paying and node is not None]
        pay(self, block, undo, changes)

    patch.setattr(NodeQueue, "_pay", choose_late)


def paid_by_address(candidates: Callable[[NodeQueue, Tier], Iterator[Node]]) -> Change:
    """The address of the head is what is looked up: the first candidate with it counts as paid."""
    payees = NodeQueue.payees

    def attribute(self: NodeQueue, height: int) -> list[tuple[Tier, Node]]:
        return [
            (tier, next((n for n in candidates(self, tier) if n.payee == head.payee), head))
            for tier, head in payees(self, height)
        ]

    return setting(NodeQueue, "payees", attribute)


def of_tier(self: NodeQueue, tier: Tier) -> Iterator[Node]:
    return (node for node in self if node.status == CONFIRMED and node.tier == tier)


def of_other_tiers(self: NodeQueue, tier: Tier) -> Iterator[Node]:
    return (node for other in TIERS if other != tier for node in of_tier(self, other))


def keep_last_paid(patch: Patch) -> None:
    start = NodeQueue._start

    def carry_over(self: NodeQueue, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        start(self, block, undo, changes)
        for node, previous in block.starts:
            node.last_paid = previous.last_paid if previous else 0

    patch.setattr(NodeQueue, "_start", carry_over)
    ordered_by(nodes.order_key)(patch)


def keep_ip(patch: Patch) -> None:
    confirm = NodeQueue._confirm

    def ignore_ip(self: NodeQueue, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        before = {node.outpoint: node.ip for node in self.with_status(CONFIRMED)}
        confirm(self, block, undo, changes)
        for point, ip in before.items():
            self._live[point].ip = ip

    patch.setattr(NodeQueue, "_confirm", ignore_ip)


def known_txids_ignored(patch: Patch) -> None:
    apply = recorded_nodes.Follower.apply
    known: set[bytes] = set()

    def skip_known(self: recorded_nodes.Follower, block: RecordedBlock) -> Changes:
        fresh = replace(
            block,
            starts=[s for s, t in zip(block.starts, block.start_txids, strict=True) if t not in known],
            confirms=[c for c, t in zip(block.confirms, block.confirm_txids, strict=True) if t not in known],
        )
        on_active_chain = block is recorded_nodes.chain()[0][block.height]
        known.update([*block.start_txids, *block.confirm_txids] if on_active_chain else ())
        return apply(self, fresh)

    patch.setattr(recorded_nodes.Follower, "apply", skip_known)


def payee_by_key_hash(patch: Patch) -> None:
    """The foundation key is no exception."""
    payee = nodes.payee_of_start
    nobody = replace(NETWORK, nodes=replace(NETWORK.nodes, foundation_key=b""))
    patch.setattr(nodes, "payee_of_start", lambda network, start, address: payee(nobody, start, address))


def payee_of_v6_is_p2pkh(patch: Patch) -> None:
    """A redeem script is paid as if it were a key."""
    patch.setattr(nodes, "P2SH", P2PKH)


PAYMENTS = [
    Mutant("pay: payments one block early", payments_shifted(-1)),
    Mutant("pay: payments one block late", payments_shifted(1)),
    Mutant("pay: an update in the block blocks the payment", pay_unless_updated),
    Mutant("pay: payee chosen after the block's expiries", pay_who_is_left),
    Mutant("pay: head attributed by address (first node with it)", paid_by_address(of_tier)),
    Mutant(
        "pay: a node of another tier with the same address",
        paid_by_address(of_other_tiers),
        1861,
        "of 405, where two nodes of one tier share an address; here only a node of another tier is taken for the head",
    ),
    Mutant("pay: initial confirm keeps the old last_paid", keep_last_paid),
    Mutant("txid: node transactions with a known txid are ignored", known_txids_ignored),
    Mutant("ip: update does not change the ip", keep_ip),
    Mutant(
        "payee: foundation key paid by its hash",
        payee_by_key_hash,
        960,
        "no row: the first node with the foundation key",
    ),
    Mutant(
        "payee: redeem script paid as a key", payee_of_v6_is_p2pkh, 1305, "no row: the first node with a redeem script"
    ),
]

PAYMENT_MUTANTS = [*ORDERS, *PAYMENTS]

PAYMENT_SURVIVORS = [
    Mutant("queue: max(paid, confirmed)", ordered_by(lambda n: (max(n.last_paid, n.confirmed), paid(n), n.outpoint))),
]
