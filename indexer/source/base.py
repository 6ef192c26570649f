"""The vocabulary of sources: raw blocks, what a daemon says of itself, and the events that follow a chain.

Hashes are ``bytes`` in wire order; a height counts from 0 (genesis).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

HASH_BYTES = 32
NO_PARENT = bytes(HASH_BYTES)

_PREV_HASH = slice(4, 36)
"""The parent's hash stands behind the 4-byte version in PoW and PoN headers alike (``primitives/block.h``)."""

_INITIAL_DOWNLOAD_LAG = 100


@dataclass(frozen=True, slots=True)
class RawBlock:
    """A block's bytes as on the wire, with the height and hash under which the source gave it.

    That ``raw`` really has this hash is for the parser's caller to verify: the source does not parse.
    """

    height: int
    hash: bytes
    raw: bytes

    @property
    def prev_hash(self) -> bytes:
        """The parent's hash, from the header."""
        return self.raw[_PREV_HASH]


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """What a daemon says of itself; ``url`` is where it was asked, without credentials."""

    height: int
    headers: int
    best_hash: bytes
    chain: str
    version: int
    subversion: str
    connections: int
    url: str

    @property
    def in_initial_download(self) -> bool:
        """Whether the daemon knows many more headers than blocks (it does not say so itself)."""
        return self.headers - self.height > _INITIAL_DOWNLOAD_LAG


@dataclass(frozen=True, slots=True)
class Extend:
    """The chain goes on with ``blocks``: at least one, each the child of the one before it, the first of our tip."""

    blocks: tuple[RawBlock, ...]
    status: DaemonStatus


@dataclass(frozen=True, slots=True)
class Fork:
    """Our blocks above ``height`` left the daemon's chain: rewind to this block, the last common one."""

    height: int
    hash: bytes
    status: DaemonStatus


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing new: the moment to renew leases and publish status.

    ``at_tip`` says that our tip is the daemon's, and that it answers. ``problem`` is why we wait, empty when all is
    well. ``status`` is the daemon's last answer, None before the first.
    """

    status: DaemonStatus | None
    at_tip: bool
    problem: str = ""


Event = Extend | Fork | Idle


class Source(Protocol):
    """Anything blocks can be followed from; every method may raise SourceError."""

    def status(self) -> DaemonStatus:
        """What the daemon says of itself now."""
        ...

    def hashes(self, heights: Sequence[int]) -> list[bytes | None]:
        """The active chain's block hashes at ``heights``; None above its tip."""
        ...

    def blocks(self, first: int, last: int) -> list[RawBlock]:
        """Blocks of the active chain from height ``first`` on, at most to ``last``.

        The source may give fewer (its batches are bounded by bytes), even none. Whether they link to each other
        is for the caller to check: the chain may move between the source's questions.
        """
        ...


class OpenSource(Source, Protocol):
    """A source that holds connections or files."""

    def close(self) -> None:
        """Let go of them."""
        ...
