"""Tiers of nodes: collateral amounts and waiting times by height.

Nothing is grandfathered: the constants of the block being connected apply to every record
(``fluxnode.h``; ``fluxnode.cpp: GetFluxnodeExpirationCount``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache

from indexer.chain.params import COIN, DISABLED, Network, upgrade_active

COLLATERAL_DEPTH = 100
"""Blocks a collateral must be deep at its START and at every CONFIRM (``coins.cpp: CheckFluxnodeTxInput``)."""


class Tier(IntEnum):
    """The tier of a node, in the order in which tiers are paid."""

    CUMULUS = 1
    NIMBUS = 2
    STRATUS = 3

    @property
    def label(self) -> str:
        """The tier's name in lower case."""
        return self.name.lower()


TIERS = tuple(Tier)

BEGINNING = "beginning"
PON_BLOCKS = "pon_blocks"

Era = tuple[tuple[str, int], ...]
"""Values by upgrade (a field name of Upgrades, or one of the above): each holds from its activation on."""

START_WAIT: Era = ((BEGINNING, 60), (PON_BLOCKS, 240))
"""S, blocks a START may wait for its confirmation (``fluxnode.cpp: CheckForExpiredStartTx``)."""
DOS_RELEASE: Era = ((BEGINNING, 180), ("pon", 720))
"""D, blocks from the START to the release from the DoS list (``fluxnode.cpp:
GetUndoDataForExpiredFluxnodeDosScores``)."""
EXPIRY: Era = ((BEGINNING, 60), ("flux", 80), ("halving", 160), ("pon", 640))
"""E, blocks without a confirmation that a node survives (``fluxnode.cpp: GetFluxnodeExpirationCount``)."""
UPDATE_AFTER: Era = ((BEGINNING, 40), ("halving", 120), ("pon", 500))
"""M, blocks after which a node may confirm again (``fluxnode.cpp: CheckConfirmationHeights``)."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Waiting times in blocks that apply to every record at one height."""

    start_wait: int  # S: a START becomes DoS at started + S
    dos_release: int  # D: a DoS entry goes at started + D
    expiry: int  # E: a node goes at last_confirmed + E + 1
    update_after: int  # M: an update needs height - last_confirmed > M


def era_start(network: Network, upgrade: str) -> int | None:
    """The first height of an era; None when its upgrade never activates.

    PON_BLOCKS begins where blocks are PoN, which the daemon decides by comparing heights alone
    (``pon/pon-fork.cpp: IsPONActive``): on a network with a disabled PoN upgrade, at once.
    """
    if upgrade == BEGINNING:
        return 0
    if upgrade == PON_BLOCKS:
        return max(network.upgrades.pon, 0)
    activation: int = getattr(network.upgrades, upgrade)
    return None if activation == DISABLED else activation


@cache
def era_values(network: Network, era: Era) -> tuple[tuple[int, int], ...]:
    """First height and value of each era that comes to pass, in order."""
    return tuple((start, value) for upgrade, value in era if (start := era_start(network, upgrade)) is not None)


def era_value(network: Network, era: Era, height: int) -> int:
    """The value of an era table at ``height``."""
    found = 0
    for start, value in era_values(network, era):
        if height >= start:
            found = value
    return found


def first_after(network: Network, era: Era, since: int) -> int:
    """The first height h with h ≥ ``since`` + n(h), n being an era table whose values only grow."""
    values = era_values(network, era)
    ends = [start for start, _ in values[1:]]
    for (start, n), end in zip(values, ends, strict=False):
        if max(start, since + n) < end:
            return max(start, since + n)
    start, n = values[-1]
    return max(start, since + n)


def windows(network: Network, height: int) -> Windows:
    """The waiting times in blocks that hold in block ``height``."""
    return Windows(
        era_value(network, START_WAIT, height),
        era_value(network, DOS_RELEASE, height),
        era_value(network, EXPIRY, height),
        era_value(network, UPDATE_AFTER, height),
    )


OLD_COLLATERAL = {Tier.CUMULUS: 10_000 * COIN, Tier.NIMBUS: 25_000 * COIN, Tier.STRATUS: 100_000 * COIN}
NEW_COLLATERAL = {Tier.CUMULUS: 1_000 * COIN, Tier.NIMBUS: 12_500 * COIN, Tier.STRATUS: 40_000 * COIN}

SWEEP_TAIL = 10
"""Blocks after the end of the Stratus transition in which the daemon still looks for old collaterals."""


def transition(network: Network, tier: Tier) -> tuple[int, int]:
    """The first height at which both amounts of a tier are accepted, and the first with only the new one."""
    nodes = network.nodes
    return (nodes.cumulus_transition, nodes.nimbus_transition, nodes.stratus_transition)[tier - 1]


def accepted_amounts(network: Network, tier: Tier, height: int) -> tuple[int, ...]:
    """Collateral amounts of a tier in zatoshi at ``height`` (``coins.cpp: GetCoinAmountsByTier``)."""
    begin, end = transition(network, tier)
    if height < begin:
        return (OLD_COLLATERAL[tier],)
    if height < end:
        return OLD_COLLATERAL[tier], NEW_COLLATERAL[tier]
    return (NEW_COLLATERAL[tier],)


def tier_of_collateral(network: Network, value: int, height: int) -> Tier | None:
    """The tier that a collateral of ``value`` zatoshi gives to a START at ``height``; None when it gives none."""
    for tier in TIERS:
        if value in accepted_amounts(network, tier, height):
            return tier
    return None


def collateral_acceptable(network: Network, value: int, height: int) -> bool:
    """Whether an amount in zatoshi is a collateral of any tier at ``height``."""
    return tier_of_collateral(network, value, height) is not None


def transition_ended(network: Network, tier: Tier, height: int) -> bool:
    """Whether only the new collateral of a tier is accepted at ``height``."""
    return height >= transition(network, tier)[1]


def sweeps_collaterals(network: Network, height: int) -> bool:
    """Whether the daemon looks in block ``height`` for confirmed nodes with a collateral of old.

    ``fluxnode.cpp: GetUndoDataForExpiredConfirmFluxnodes``, from the halving upgrade to ten blocks after the
    end of the Stratus transition.
    """
    until = transition(network, Tier.STRATUS)[1] + SWEEP_TAIL
    return upgrade_active(network.upgrades.halving, height) and height < until


def sweep_heights(network: Network) -> frozenset[int]:
    """The only heights at which that look can find a node: where a tier's old amount lapses.

    Anywhere else nothing has lapsed since the block before, which left no such node, and from there on START
    and CONFIRM refuse the old amount.
    """
    ends: Iterable[int] = (transition(network, tier)[1] for tier in TIERS)
    return frozenset(height for height in ends if sweeps_collaterals(network, height))
