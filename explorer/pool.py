"""The unconfirmed set as a whole: how many transactions, and which blocks they cannot be in.

The set is a journal, not a function of the chain: it is what the daemon had when it was last asked, and its rows
never change. So they are read once and without a fence of their own. What ties them to a tip is one rule: what is
mined at or below the tip is shown as mined only. It is checked against rows of the chain, which have their fence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from indexer.parse.columns import ints
from indexer.store.codec import mempool_part

NAME: Final = "mempool"  # of its revision
MOST_PARTS: Final = 8  # that an answer names; one that looks at more rests on the whole set
MOST_BLOCKS: Final = 100  # as deep as a reorganisation goes, and as old as a set may be


@dataclass(frozen=True, slots=True)
class Pool:
    """``meta.mempool``: none of the transactions is mined at or below block ``height`` of ``epoch``.

    ``kinds`` counts transfers, node starts and node confirmations; times are Unix seconds. ``parts`` are the revisions
    of the last changes of its parts: what is found by an address or a txid rests on one of them.
    """

    revision: int
    count: int
    bytes: int
    kinds: tuple[int, int, int]
    left_out: int
    height: int
    epoch: int
    updated_at: int
    stale_since: int | None
    parts: tuple[int, ...]

    def mined_above(self, height: int, epoch: int) -> int:
        """Above which block a transaction of the set may be mined, given the height and epoch of the tip."""
        below = min(self.height, height)
        return below if epoch == self.epoch else max(-1, below - MOST_BLOCKS)

    def is_near(self, height: int) -> bool:
        """Whether the set is of a time close enough to the tip to say anything about it."""
        return height - self.height <= MOST_BLOCKS


def names_of(keys: Iterable[bytes]) -> frozenset[str]:
    """The names of those revisions that change when what is found by address keys or txids (wire order) does."""
    parts = {mempool_part(key) for key in keys}
    return frozenset(f"{NAME}.{part}" for part in parts) if len(parts) <= MOST_PARTS else frozenset((NAME,))


def revision_of(pool: Pool | None, name: str) -> int:
    """The revision of the set or of one of its parts; 0 while it is unknown."""
    if pool is None:
        return 0
    part = name.partition(".")[2]
    return pool.parts[int(part)] if part else pool.revision


def read_pool(document: Mapping[str, Any] | None) -> Pool | None:
    """The set as ``meta`` describes it; None before it was first compared with the daemon's."""
    if document is None or "block" not in document or "parts" not in document:
        return None
    return Pool(
        document["revision"],
        document["count"],
        document["bytes"],
        tuple(document["kinds"]),
        document["left_out"],
        document["block"]["height"],
        document["block"]["epoch"],
        document["updated_at"],
        document["stale_since"],
        tuple(ints(document["parts"], "I")),
    )
