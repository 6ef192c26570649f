"""What the queries about nodes answer with, in the manner of ``results``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explorer.queries.results import BlockReference
from explorer.queries.units import Address, Hash, Height, Hex, Outpoint, Seconds, Tier, Zatoshi

StatusName = Literal["started", "confirmed", "dos", "expired", "spent", "removed", "released"]
EventName = Literal[
    "start", "confirm", "update", "ip_change", "payout", "dos", "released", "expired", "spent", "removed"
]


@dataclass(frozen=True, slots=True)
class ListCounts:
    """How many nodes of a tier are on each list."""

    confirmed: int
    started: int
    dos: int


@dataclass(frozen=True, slots=True)
class NextPayee:
    """The node of a tier that is paid next."""

    node: Outpoint
    address: Address
    ip: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """The hardware that a node needs: ``eps`` counts the events a second of its benchmark.

    Disk speed is in megabytes, bandwidth (either way) in megabits a second.
    """

    cores: int
    threads: int
    ram_gb: int
    storage_gb: int
    eps: int
    disk_mbps: int
    bandwidth_mbps: int


@dataclass(frozen=True, slots=True)
class TierState:
    """A tier after a block: its nodes, what one earns, how long a turn takes; spacings in seconds.

    ``requirements`` are those of today, None at a past block.
    """

    tier: Tier
    collateral: Zatoshi
    reward: Zatoshi
    nodes: ListCounts
    cycle_blocks: int
    cycle_seconds: int
    observed_spacing_seconds: float | None
    observed_cycle_blocks: int | None
    annual_reward_per_node: Zatoshi | None
    requirements: Requirements | None
    next: NextPayee | None


@dataclass(frozen=True, slots=True)
class Tiers:
    """The three tiers after a block."""

    at: BlockReference
    items: tuple[TierState, ...]


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until a payment that one in ten, one in two and nine in ten waits do not exceed."""

    p10: int
    p50: int
    p90: int


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """A node's place in the payment queue of its tier; rank 0 is paid next."""

    rank: int
    node: Outpoint
    address: Address
    ip: str
    confirmed_height: Height
    last_paid_height: Height | None
    pays_by_height: Height
    expected_height: Height
    eta_seconds: int
    eta: Eta


@dataclass(frozen=True, slots=True)
class Queue:
    """Some of the payment queue of a tier after a block, and the cursor of the rest."""

    at: BlockReference
    items: tuple[QueuePlace, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Node:
    """A node: heights are of the present or last life, what it was paid is over all lives."""

    node: Outpoint
    tier: Tier
    status: StatusName
    reason: str | None
    address: Address
    ip: str | None
    collateral: Zatoshi
    payee_type: Literal["p2pkh", "p2sh", "foundation"]
    pubkey: Hex
    started_height: Height
    confirmed_height: Height | None
    last_confirmed_height: Height | None
    last_paid_height: Height | None
    rank: int | None
    pays_by_height: Height | None
    expected_height: Height | None
    eta_seconds: int | None
    eta: Eta | None
    next_update_height: Height | None
    expires_height: Height | None
    dos_until: Height | None
    restart_from: Height | None
    ended_height: Height | None
    lives: int
    paid_count: int
    paid_total: Zatoshi
    delegates: tuple[Hex, ...]


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """Something that happened to a node; ``detail`` is an ip (of ``ip_change`` the former) or an amount in FLUX."""

    height: Height
    txid: Hash | None
    event: EventName
    detail: str | None


@dataclass(frozen=True, slots=True)
class NodePayout:
    """What the queue predicted for a tier of a block, and the output that satisfies it."""

    height: Height
    time: Seconds
    tier: Tier
    node: Outpoint | None
    address: Address
    amount: Zatoshi
    outpoint: Outpoint | None
    matched: bool


@dataclass(frozen=True, slots=True)
class Producer:
    """Blocks that a node produced; ``expected`` is what chance gives in its time among the confirmed nodes."""

    node: Outpoint
    tier: Tier | None
    address: Address | None
    blocks: int
    expected: float | None
    first_height: Height
    last_height: Height


@dataclass(frozen=True, slots=True)
class Operator:
    """All nodes that pay one address: how many, how many of them are confirmed now, what they produced together.

    ``expected`` is what chance gives to all of them; heights are None where none of them produced a block yet.
    """

    address: Address
    nodes: int
    confirmed: int
    blocks: int
    expected: float
    first_height: Height | None
    last_height: Height | None


@dataclass(frozen=True, slots=True)
class Slots:
    """How the newest Proof of Node blocks fill their slots: ``skipped`` of ``slots`` have no block.

    ``blocks`` of them follow ``first_height``; two blocks may share a slot.
    """

    first_height: Height
    blocks: int
    slots: int
    skipped: int


@dataclass(frozen=True, slots=True)
class ProducerTotals:
    """All Proof of Node blocks: by nodes, with the emergency keys, by the test collateral. None before the first."""

    blocks: int
    by_nodes: int
    emergency: int
    test: int
    producers: int
    first_height: Height | None
    last_emergency_height: Height | None
    recent: Slots | None
