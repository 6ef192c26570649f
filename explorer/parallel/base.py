"""What every reader of a parallel chain gives, and what is kept of it.

Amounts are zatoshi whatever the decimals of the chain's own token. Never ``totalSupply`` as a circulating figure:
eight chains have minted 440 million, of which the issuer holds most. Outstanding is minted less issuer-held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    """

    key: str
    name: str
    asset: str
    kind: str
    contract: str
    decimals: int
    issuers: tuple[Issuer, ...]
    endpoints: tuple[str, ...]
    lifecycle: str
    minted: int
    launch_height: int
    snapshot_height: int | None
    explorer_url: str


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
    """Asks one chain, over its own protocol. Raises SourceError with what was wrong and where."""

    async def read(self, chain: ParallelChain) -> Reading:
        """Minted and issuer-held now."""
        ...


@dataclass(frozen=True, slots=True)
class ChainState:
    """A chain and the last good reading of it; ``reason`` is why there is no newer one."""

    chain: ParallelChain
    reading: Reading | None
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Readings of all chains that held at one moment, at which block ``height`` was the tip of the native chain.

    All chains are read twice; when nothing moved between the first and the second time, and the tip stayed where it
    was, there was a moment at which all of it was true together. Only such readings may be added up.
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
