"""The rules in force at a height, and era by era: parameters of the chain, what nodes need, who gets a block's coins.

They follow from the height alone, so that heights to come have rules too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Final, cast

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.node_results import Requirements
from explorer.queries.reductions import era_name, expected_time
from explorer.queries.requirements import REQUIREMENTS
from explorer.queries.rules_results import (
    ChainRules,
    NodeRules,
    NodeStretch,
    OneOff,
    Rewards,
    RewardStretch,
    Rules,
    TierRules,
    UpgradeHeight,
)
from explorer.queries.text import tier_name
from explorer.queries.units import FundName
from indexer.chain import tiers
from indexer.chain.address import encode_address
from indexer.chain.eras import Era, eras
from indexer.chain.keys import P2PKH, P2SH
from indexer.chain.params import (
    DISABLED,
    MAX_MONEY,
    Network,
    max_reorg_depth,
    pon_active,
    target_spacing,
    upgrade_active,
    upgrade_at,
)
from indexer.chain.payouts import tier_payouts
from indexer.chain.queue import pays_nodes
from indexer.chain.subsidy import block_subsidy, one_off_funds, scheduled_issue
from indexer.chain.tiers import COLLATERAL_DEPTH, TIERS, Tier, accepted_amounts

HIGHEST: Final = (1 << 31) - 1  # a height is a signed number of 32 bits (chain.h: CBlockIndex)
DAY: Final = 86_400  # seconds
UPGRADES: Final = ("lwma", "equihash_144_5", "acadia", "kamiooka", "kamata", "flux", "halving", "p2shnodes", "pon")
WAITS: Final = (tiers.START_WAIT, tiers.DOS_RELEASE, tiers.EXPIRY, tiers.UPDATE_AFTER)


async def rules(view: View, *, at: int | None = None) -> Rules:
    """The rules of block ``at``, by default of the next one; it may be one to come."""
    height = view.tip.height + 1 if at is None else at
    if height > HIGHEST:
        raise BadRequest(Phrase(
            "height %(height)s is above %(highest)s, the last one that a block can have",
            height=height, highest=HIGHEST,
        ))  # fmt: skip
    row = await view.row("blocks", height)
    time = row["time"] if row else expected_time(view.network, view.tip.height, view.tip.time, height)
    # Hardware is no rule of the chain: only what is asked for today is known.
    hardware = REQUIREMENTS if height == view.tip.height + 1 else {}
    network = view.network
    return Rules(
        height=height,
        time=time,
        chain=chain_rules(network, height),
        nodes=node_rules(network, height),
        rewards=rewards_at(network, height),
        tiers=tuple(_tier_rules(network, height, hardware)),
        upgrades=tuple(upgrade_heights(network, height)),
        node_eras=tuple(node_eras(network)),
        reward_eras=tuple(reward_eras(network)),
        one_offs=tuple(one_offs(network)),
    )


def chain_rules(network: Network, height: int) -> ChainRules:
    """The parameters of the chain in force at a height."""
    spacing = target_spacing(network, height)
    return ChainRules(
        network=network.name,
        genesis_hash=network.genesis_hash,
        genesis_time=network.genesis_time,
        upgrade=upgrade_at(network, height),
        consensus="pon" if pon_active(network, height) else "pow",
        spacing=spacing,
        blocks_per_day=DAY // spacing,
        coinbase_maturity=network.coinbase_maturity,
        reorg_depth=max_reorg_depth(network, height),
        max_money=MAX_MONEY,
        scheduled=scheduled_issue(network, height),
        address_starts=tuple(encode_address(bytes([kind]) + bytes(20), network)[:2] for kind in (P2PKH, P2SH)),
    )


def node_rules(network: Network, height: int) -> NodeRules:
    """The waiting times of nodes at a height, and what a START may be."""
    upgrades, waits = network.upgrades, tiers.windows(network, height)
    return NodeRules(
        allowed=upgrade_active(upgrades.kamata, height),
        paid=pays_nodes(network, height),
        multisig=upgrade_active(upgrades.p2shnodes, height),
        delegates=upgrade_active(upgrades.pon, height),
        collateral_depth=COLLATERAL_DEPTH,
        start_wait=waits.start_wait,
        dos_release=waits.dos_release,
        expiry=waits.expiry,
        update_after=waits.update_after,
    )


def rewards_at(network: Network, height: int) -> Rewards:
    """Who gets the new coins of the block at a height, were every tier to have a node."""
    subsidy = block_subsidy(network, height)
    amounts = tier_payouts(network, height) if pays_nodes(network, height) else (0,) * len(TIERS)
    return Rewards(
        subsidy=subsidy,
        payouts=amounts,
        rest=subsidy - sum(amounts),
        rest_to="dev_fund" if pon_active(network, height) else "miner",
        on_top=sum(fund.amount for fund in one_off_funds(network, height)),
    )


def _tier_rules(network: Network, height: int, hardware: Mapping[Tier, Requirements]) -> Iterator[TierRules]:
    shares = rewards_at(network, height)
    for tier, payout in zip(TIERS, shares.payouts, strict=True):
        yield TierRules(
            tier=tier_name(tier),
            collateral=accepted_amounts(network, tier, height),
            payout=payout,
            share=round(payout / shares.subsidy, 6) if shares.subsidy else 0.0,
            requirements=hardware.get(tier),
        )


def upgrade_heights(network: Network, height: int) -> Iterator[UpgradeHeight]:
    """The upgrades of the network in their order; None is the height of one that never activates."""
    for name in UPGRADES:
        activation: int = getattr(network.upgrades, name)
        never = activation == DISABLED
        yield UpgradeHeight(name, None if never else activation, upgrade_active(activation, height))


def node_eras(network: Network) -> Iterator[NodeStretch]:
    """The stretches of heights in which collaterals and waiting times of nodes are the same."""
    first = max(network.upgrades.kamata, 0)
    turns = {height for tier in TIERS for height in tiers.transition(network, tier)}
    turns |= {start for wait in WAITS for start, _ in tiers.era_values(network, wait)}
    for begin, last in _stretches(first, turns | {network.nodes.payments_from}):
        waits = tiers.windows(network, begin)
        yield NodeStretch(
            first_height=begin,
            last_height=last,
            paid=pays_nodes(network, begin),
            cumulus=accepted_amounts(network, Tier.CUMULUS, begin),
            nimbus=accepted_amounts(network, Tier.NIMBUS, begin),
            stratus=accepted_amounts(network, Tier.STRATUS, begin),
            start_wait=waits.start_wait,
            dos_release=waits.dos_release,
            expiry=waits.expiry,
            update_after=waits.update_after,
        )


def reward_eras(network: Network) -> Iterator[RewardStretch]:
    """The stretches of heights in which a block's coins are shared alike; amounts are those of the last block."""
    known = eras(network)
    turns = {era.first for era in known} | {network.nodes.payments_from, network.upgrades.flux}
    for begin, last in _stretches(0, turns):
        shown = rewards_at(network, begin if last is None else last)
        yield RewardStretch(era_name(_era_of(known, begin)), begin, last, shown)


def _era_of(known: Iterable[Era], height: int) -> Era:
    return next(era for era in known if era.first <= height and (era.last is None or height <= era.last))


def _stretches(first: int, turns: Iterable[int]) -> Iterator[tuple[int, int | None]]:
    """First and last height of each stretch from ``first`` on; the last one never ends."""
    begins = [first, *sorted({turn for turn in turns if turn > first})]
    yield from ((begin, end - 1) for begin, end in pairwise(begins))
    yield begins[-1], None


def one_offs(network: Network) -> Iterator[OneOff]:
    """The outputs that single coinbases owe on top of the subsidy."""
    funds, pool = network.funds, network.funds.swap_pool
    for name, fund in (("exchange", funds.exchange), ("foundation", funds.foundation)):
        address = encode_address(fund.address, network)
        yield OneOff(cast(FundName, name), fund.height, fund.height, 1, fund.amount, address)
    last = pool.start + pool.interval * (pool.times - 1)
    yield OneOff("swap_pool", pool.start, last, pool.times, pool.amount, encode_address(pool.address, network))
