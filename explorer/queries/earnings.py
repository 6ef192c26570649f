"""What nodes earn: so many of each tier, by the rules now and after the next change of the subsidy.

Every block pays ``reward`` to one node of a tier, in turn; so one of ``of`` nodes is paid every ``of`` blocks. What
so many nodes earn in a time is therefore reward × blocks in it × nodes / of, rounded down to zatoshi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.db import View
from explorer.queries.node_results import TierState
from explorer.queries.queues import YEAR_SECONDS, tiers
from explorer.queries.reductions import next_reduction
from explorer.queries.results import BlockReference
from explorer.queries.supply_results import Reduction
from explorer.queries.units import Tier as TierName
from explorer.queries.units import Zatoshi
from indexer.chain.params import Network, target_spacing
from indexer.chain.payouts import payouts_ahead, tier_payout
from indexer.chain.queue import pays_nodes
from indexer.chain.tiers import TIERS, Tier

DAY: Final = 86_400  # seconds
MONTH_DAYS: Final = 30
YEAR_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Earned:
    """What nodes earn by the rules of one height: ``payout`` is each time that one of them is paid."""

    payout: Zatoshi
    day: Zatoshi
    month: Zatoshi
    year: Zatoshi


@dataclass(frozen=True, slots=True)
class Income:
    """What nodes of all tiers earn together."""

    day: Zatoshi
    month: Zatoshi
    year: Zatoshi


@dataclass(frozen=True, slots=True)
class TierEarnings:
    """What ``nodes`` of the ``of`` nodes of a tier earn, ``now`` and ``then``, after the next change of the subsidy.

    ``next_year`` is the sum over the coming 365 days with every change on the way. A turn is how long each of them
    waits between two payouts; its seconds are by the target spacing. ``yearly_return`` is a year now by the
    collateral. Null where nobody can be paid.
    """

    tier: TierName
    nodes: int
    of: int
    collateral: Zatoshi
    turn_blocks: int
    turn_seconds: int
    now: Earned | None
    then: Earned | None
    next_year: Zatoshi | None
    yearly_return: float | None


@dataclass(frozen=True, slots=True)
class Earnings:
    """What nodes of all tiers earn together; ``spacing`` is the target in seconds, months have 30 days, years 365."""

    at: BlockReference
    joining: bool
    spacing: int
    blocks_per_day: int
    tiers: tuple[TierEarnings, ...]
    collateral: Zatoshi
    now: Income
    then: Income | None
    next_year: Zatoshi
    reduction: Reduction | None


async def earnings(view: View, counts: Mapping[Tier, int], *, joining: bool) -> Earnings:
    """What so many nodes of each tier earn; ``joining``: they are not among the nodes that there are, but new."""
    states = await tiers(view)
    network, height = view.network, view.tip.height
    reduction = next_reduction(network, height, view.tip.time)
    found = tuple(
        tier_earnings(network, height, tier, state, counts[tier], joining, reduction)
        for tier, state in zip(TIERS, states.items, strict=True)
    )
    spacing = target_spacing(network, height + 1)
    return Earnings(
        at=states.at,
        joining=joining,
        spacing=spacing,
        blocks_per_day=DAY // spacing,
        tiers=found,
        collateral=sum(tier.collateral for tier in found),
        now=_together([tier.now for tier in found]),
        then=_together([tier.then for tier in found]) if reduction else None,
        next_year=sum(tier.next_year or 0 for tier in found),
        reduction=reduction,
    )


def tier_earnings(
    network: Network,
    height: int,
    tier: Tier,
    state: TierState,
    nodes: int,
    joining: bool,
    reduction: Reduction | None,
) -> TierEarnings:
    """What so many nodes of a tier earn after block ``height``."""
    of = state.nodes.confirmed + (nodes if joining else 0)
    known = 0 < of and nodes <= of
    collateral = nodes * state.collateral
    now = earned(network, height + 1, tier, nodes, of) if known else None
    return TierEarnings(
        tier=state.tier,
        nodes=nodes,
        of=of,
        collateral=collateral,
        turn_blocks=of,
        turn_seconds=of * target_spacing(network, height + 1),
        now=now,
        then=earned(network, reduction.height, tier, nodes, of) if known and reduction else None,
        next_year=payouts_ahead(network, tier, height + 1, YEAR_SECONDS) * nodes // of if known else None,
        yearly_return=round(now.year / collateral, 6) if now and collateral else None,
    )


def earned(network: Network, height: int, tier: Tier, nodes: int, of: int) -> Earned:
    """What ``nodes`` of ``of`` earn as long as the rules of ``height`` hold."""
    payout = tier_payout(network, height, tier) if pays_nodes(network, height) else 0
    spacing = target_spacing(network, height)

    def during(days: int) -> int:
        return payout * (days * DAY // spacing) * nodes // of

    return Earned(payout, during(1), during(MONTH_DAYS), during(YEAR_DAYS))


def _together(parts: Sequence[Earned | None]) -> Income:
    some = [part for part in parts if part is not None]
    return Income(sum(part.day for part in some), sum(part.month for part in some), sum(part.year for part in some))
