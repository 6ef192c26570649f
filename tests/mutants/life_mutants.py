"""Changed rules of the life of nodes: waiting times, spent collaterals, collateral amounts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from indexer.chain import queue, tiers
from indexer.chain.lists import Undo
from indexer.chain.nodes import Node, Status
from indexer.chain.queue import BlockEvents, Changes, NodeQueue
from indexer.chain.tiers import Tier, Windows
from tests.chain.recorded_nodes import NETWORK
from tests.mutants.harness import Change, Mutant, setting

Patch = pytest.MonkeyPatch
CONFIRMED, STARTED, DOS = Status.CONFIRMED, Status.STARTED, Status.DOS
UPGRADES = NETWORK.upgrades


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


# What cannot be told apart.


def releases(exact: bool) -> Change:
    return setting(queue, "upgrade_active", lambda activation, height: not exact)


LIFE_SURVIVORS = [
    Mutant("dos: == / >= (two mutants)", releases(exact=True)),
    Mutant("dos: == / >= (two mutants)", releases(exact=False)),
    Mutant("collateral: sweep ends with the Stratus end block / never ends", setting(tiers, "SWEEP_TAIL", 1)),
    Mutant("collateral: sweep ends with the Stratus end block / never ends", setting(tiers, "SWEEP_TAIL", 10**9)),
    Mutant(
        "collateral: sweep without the tier test", setting(tiers, "transition_ended", lambda network, tier, h: True)
    ),
    Mutant("collateral: amount compared per own tier", own_tier_only),
]

LIFE_MUTANTS = [*WAITS, *SPENDS, *COLLATERALS]
