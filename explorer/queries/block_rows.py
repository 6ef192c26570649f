"""Rows of ``blocks`` by height."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from indexer.store.codec import Document

FEW: Final = 100  # rows that are worth keeping whole: to read more of them whole takes three times as long


async def block_row(view: View, height: int) -> Document:
    """The row of a block up to the tip; NotFound without one."""
    row = await view.row("blocks", height)
    if row is None:
        raise no_block_at(height)
    return row


async def block_rows(view: View, heights: Collection[int], *fields: str) -> Mapping[int, Document]:
    """The rows of blocks up to the tip, by height, in rising order; at least these fields of them."""
    if len(heights) <= FEW:
        rows = await view.rows("blocks", heights)
        return {height: rows[height] for height in sorted(rows)}
    wanted = sorted(height for height in heights if height <= view.tip.height)
    found = await view.many("blocks", {"_id": {"$in": wanted}}, sort=[("_id", 1)], fields=fields)
    return {row["_id"]: row for row in found}


async def times_at(view: View, heights: Collection[int]) -> Mapping[int, int]:
    """The header times of blocks, by height."""
    return {height: row["time"] for height, row in (await block_rows(view, heights, "time")).items()}


def no_block_at(height: int) -> NotFound:
    """That the index has no whole block at a height up to the tip."""
    return NotFound(
        Phrase("no block at height %(height)s: the index is not whole, run flux-explorer verify", height=height)
    )
