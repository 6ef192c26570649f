"""Cursors of lists whose order moves: they stay with the block for which the list was begun."""

from __future__ import annotations

from explorer.db import View
from explorer.errors import Reorganised
from explorer.languages.phrases import Phrase
from explorer.queries.blocks import reference_at
from indexer.chain.keys import parse_hash

MASK = (1 << 63) - 1


async def mark_of(view: View, height: int) -> int:
    """What a cursor keeps of the hash of the block at a height."""
    return mark(parse_hash((await reference_at(view, height)).hash))


def mark(hash: bytes) -> int:
    """What a cursor keeps of a block hash in wire order."""
    return int.from_bytes(hash[:8], "big") & MASK


async def require_unchanged(view: View, height: int, mark: int, rank: int) -> tuple[int, int]:
    """Height and rank of a cursor; Reorganised when the block that it stays with is gone."""
    await require_mark(view, require_pinned(view, height), mark)
    return height, rank


def require_pinned(view: View, height: int) -> int:
    """The height of a cursor, before its block is looked at; Reorganised when the tip is below it."""
    if height > view.tip.height:
        raise _gone(height)
    return height


async def require_mark(view: View, height: int, mark: int | None) -> None:
    """Raise Reorganised when the block at a height is another one than that of the mark; None stands for any."""
    if mark is not None and await mark_of(view, height) != mark:
        raise _gone(height)


def _gone(height: int) -> Reorganised:
    return Reorganised(
        Phrase("block %(height)s, for which this list was begun, has been orphaned: begin it again", height=height)
    )
