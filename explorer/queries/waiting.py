"""The mempool in full, as the daemon lists it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.db import View
from explorer.errors import Syncing
from explorer.languages.phrases import Phrase
from explorer.queries.transactions import mined
from indexer.chain.keys import hash_text


@dataclass(frozen=True, slots=True)
class Entry:
    """An unconfirmed transaction: bytes, zatoshi (0 for node transactions), Unix seconds, txids of waiting parents."""

    txid: str
    size: int
    fee: int
    time: int
    depends: tuple[str, ...]


async def pool_entries(view: View) -> list[Entry]:
    """All unconfirmed transactions that the index holds, oldest first; Syncing while they are unknown."""
    pool = view.pool
    if pool is None:
        raise Syncing(Phrase("the unconfirmed transactions are unknown until the index has caught up with the daemon"))
    rows = await view.many("mempool", {}, sort=[("n", 1)], fields=("size", "fee", "seen", "spends"))
    ids = {bytes(row["_id"]) for row in rows}
    over = await mined(view, ids, pool.mined_above(view.tip.height, view.tip.epoch))
    return [
        Entry(
            hash_text(bytes(row["_id"])),
            row["size"],
            row.get("fee", 0),
            row["seen"],
            tuple(sorted({hash_text(point[:32]) for p in row.get("spends", ()) if (point := bytes(p))[:32] in ids})),
        )
        for row in rows
        if bytes(row["_id"]) not in over
    ]
