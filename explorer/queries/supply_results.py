"""What the queries about the supply answer with, in the manner of ``results``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explorer.queries.results import BlockReference
from explorer.queries.units import Address, Hash, Height, Seconds, Tier, Zatoshi

CapName = Literal[
    "whitepaper_440m_formula", "whitepaper_440m_addresses", "native_440m", "announced_560m", "max_money"
]
CapMethod = Literal["official_formula", "addresses", "native_issued", "native_total"]
CapState = Literal["within", "exceeded", "unknown"]
EraKind = Literal["slow_start", "full_subsidy", "halving", "pon", "reduction"]


@dataclass(frozen=True, slots=True)
class FusionWallet:
    """A wallet of the bridge on the native chain: what it holds, and how sure it is that it is one."""

    address: Address
    role: str
    balance: Zatoshi
    confidence: Literal["consensus", "official", "third_party"]


@dataclass(frozen=True, slots=True)
class FusionHeld:
    """What the bridge holds on the native chain; once more without what only third parties call its own."""

    held: Zatoshi
    held_without_third_party: Zatoshi
    wallets: tuple[FusionWallet, ...]


@dataclass(frozen=True, slots=True)
class NativeSupply:
    """The coins of the native chain after a block.

    ``schedule`` is what the rules allow, ``issued`` what the coinbases made, ``unclaimed`` the difference. ``total``
    is transparent and shielded together, without the unspendable outputs. ``reconciles`` says whether the stored
    unspent outputs, or the daemon's, added up to the running totals when that was last compared, at
    ``reconciled_height``; null when it never was.
    """

    schedule: Zatoshi
    issued: Zatoshi
    unclaimed: Zatoshi
    transparent: Zatoshi
    sprout: Zatoshi
    sapling: Zatoshi
    unspendable: Zatoshi
    total: Zatoshi
    reconciles: bool | None
    reconciled_height: Height | None
    fusion: FusionHeld
    outside_fusion: Zatoshi


@dataclass(frozen=True, slots=True)
class AsOf:
    """When a parallel chain was read: Unix seconds, and its own block where it tells one."""

    time: Seconds
    block: int | None


@dataclass(frozen=True, slots=True)
class IssuerBalance:
    """What an address of the issuer holds on a parallel chain; null without a reading."""

    role: str
    address: str
    held: Zatoshi | None


@dataclass(frozen=True, slots=True)
class ParallelSupply:
    """A parallel chain as it was last read; null is what is not known, ``reason`` says why there is nothing newer."""

    chain: str
    name: str
    asset: str
    contract: str
    minted: Zatoshi | None
    issuer_held: Zatoshi | None
    outstanding: Zatoshi | None
    issuers: tuple[IssuerBalance, ...]
    as_of: AsOf | None
    state: Literal["fresh", "stale", "unavailable"]
    reason: str | None
    lifecycle: str


@dataclass(frozen=True, slots=True)
class CutReference:
    """The moment at which all parallel chains and the native chain were read together."""

    height: Height
    hash: Hash
    time: Seconds
    stale: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over chains; two methods that must not be mixed.

    ``parallel_outstanding`` and ``all_chains_addresses`` are those of ``cut`` and null without one that is recent;
    ``all_chains_formula`` is the official formula of the height, null where no parallel chain has begun.
    """

    parallel_outstanding: Zatoshi | None
    all_chains_formula: Zatoshi | None
    all_chains_addresses: Zatoshi | None
    cut: CutReference | None


@dataclass(frozen=True, slots=True)
class TierEffect:
    """What a change of the subsidy does to a tier's payout."""

    tier: Tier
    before: Zatoshi
    after: Zatoshi


@dataclass(frozen=True, slots=True)
class Reduction:
    """The next change of the subsidy: at which height, when by the target spacing, and what it does."""

    kind: EraKind
    name: str
    height: Height
    blocks: int
    time: Seconds
    subsidy_before: Zatoshi
    subsidy_after: Zatoshi
    tiers: tuple[TierEffect, ...]


@dataclass(frozen=True, slots=True)
class Supply:
    """The supply of the native chain after a block, and of the parallel chains as far as it is known."""

    at: BlockReference
    native: NativeSupply
    parallel: tuple[ParallelSupply, ...]
    totals: Totals
    next_reduction: Reduction | None


@dataclass(frozen=True, slots=True)
class Crossing:
    """The first height at which a limit is passed, and when: by the target spacing where it is to come."""

    height: Height
    time: Seconds


@dataclass(frozen=True, slots=True)
class CapCheck:
    """A limit, and how far it is away.

    ``crosses`` begins at what is there now: null when the limit is passed already, or when it is never passed.
    ``crosses_by_schedule`` follows from the rules alone. ``missing`` names what makes the check unknown.
    """

    name: CapName
    method: CapMethod
    limit: Zatoshi
    value: Zatoshi | None
    headroom: Zatoshi | None
    state: CapState
    missing: tuple[str, ...]
    crosses: Crossing | None
    crosses_by_schedule: Crossing | None
    explanation: str


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps that anybody has named, each checked on its own."""

    checks: tuple[CapCheck, ...]


@dataclass(frozen=True, slots=True)
class SupplyPoint:
    """The supply after one block; ``formula`` is null where no parallel chain has begun."""

    height: Height
    time: Seconds
    issued: Zatoshi
    transparent: Zatoshi
    shielded: Zatoshi
    unspendable: Zatoshi
    schedule: Zatoshi
    formula: Zatoshi | None


@dataclass(frozen=True, slots=True)
class Era:
    """A stretch of heights with one rule for the subsidy; the subsidy is that of its last block.

    ``last_height`` is null for the one that never ends.
    """

    kind: EraKind
    name: str
    first_height: Height
    last_height: Height | None
    subsidy: Zatoshi


@dataclass(frozen=True, slots=True)
class SupplyHistory:
    """The supply at evenly spread heights up to the tip, and the eras that have begun."""

    points: tuple[SupplyPoint, ...]
    eras: tuple[Era, ...]


@dataclass(frozen=True, slots=True)
class UnclaimedBlock:
    """A block whose coinbase claimed other than the schedule: new coins only, fees left out on both sides."""

    height: Height
    scheduled: Zatoshi
    claimed: Zatoshi
    unclaimed: Zatoshi
    explanation: str
