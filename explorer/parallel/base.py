"""What every reader of a parallel chain gives, and what is kept of it.

Amounts are zatoshi whatever the decimals of the chain's own token. Never ``totalSupply`` as a circulating figure:
eight chains have minted 440 million, of which the issuer holds most. Outstanding is minted less issuer-held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

State = Literal["fresh", "stale", "unavailable"]


@dataclass(frozen=True, slots=True)
class Issuer:
    """An address of the issuer on a parallel chain; ``role`` such as SWAP, MINING, LOCKED."""

    role: str
    address: str


@dataclass(frozen=True, slots=True)
class ParallelChain:
    """A parallel chain as the settings describe it.

    ``minted`` is what the issuer announced in zatoshi. ``launch_height`` is the native height from which the official
    all-chains formula counts the chain, ``snapshot_height`` that of the balances it was launched with.
    ``confirmations`` is how many blocks below the chain's newest an EVM chain is read. Endpoints may carry keys.
    """

    key: str
    name: str
    asset: str
    kind: str
    contract: str
    decimals: int
    issuers: tuple[Issuer, ...]
    endpoints: tuple[str, ...] = field(repr=False)
    lifecycle: str
    minted: int
    launch_height: int
    snapshot_height: int | None
    explorer_url: str
    confirmations: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a chain said at one moment: ``held`` in the order of the chain's issuers; Unix seconds; its own block."""

    minted: int
    held: tuple[int, ...]
    time: int
    block: int | None

    @property
    def issuer_held(self) -> int:
        """What the issuer's addresses hold together, in zatoshi."""
        return sum(self.held)

    @property
    def outstanding(self) -> int:
        """What circulates on the chain, in zatoshi."""
        return self.minted - self.issuer_held


class Reader(Protocol):
    """Asks one chain, over its own protocol, at one endpoint. Raises SourceError with what was wrong.

    ``of_one_block``: all of a reading is of one block. Otherwise a transfer between two of its questions can tear it.
    """

    of_one_block: bool

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held at ``now`` (Unix seconds) or later."""
        ...


@dataclass(frozen=True, slots=True)
class ChainState:
    """A chain and the last good reading of it; ``reason`` is why there is no newer one.

    ``fresh``: the reading is of the last ``parallel.stale_seconds``. ``stale``: it is older. ``unavailable``: none yet.
    """

    chain: ParallelChain
    reading: Reading | None
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Readings of all chains that held at one moment, at which block ``height`` was the tip of the native chain.

    All chains are read, then the daemon is asked for its tip, then all chains are read again: when nothing moved from
    the first reading to the second, all of it was true together when the tip was asked for. Only such readings may be
    added up. A cut says nothing once its block is orphaned.
    """

    height: int
    hash: bytes
    time: int
    outstanding: tuple[tuple[str, int], ...]  # chain key, zatoshi

    @property
    def total(self) -> int:
        """What circulates on all chains together, in zatoshi."""
        return sum(amount for _, amount in self.outstanding)


@dataclass(frozen=True, slots=True)
class Parallel:
    """All that is known of the parallel chains; ``revision`` rises with every change of what is shown.

    ``mining_from`` is the height of the first native block that earned on parallel chains too; ``cut_stale`` says that
    the cut is older than ``parallel.stale_seconds``, so that it is shown and no longer counted on.
    """

    revision: int
    chains: Sequence[ChainState]
    cut: Cut | None
    mining_from: int = 825_001
    cut_stale: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The chains without a fresh reading, by key."""
        return tuple(known.chain.key for known in self.chains if known.state != "fresh")
