"""Every rule of the node lists and the payment queue, changed: the recorded chain notices, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from indexer.chain import nodes, queue, tiers
from indexer.chain.keys import P2PKH
from indexer.chain.lists import NodeLists, Undo
from indexer.chain.nodes import Node, Status
from indexer.chain.queue import BlockEvents, Changes, NodeQueue
from indexer.chain.tiers import TIERS, Tier, Windows
from indexer.errors import ChainError
from tests.chain import recorded_nodes
from tests.chain.recorded_nodes import NETWORK, RecordedBlock, follow, lists_of
from tests.mutants.harness import Mutant, assert_caught, assert_survives, missing

Patch = pytest.MonkeyPatch
Change = Callable[[Patch], None]
CONFIRMED, STARTED, DOS = Status.CONFIRMED, Status.STARTED, Status.DOS
UPGRADES = NETWORK.upgrades


def contradicted(branches: bool) -> int | None:
    """The first height at which the rules as they stand disagree with the daemon's lists or refuse its block."""
    state = NodeQueue(NETWORK)
    try:
        for block, _, _ in follow(state, branches):
            if lists_of(state) != block.lists:
                return block.height
    except ChainError:
        return state.height + 1
    return None


def contradiction() -> int | None:
    """The first height on the active chain that contradicts the rules, or else on it and the lost branches."""
    return contradicted(branches=False) or contradicted(branches=True)


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


# Waiting times.

_windows = tiers.windows


def windows_by(change: Callable[[int, Windows], Windows]) -> Change:
    """Waiting times changed as a function of the height and the right ones."""
    return lambda patch: patch.setattr(tiers, "windows", lambda n, h: change(h, _windows(n, h)))


def longer(name: str, by: int) -> Change:
    """Nodes wait ``by`` blocks longer before they move; what the lists say of it stays."""
    method = {"expiry": "_stale", "start_wait": "_expire_starts", "dos_release": "_releases"}[name]
    step = getattr(NodeQueue, method)

    def wait(self: NodeQueue, height: int, windows: Windows, *more: Any) -> Any:
        return step(self, height, replace(windows, **{name: getattr(windows, name) + by}), *more)

    return lambda patch: patch.setattr(NodeQueue, method, wait)


def moved(name: str, border: int, by: int) -> Change:
    """A waiting time whose new value holds one block earlier or later than the upgrade at ``border``."""
    at, other = (border - 1, border) if by < 0 else (border, border - 1)
    return windows_by(lambda h, w: replace(w, **{name: getattr(_windows(NETWORK, other), name)}) if h == at else w)


def leaves_if(method: str, ends: Callable[[Node, int], bool]) -> Change:
    """Nodes leave by a predicate of record and height, searched among all."""

    def search(self: NodeQueue, height: int, windows: Windows) -> list[Node]:
        return [node for node in self if ends(node, height)]

    return lambda patch: patch.setattr(NodeQueue, method, search)


def own(name: str, since: int) -> int:
    """The waiting time of the height from which it counts."""
    value: int = getattr(_windows(NETWORK, since), name)
    return value


def dos_by_own_wait(patch: Patch) -> None:
    def expire(self: NodeQueue, height: int, windows: Windows, undo: Undo, changes: Changes) -> None:
        for node in self.with_status(STARTED):
            if height == node.started + own("start_wait", node.started):
                undo.remember(node)
                node.status = DOS
                self._dos.append((node.started, [node]))

    patch.setattr(NodeQueue, "_expire_starts", expire)


def stale_before_block(patch: Patch) -> None:
    """Expiry decided before the block's updates."""
    confirm = NodeQueue._confirm
    stale: list[Node] = []

    def look_first(self: NodeQueue, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        limit = block.height - _windows(NETWORK, block.height).expiry
        stale[:] = [n for n in self if n.status == CONFIRMED and n.last_confirmed < limit]
        confirm(self, block, undo, changes)

    patch.setattr(NodeQueue, "_confirm", look_first)
    patch.setattr(NodeQueue, "_stale", lambda self, height, windows: stale)


def dos_before_confirms(patch: Patch) -> None:
    """STARTs turn DoS before the block's confirmations are looked at."""
    confirm = NodeQueue._confirm

    def expire_first(self: NodeQueue, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        self._expire_starts(block.height, _windows(NETWORK, block.height), undo, changes)
        confirm(self, block, undo, changes)

    patch.setattr(NodeQueue, "_confirm", expire_first)


WAITS = [
    Mutant("expiry: update in the expiry block does not save", stale_before_block),
    Mutant("expiry: one block early", longer("expiry", -1)),
    Mutant("expiry: one block late", longer("expiry", 1)),
    Mutant(
        "expiry: E of the last confirm (grandfathered)",
        leaves_if(
            "_stale", lambda n, h: n.status == CONFIRMED and n.last_confirmed < h - own("expiry", n.last_confirmed)
        ),
    ),
    Mutant("expiry: E 80 from FLUX - 1", moved("expiry", UPGRADES.flux, -1)),
    Mutant("expiry: E 160 from HALVING - 1", moved("expiry", UPGRADES.halving, -1)),
    Mutant("expiry: E 640 from PON - 1", moved("expiry", UPGRADES.pon, -1)),
    Mutant("expiry: E 80 from FLUX + 1", moved("expiry", UPGRADES.flux, 1)),
    Mutant("expiry: E 160 from HALVING + 1", moved("expiry", UPGRADES.halving, 1)),
    Mutant("expiry: E 640 from PON + 1", moved("expiry", UPGRADES.pon, 1)),
    Mutant("start: confirm in the last block does not save", dos_before_confirms),
    Mutant("start: DOS one block early", longer("start_wait", -1)),
    Mutant("start: DOS one block late", longer("start_wait", 1)),
    Mutant("start: S of the start (grandfathered over PON)", dos_by_own_wait),
    Mutant("start: S 240 from PON + 1", moved("start_wait", UPGRADES.pon, 1)),
    Mutant("start: S never 240", windows_by(lambda _, w: replace(w, start_wait=60))),
    Mutant(
        "dos: D of the start (grandfathered over PON)",
        leaves_if("_releases", lambda n, h: n.status == DOS and h == n.started + own("dos_release", n.started)),
    ),
    Mutant("dos: release one block late", longer("dos_release", 1)),
    Mutant("dos: release one block early", longer("dos_release", -1)),
    Mutant(
        "dos: counted from the block it became DOS",
        windows_by(lambda _, w: replace(w, dos_release=w.dos_release + w.start_wait)),
    ),
    Mutant("dos: D 720 from PON + 1", moved("dos_release", UPGRADES.pon, 1)),
]


# Spent collaterals.


def spent_if(gone: Callable[[Node, BlockEvents], bool], late: bool = False) -> Change:
    """Spent nodes leave by another predicate; ``late`` asks it after the block's starts and confirmations."""

    def spent(self: NodeQueue, block: BlockEvents) -> Iterable[Node]:
        found = (node for point in block.spent if (node := self.get(point)) and gone(node, block))
        return found if late else list(found)

    return lambda patch: patch.setattr(NodeQueue, "_spent", spent)


def confirmed_in(block: BlockEvents) -> set[bytes]:
    return {outpoint for outpoint, _, _ in block.confirms}


def spent_long_ago(patch: Patch) -> None:
    """Confirmed nodes whose coin was spent earlier leave too."""
    gone: set[bytes] = set()

    def spent(self: NodeQueue, block: BlockEvents) -> list[Node]:
        gone.update(block.spent)
        return [node for node in self if node.status == CONFIRMED and node.outpoint in gone]

    patch.setattr(NodeQueue, "_spent", spent)


SPENDS = [
    Mutant(
        "spend: update in the same block saves the node",
        spent_if(lambda n, b: n.status == CONFIRMED and n.outpoint not in confirmed_in(b)),
    ),
    Mutant(
        "spend: STARTED node removed",
        spent_if(lambda n, b: n.status == CONFIRMED or (n.status == STARTED and n.outpoint not in confirmed_in(b))),
    ),
    Mutant("spend: DOS node removed", spent_if(lambda n, b: n.status in (CONFIRMED, DOS))),
    Mutant(
        "spend: confirm + spend in one block removes the node",
        spent_if(lambda n, b: n.status == CONFIRMED, late=True),
    ),
    Mutant(
        "spend: start + spend in one block removes the node",
        spent_if(lambda n, b: n.started == b.height or (n.status == CONFIRMED and n.confirmed < b.height), late=True),
    ),
    Mutant("spend: nodes whose coin is gone leave at the next block", spent_long_ago),
    Mutant("spend: confirmed node stays until it expires", spent_if(lambda n, b: False)),
]


# Collateral amounts.

_lapsed = NodeQueue._lapsed
_transition = tiers.transition


def lapsed_by(find: Callable[[NodeQueue, int], list[Node]]) -> Change:
    return lambda patch: patch.setattr(NodeQueue, "_lapsed", find)


def new_amounts_from(begin: Callable[[int, int], int]) -> Change:
    def transition(network: Any, tier: Tier) -> tuple[int, int]:
        start, end = _transition(network, tier)
        return begin(start, end), end

    return lambda patch: patch.setattr(tiers, "transition", transition)


def old_amounts(self: NodeQueue, statuses: tuple[Status, ...]) -> list[Node]:
    return [n for n in self if n.status in statuses and n.value == tiers.OLD_COLLATERAL[n.tier]]


def lapsed_and_started(self: NodeQueue, height: int) -> list[Node]:
    swept = [n for n in old_amounts(self, (STARTED,)) if height == _transition(NETWORK, n.tier)[1]]
    return _lapsed(self, height) + swept


def own_tier_only(patch: Patch) -> None:
    def lapsed(self: NodeQueue, height: int) -> list[Node]:
        return [
            node
            for node in self
            if node.status == CONFIRMED
            and tiers.transition_ended(NETWORK, node.tier, height)
            and node.value not in tiers.accepted_amounts(NETWORK, node.tier, height)
        ]

    patch.setattr(NodeQueue, "_lapsed", lapsed)


def setting(module: Any, name: str, value: Any) -> Change:
    return lambda patch: patch.setattr(module, name, value)


COLLATERALS = [
    Mutant("collateral: no transition rule (old nodes stay)", lapsed_by(lambda q, h: [])),
    Mutant("collateral: old nodes leave one block late", lapsed_by(lambda q, h: _lapsed(q, h - 1))),
    Mutant("collateral: old nodes leave one block early", lapsed_by(lambda q, h: _lapsed(q, h + 1))),
    Mutant(
        "collateral: all tiers leave at the end of Cumulus",
        lapsed_by(lambda q, h: old_amounts(q, (CONFIRMED,)) if h == _transition(NETWORK, Tier.CUMULUS)[1] else []),
    ),
    Mutant("collateral: new amounts only from the end", new_amounts_from(lambda start, end: end)),
    Mutant("collateral: new amounts from start + 1", new_amounts_from(lambda start, end: start + 1)),
    Mutant("collateral: STARTED nodes are swept too", lapsed_by(lapsed_and_started)),
    Mutant("collateral: sweep ends one block before Stratus", setting(tiers, "SWEEP_TAIL", 0)),
    Mutant("start: collateral age 101", setting(tiers, "COLLATERAL_DEPTH", 101)),
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

CAUGHT = [*ORDERS, *WAITS, *SPENDS, *COLLATERALS, *PAYMENTS]


# What cannot be told apart.


def releases(exact: bool) -> Change:
    return setting(queue, "upgrade_active", lambda activation, height: not exact)


SURVIVORS = [
    Mutant("queue: max(paid, confirmed)", ordered_by(lambda n: (max(n.last_paid, n.confirmed), paid(n), n.outpoint))),
    Mutant("dos: == / >= (two mutants)", releases(exact=True)),
    Mutant("dos: == / >= (two mutants)", releases(exact=False)),
    Mutant("collateral: sweep ends with the Stratus end block / never ends", setting(tiers, "SWEEP_TAIL", 1)),
    Mutant("collateral: sweep ends with the Stratus end block / never ends", setting(tiers, "SWEEP_TAIL", 10**9)),
    Mutant(
        "collateral: sweep without the tier test", setting(tiers, "transition_ended", lambda network, tier, h: True)
    ),
    Mutant("collateral: amount compared per own tier", own_tier_only),
]


def test_the_rules_as_they_stand_agree_with_the_daemon() -> None:
    assert contradiction() is None


@pytest.mark.parametrize("mutant", CAUGHT, ids=str)
def test_changed_rule_is_contradicted(mutant: Mutant) -> None:
    assert_caught(mutant, contradiction)


@pytest.mark.parametrize("mutant", SURVIVORS, ids=str)
def test_changed_rule_cannot_be_told_apart(mutant: Mutant) -> None:
    assert_survives(mutant, contradiction)


def test_every_row_about_nodes_has_a_mutant() -> None:
    subjects = ("queue", "expiry", "spend", "start", "dos", "collateral", "pay", "txid", "ip")
    assert not missing([*CAUGHT, *SURVIVORS], subjects)
