"""What the query about the rules answers with, in the manner of ``results``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explorer.queries.node_results import Requirements
from explorer.queries.units import Address, FundName, Hash, Height, Seconds, Tier, Zatoshi


@dataclass(frozen=True, slots=True)
class ChainRules:
    """The parameters of the chain at a height; spacing in seconds, depths in blocks.

    ``scheduled`` is all that may have been created up to the height, ``max_money`` the bound of a single amount.
    """

    network: str
    genesis_hash: Hash
    genesis_time: Seconds
    upgrade: str
    consensus: Literal["pow", "pon"]
    spacing: int
    blocks_per_day: int
    coinbase_maturity: int
    reorg_depth: int
    max_money: Zatoshi
    scheduled: Zatoshi
    address_starts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeRules:
    """What holds for nodes of all tiers at a height; waits and depths in blocks.

    A START becomes DoS after ``start_wait`` and is released after ``dos_release`` blocks; a confirmed node expires
    after ``expiry`` blocks without a confirmation, and may give one after ``update_after``.
    """

    allowed: bool
    paid: bool
    multisig: bool
    delegates: bool
    collateral_depth: int
    start_wait: int
    dos_release: int
    expiry: int
    update_after: int


@dataclass(frozen=True, slots=True)
class Rewards:
    """The new coins of a block: a payout for each tier that has a node, and the rest; ``on_top`` are one-off funds."""

    subsidy: Zatoshi
    payouts: tuple[Zatoshi, ...]
    rest: Zatoshi
    rest_to: Literal["miner", "dev_fund"]
    on_top: Zatoshi


@dataclass(frozen=True, slots=True)
class TierRules:
    """A tier at a height: the collaterals that are accepted, the payout and its share of the subsidy.

    ``requirements`` is the hardware that is asked for today, null at other heights.
    """

    tier: Tier
    collateral: tuple[Zatoshi, ...]
    payout: Zatoshi
    share: float
    requirements: Requirements | None


@dataclass(frozen=True, slots=True)
class UpgradeHeight:
    """An upgrade: its first height, null for never, and whether it is in force at the height that was asked for."""

    name: str
    height: Height | None
    active: bool


@dataclass(frozen=True, slots=True)
class NodeStretch:
    """Heights between which the rules for nodes do not change: collaterals by tier, waits in blocks."""

    first_height: Height
    last_height: Height | None
    paid: bool
    cumulus: tuple[Zatoshi, ...]
    nimbus: tuple[Zatoshi, ...]
    stratus: tuple[Zatoshi, ...]
    start_wait: int
    dos_release: int
    expiry: int
    update_after: int


@dataclass(frozen=True, slots=True)
class RewardStretch:
    """Heights between which a block's coins are shared alike, with the amounts of the last of them."""

    name: str
    first_height: Height
    last_height: Height | None
    rewards: Rewards


@dataclass(frozen=True, slots=True)
class OneOff:
    """Outputs on top of the subsidy: ``times`` of them, evenly spread from the first height to the last."""

    name: FundName
    first_height: Height
    last_height: Height
    times: int
    amount: Zatoshi
    address: Address


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of the block at a height, and how they came and go; the time of a block to come is an estimate."""

    height: Height
    time: Seconds
    chain: ChainRules
    nodes: NodeRules
    rewards: Rewards
    tiers: tuple[TierRules, ...]
    upgrades: tuple[UpgradeHeight, ...]
    node_eras: tuple[NodeStretch, ...]
    reward_eras: tuple[RewardStretch, ...]
    one_offs: tuple[OneOff, ...]
