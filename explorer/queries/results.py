"""What the queries answer with; the API and the pages show exactly these objects.

Hashes, txids, outpoints and addresses are text as people see it; amounts are integers in zatoshi, times Unix
seconds of a block header, heights integers. The annotations carry the unit: ``explorer.api.json`` reads from
them how a value is written and what the OpenAPI document says about it. A field whose value is ``ABSENT`` is
left out of the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from explorer.queries.units import (
    ABSENT,
    Absence,
    Address,
    Bytes,
    FundName,
    Hash,
    Height,
    Hex,
    Kind,
    Outpoint,
    ScriptType,
    Seconds,
    Tier,
    Zatoshi,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of the items of a list, and the cursor of the rest; None at the end."""

    items: tuple[T, ...]
    next: str | None


# --- blocks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TierCounts:
    """A count for each tier."""

    cumulus: int
    nimbus: int
    stratus: int


@dataclass(frozen=True, slots=True)
class KindCounts:
    """How many transactions of each kind a block has."""

    coinbase: int
    transfer: int
    node_start: int
    node_confirm: int


@dataclass(frozen=True, slots=True)
class Payout:
    """What the queue predicts for a tier, and the coinbase output that satisfies it (None: not paid)."""

    tier: Tier
    node: Outpoint | None
    address: Address
    amount: Zatoshi
    vout: int | None
    matched: bool


@dataclass(frozen=True, slots=True)
class Fund:
    """A coinbase output that is no node payout."""

    name: FundName
    address: Address | None
    amount: Zatoshi
    vout: int


@dataclass(frozen=True, slots=True)
class BlockSummary:
    """A block in a list."""

    height: Height
    hash: Hash
    confirmations: int
    time: Seconds
    type: Literal["pow", "pon"]
    size: Bytes
    difficulty: float
    transaction_count: int
    counts: KindCounts
    confirms_by_tier: TierCounts
    fees: Zatoshi
    coinbase_value: Zatoshi
    producer: Outpoint | None


@dataclass(frozen=True, slots=True)
class Production:
    """How a Proof of Node block came about.

    ``slot`` counts spacings since genesis; ``skipped_slots`` lie between it and the parent's, None when that is
    Proof of Work. ``status`` is that of the producing node before the block; None, like tier and address, for
    emergency and test blocks.
    """

    slot: int
    skipped_slots: int | None
    status: Literal["started", "confirmed", "dos"] | None
    tier: Tier | None
    address: Address | None


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its header's facts, its sums, what it paid. ``replaced_by`` only in an orphaned block."""

    height: Height
    hash: Hash
    previous_hash: Hash | None
    next_hash: Hash | None
    confirmations: int
    time: Seconds
    type: Literal["pow", "pon"]
    version: int
    bits: Hex
    difficulty: float
    size: Bytes
    merkle_root: Hash
    transaction_count: int
    counts: KindCounts
    confirms_by_tier: TierCounts
    subsidy: Zatoshi
    fees: Zatoshi
    coinbase_value: Zatoshi
    issued: Zatoshi
    unclaimed_here: Zatoshi
    producer: Outpoint | None
    producer_kind: Literal["node", "emergency", "test"] | None
    production: Production | None
    payouts_checked: bool
    payouts: tuple[Payout, ...]
    funds: tuple[Fund, ...]
    replaced_by: Hash | None | Absence = ABSENT


# --- transactions -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction was mined."""

    height: Height
    hash: Hash
    time: Seconds
    index: int


@dataclass(frozen=True, slots=True)
class Position:
    """A position in the chain."""

    height: Height
    index: int


@dataclass(frozen=True, slots=True)
class Input:
    """An input with what it spends."""

    outpoint: Outpoint
    address: Address | None
    value: Zatoshi


@dataclass(frozen=True, slots=True)
class Spend:
    """The input ``n`` of the transaction that spends an output."""

    txid: Hash
    n: int
    height: Height


@dataclass(frozen=True, slots=True)
class UnconfirmedSpend:
    """The input ``n`` of the unconfirmed transaction that spends an output."""

    txid: Hash
    n: int


@dataclass(frozen=True, slots=True)
class Output:
    """An output; what spends it is None while nothing does, ABSENT in lists of transactions."""

    n: int
    value: Zatoshi
    address: Address | None
    script_type: ScriptType
    text: str | None
    spent_by: Spend | None | Absence
    spent_unconfirmed_by: UnconfirmedSpend | None | Absence = ABSENT


@dataclass(frozen=True, slots=True)
class Shielded:
    """What a transaction moved into and out of the shielded pools."""

    sprout_in: Zatoshi
    sprout_out: Zatoshi
    sapling_value_balance: Zatoshi
    joinsplits: int
    spends: int
    outputs: int


@dataclass(frozen=True, slots=True)
class Delegates:
    """The delegates section of a START."""

    using: bool
    type: Literal["update", "signing"] | None
    keys: tuple[Hex, ...]


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """What a node transaction says. ``tier`` is the node's, not the benchmark's."""

    node: Outpoint
    event: Literal["start", "confirm", "update"]
    tier: Tier
    ip: str | None
    address: Address
    signed_at: Seconds
    benchmark_signed_at: Seconds | None
    payee_type: Literal["p2pkh", "p2sh", "foundation"]
    delegates: Delegates | None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction; ``also_in`` names the other positions of a node transaction mined more than once.

    ``first_seen`` is when an unconfirmed one came; ABSENT in one that is in a block.
    """

    txid: Hash
    block: Place | None
    confirmations: int
    type: Kind
    version: int
    size: Bytes
    lock_time: int | None
    expiry_height: int | None
    fee: Zatoshi | None
    coinbase: Hex | None
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    shielded: Shielded | None
    node: NodeEvent | None
    also_in: tuple[Position, ...]
    first_seen: Seconds | Absence = ABSENT


# --- addresses ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BlockReference:
    """The block that a balance is true for."""

    height: Height
    hash: Hash


@dataclass(frozen=True, slots=True)
class AddressSummary:
    """An address at a height; what cannot be known at a past height is None."""

    at: BlockReference
    address: Address
    type: Literal["p2pkh", "p2sh"]
    balance: Zatoshi
    received: Zatoshi
    sent: Zatoshi
    transaction_count: int
    immature: Zatoshi
    spendable: Zatoshi | None
    unconfirmed: Zatoshi | None
    utxo_count: int | None
    first_height: Height | None
    last_height: Height | None
    label: str | None
    nodes: TierCounts | None


@dataclass(frozen=True, slots=True)
class Movement:
    """What a transaction changed for an address, and the balance it left."""

    txid: Hash
    height: Height
    time: Seconds
    index: int
    type: Kind
    delta: Zatoshi
    balance_after: Zatoshi
    confirmations: int


@dataclass(frozen=True, slots=True)
class Unspent:
    """An unspent output; ``spendable_height`` is the first block that may spend a coinbase output."""

    outpoint: Outpoint
    value: Zatoshi
    height: Height
    confirmations: int
    coinbase: bool
    spendable_height: Height | None
    script_type: ScriptType
    spent_unconfirmed_by: UnconfirmedSpend | None


# --- raw bytes, status ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """Serialized bytes of a block or transaction."""

    hex: Hex


@dataclass(frozen=True, slots=True)
class Accepted:
    """A transaction that the daemon took into its mempool."""

    txid: Hash
