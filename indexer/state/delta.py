"""What a batch of blocks changes, as plain values: the state makes it, the store writes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from indexer.chain.payouts import CoinbaseJudgement
from indexer.chain.queue import Event
from indexer.chain.replay import PastLists
from indexer.parse.columns import NodeStart, ParsedBlock


class Coin(NamedTuple):
    """An unspent output, without its outpoint: outkey, address key, zatoshi, form of its script."""

    outkey: int
    address: bytes
    value: int
    form: int


class LedgerRow(NamedTuple):
    """What a block left an address with: zatoshi, counts, positions in the block of what touched it."""

    address: bytes
    height: int
    balance: int
    received: int
    tx_count: int
    utxo_count: int
    positions: tuple[int, ...]


class NodeRow(NamedTuple):
    """A node at one moment, with the names of ``indexer.chain.queue.Node``."""

    id: int
    outpoint: bytes
    status: int
    tier: int
    value: int
    payee: bytes
    payee_kind: int
    pubkey: bytes
    ip: bytes  # the signed text, verbatim
    started: int
    confirmed: int
    last_confirmed: int
    last_paid: int
    ended: int
    lives: int
    paid_count: int
    paid_total: int
    delegates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """Running totals up to and including a block: zatoshi and counts."""

    max_time: int = 0
    txs_total: int = 0
    issued: int = 0
    transparent: int = 0
    txouts: int = 0
    sprout: int = 0
    sapling: int = 0
    unspendable: int = 0
    payouts_checked: int = 0
    payouts_mismatched: int = 0
    fees_total: int = 0
    active_total: int = 0  # addresses, each once a day (``eras.day_begin``)


@dataclass(frozen=True, slots=True)
class TipMark:
    """A block by height, hash (wire order) and header time; height -1 before the first block."""

    height: int = -1
    hash: bytes = bytes(32)
    time: int = 0


@dataclass(frozen=True, slots=True)
class Start:
    """A START with what its collateral says: node id, tier, zatoshi, payee."""

    start: NodeStart
    node: int
    tier: int
    value: int
    payee: bytes
    payee_kind: int


class NodeChange(NamedTuple):
    """What a block did to a node: CONFIRM, IP_CHANGE, DOS or an ending; its ip (and former one) where it was set."""

    event: Event
    node: int
    tier: int
    ip: bytes = b""
    former: bytes = b""


@dataclass(frozen=True, slots=True)
class AppliedBlock:
    """A block with everything that its rows need."""

    height: int
    parsed: ParsedBlock
    spent: tuple[Coin, ...]  # one per input of parsed.prevouts
    fees: tuple[int | None, ...]  # one per transaction; None for coinbases and node transactions
    coinbase_value: int
    fee_sum: int
    starts: tuple[Start, ...]
    confirm_nodes: tuple[int, ...]  # node id of each confirmation
    confirm_tiers: tuple[int, int, int]
    producer: tuple[int, int] | None  # node id and status, before the block, of the node that produced it
    payouts: CoinbaseJudgement
    payout_nodes: tuple[int, ...]  # node id of each predicted payee
    changes: tuple[NodeChange, ...]  # in the order in which they take effect
    snapshot: PastLists | None  # the node lists after the block, at some heights
    ledger: tuple[LedgerRow, ...]
    totals: Totals


@dataclass(slots=True)
class Delta:
    """What a batch changes: immutable rows by block, mutable rows as they end, and what they were."""

    previous: TipMark
    tip: TipMark
    blocks: list[AppliedBlock] = field(default_factory=list)
    made: dict[bytes, Coin] = field(default_factory=dict)  # unspent outputs that the batch leaves behind
    spent: dict[bytes, Coin] = field(default_factory=dict)  # those it took that existed before it
    nodes: list[NodeRow] = field(default_factory=list)  # as they end
    nodes_before: list[NodeRow] = field(default_factory=list)  # as they were
    made_nodes: list[int] = field(default_factory=list)  # ids of those that were not there before

    @property
    def first(self) -> int:
        """The first height of the batch."""
        return self.previous.height + 1
