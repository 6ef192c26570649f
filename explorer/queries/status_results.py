"""What the query about the explorer itself answers with, in the manner of ``results``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from explorer.queries.units import Hash, Height, Outpoint, Seconds

Unchecked = Literal["no_daemon", "switched_off"]


@dataclass(frozen=True, slots=True)
class Daemon:
    """What the indexer last heard from the daemon; None before it was heard."""

    height: Height | None
    hash: Hash | None
    version: int | None
    connections: int | None
    reachable: bool
    in_initial_download: bool | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How the index keeps up with the daemon, and how far behind it is, in blocks."""

    state: Literal["catching_up", "following", "stalled"]
    behind: int | None


@dataclass(frozen=True, slots=True)
class Index(Progress):
    """How far the index is and how fast it goes."""

    blocks_per_second: float | None
    eta_seconds: int | None
    indexes_ready: tuple[str, ...]
    indexes_building: dict[str, float]


@dataclass(frozen=True, slots=True)
class KeepingUp:
    """How the index keeps up, how many payouts were compared, and how many differ."""

    index: Progress
    payouts_checked: int
    payouts_mismatched: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Where index and daemon disagree: a list of nodes or the supply; None is what one of them does not have."""

    subject: Literal["confirmed", "started", "dos", "supply"]
    outpoint: Outpoint | None
    field: str
    ours: str | None
    theirs: str | None


@dataclass(frozen=True, slots=True)
class Checks:
    """What the index has proved about itself; of the differences the first ones, and how many there are.

    ``queue_unchecked`` and ``supply_unchecked`` say why a comparison with the daemon is not done; None where it is.
    """

    payouts_checked: int
    payouts_mismatched: int
    queue_matches_daemon: bool | None
    queue_checked_height: Height | None
    supply_matches_daemon: bool | None
    supply_checked_height: Height | None
    queue_unchecked: Unchecked | None = None
    supply_unchecked: Unchecked | None = None
    difference_count: int = 0
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Reorgs:
    """The reorganisations that this index has followed; heights are None before the first."""

    count: int
    deepest: int | None
    last_height: Height | None


@dataclass(frozen=True, slots=True)
class ParallelReading:
    """How old the last good reading of a parallel chain is, and why there is no newer one; None before the first."""

    chain: str
    name: str
    state: Literal["fresh", "stale", "unavailable"]
    time: Seconds | None
    age_seconds: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ParallelReadings:
    """The readings of the parallel chains, and the block at which all of them last held together."""

    chains: tuple[ParallelReading, ...]
    cut_height: Height | None
    cut_time: Seconds | None
    cut_stale: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The state of daemon, index and checks."""

    network: str
    simulated: bool
    daemon: Daemon
    index: Index
    checks: Checks
    reorgs: Reorgs
    schema: int
    version: str
    started_at: Seconds
    parallel: ParallelReadings | None = None
