"""What came into the mempool, as events."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from explorer.db import View
from explorer.events.chain import transaction_event
from explorer.events.event import Event, Position
from explorer.queries.rows import unconfirmed_transaction
from explorer.queries.transactions import mined
from explorer.queries.unconfirmed import COLLECTION

MOST: Final = 500  # arrivals that are told at once; what a flood brings beyond them is in the list of the mempool


async def waiting_txids(view: View) -> frozenset[bytes] | None:
    """The ids (wire order) of what is unconfirmed; None while the set is unknown."""
    if view.pool is None:
        return None
    return frozenset(bytes(row["_id"]) for row in await view.many(COLLECTION, {}, fields=("_id",)))


async def arrivals(view: View, since: Position, txids: Collection[bytes]) -> list[Event]:
    """The events of unconfirmed transactions in the order of their coming, at the block of ``since`` and after it.

    What is mined at or below the tip is not unconfirmed any more.
    """
    pool = view.pool
    if pool is None or not txids:
        return []
    rows = await view.many(COLLECTION, {"_id": {"$in": sorted(txids)}}, sort=[("n", 1)], limit=MOST)
    over = await mined(view, [bytes(row["_id"]) for row in rows], pool.mined_above(view.tip.height, view.tip.epoch))
    return [
        transaction_event(
            since._replace(sequence=since.sequence + n), unconfirmed_transaction(row, view.network), view
        )
        for n, row in enumerate((row for row in rows if bytes(row["_id"]) not in over), start=1)
    ]
