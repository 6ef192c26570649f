"""When the subsidy changes next, and what that does to the payouts of each tier."""

from __future__ import annotations

from explorer.languages import N_
from explorer.languages.phrases import Phrase
from explorer.queries.supply_results import Era, Reduction, TierEffect
from explorer.queries.units import TIERS as TIER_NAMES
from indexer.chain import eras
from indexer.chain.params import Network
from indexer.chain.payouts import tier_payouts
from indexer.chain.subsidy import block_subsidy

NAMES: dict[eras.Kind, str] = {
    "slow_start": N_("slow start"),
    "full_subsidy": N_("full subsidy"),
    "halving": N_("halving %(number)s"),
    "pon": N_("Proof of Node"),
    "reduction": N_("Proof of Node, reduction %(number)s"),
}


def era_name(era: eras.Era) -> Phrase:
    """What people call an era."""
    return Phrase(NAMES[era.kind], number=era.number)


def begun_eras(network: Network, height: int) -> tuple[Era, ...]:
    """The eras that have begun by ``height``."""
    return tuple(
        Era(era.kind, era_name(era), era.first, era.last, era.subsidy)
        for era in eras.eras(network)
        if era.first <= height
    )


def next_reduction(network: Network, height: int, time: int) -> Reduction | None:
    """The change of the subsidy after the block at ``height`` with header ``time``; None when no other comes."""
    era = eras.era_after(network, height)
    if era is None:
        return None
    before, after = era.first - 1, era.first
    effects = zip(TIER_NAMES, tier_payouts(network, before), tier_payouts(network, after), strict=True)
    return Reduction(
        kind=era.kind,
        name=era_name(era),
        height=era.first,
        blocks=era.first - height,
        time=expected_time(network, height, time, era.first),
        subsidy_before=block_subsidy(network, before),
        subsidy_after=block_subsidy(network, after),
        tiers=tuple(TierEffect(*effect) for effect in effects),
    )


def expected_time(network: Network, height: int, time: int, target: int) -> int:
    """When the block ``target`` is due by the target spacing, counted from the one at ``height``: Unix seconds."""
    return time + eras.target_seconds(network, height, target)
