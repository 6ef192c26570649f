"""Blocks by their times."""

from __future__ import annotations

from explorer.db import View
from explorer.errors import BadRequest
from explorer.queries.running import first_reaching_each
from indexer.chain.keys import hash_text

MOST_BLOCKS = 10_000
DRIFT_SECONDS = 7200
"""How far the header times of blocks may fall behind their running maximum (``chain.h: MAX_FUTURE_BLOCK_TIME``)."""


async def hashes_between(view: View, low: int, high: int) -> list[tuple[int, str]]:
    """Time and hash of the blocks with ``low <= time < high`` (Unix seconds), in that order.

    BadRequest when there are more than 10,000.
    """
    if high <= low:
        return []
    first, beyond = await first_reaching_each(view, "max_time", (low, high + DRIFT_SECONDS))
    if first is None:
        return []
    end = view.tip.height + 1 if beyond is None else beyond
    where = {"_id": {"$gte": first, "$lt": end}, "time": {"$gte": low, "$lt": high}}
    rows = await view.many("blocks", where, sort=[("_id", 1)], limit=MOST_BLOCKS + 1, fields=("hash", "time"))
    if len(rows) > MOST_BLOCKS:
        raise BadRequest(f"there are more than {MOST_BLOCKS} blocks in this time: ask for a shorter one")
    return sorted((row["time"], hash_text(row["hash"])) for row in rows)
