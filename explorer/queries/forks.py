"""The reorganisations so far by where they forked: which of them put a block where it is, and which took it away."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from indexer.chain.keys import first_outkey

KEPT = "forks"


class Forks:
    """The last common block of each reorganisation, which are numbered from 1 as in ``reorgs``."""

    def __init__(self, heights: Sequence[int]) -> None:
        self._heights = heights
        self._lowest: dict[int, tuple[list[int], list[int]]] = {}

    def __len__(self) -> int:
        return len(self._heights)

    def fork(self, number: int) -> int:
        """The height of the last block that reorganisation ``number`` left."""
        return self._heights[number - 1]

    def made(self, height: int, upto: int) -> int:
        """The last of the first ``upto`` reorganisations that made another block ``height``; 0 for none.

        It is the same for all blocks of a branch and does not change while a block stays: part of its identity.
        """
        if upto not in self._lowest:
            self._lowest[upto] = self._lowest_since(upto)
        heights, numbers = self._lowest[upto]
        place = bisect_left(heights, height) - 1
        return numbers[place] if place >= 0 else 0

    def took(self, height: int, after: int) -> int | None:
        """The first reorganisation after number ``after`` that orphaned block ``height``; None while it stays."""
        later = range(after + 1, len(self._heights) + 1)
        return next((number for number in later if self.fork(number) < height), None)

    def _lowest_since(self, upto: int) -> tuple[list[int], list[int]]:
        """The forks, ascending, below which no later one of the first ``upto`` went, and their numbers."""
        heights: list[int] = []
        numbers: list[int] = []
        for number in range(upto, 0, -1):
            if not heights or self.fork(number) < heights[-1]:
                heights.append(self.fork(number))
                numbers.append(number)
        return heights[::-1], numbers[::-1]


async def read_forks(view: View) -> Forks:
    """The reorganisations up to the tip's count; kept in memory for this epoch, which ends with the next one."""
    forks: Forks | None = view.kept(KEPT, 0)
    if forks is None:
        ids = [number << 16 for number in range(1, view.tip.reorgs + 1)]
        rows = await view.many("reorgs", {"_id": {"$in": ids}}, sort=[("_id", 1)], fields=("fork",)) if ids else []
        if len(rows) != len(ids):
            raise NotFound(Phrase(
                "%(number)s reorganisations are not recorded: the index is not whole",
                number=len(ids) - len(rows),
            ))  # fmt: skip
        forks = Forks([row["fork"] for row in rows])
        view.keep(KEPT, 0, forks)
    return forks


async def block_mark(view: View, forks: Forks, height: int, number: int) -> bytes | None:
    """The first bytes of the hash of block ``height`` as it was after reorganisation ``number``; None for no block."""
    taker = forks.took(height, number)
    if taker is not None:
        return await orphan_mark(view, taker, height)
    if height == view.tip.height:
        return mark(view.tip.hash)
    row = await view.row("blocks", height)
    return None if row is None else mark(row["hash"])


async def orphan_mark(view: View, number: int, height: int) -> bytes | None:
    """The first bytes of the hash of the block ``height`` that reorganisation ``number`` orphaned."""
    where = {"_id": {"$gt": number << 16, "$lt": (number + 1) << 16}, "height": height}
    rows = await view.many("reorgs", where, limit=1, fields=("hash",))
    return mark(rows[0]["hash"]) if rows else None


def mark(block_hash: bytes) -> bytes:
    """What a place in a feed keeps of a block's hash (wire order): without its zeros, enough to tell branches apart."""
    return bytes(block_hash[:4])


def last_outkey(height: int) -> int:
    """The greatest outkey of block ``height``; 0 for what is before block 0, whose output belongs to nobody."""
    return max(first_outkey(height + 1) - 1, 0)
