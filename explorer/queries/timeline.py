"""The life of a node: everything that happened to it, newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.node_results import LifeEvent
from explorer.queries.nodes import node_id
from explorer.queries.results import Page
from indexer.chain.hashes import sha256d
from indexer.chain.keys import eventkey, eventkey_height, hash_text, txkey, txkey_height
from indexer.chain.params import COIN
from indexer.chain.queue import Event
from indexer.store.codec import EVENTS, Document, confirm_bytes, confirm_rows, slices

HISTORY = Cursor("events of a node", 2)

ORDER = {
    event: order
    for order, event in enumerate(
        (
            Event.START,
            Event.CONFIRM,
            Event.UPDATE,
            Event.IP_CHANGE,
            Event.DOS,
            Event.RELEASED,
            Event.SPENT,
            Event.REMOVED,
            Event.EXPIRED,
            Event.PAYOUT,
        )
    )
}
"""How the events of one block follow each other, as in the queue."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An event with the row that it is in."""

    height: int
    event: Event
    detail: str | None = None
    txid: str | None = None

    @property
    def place(self) -> tuple[int, int]:
        return self.height, ORDER[self.event]


async def timeline(view: View, outpoint: bytes, *, cursor: str | None = None, limit: int) -> Page[LifeEvent]:
    """What happened to a node, newest first; the cursor names the last event shown."""
    view.require_index("node_confirms.nodes")
    view.require_index("payouts.nodes")
    id = await node_id(view, outpoint)
    before = (view.tip.height + 1, 0) if cursor is None else cast(tuple[int, int], HISTORY.decode(cursor))
    # In a block a source has at most two events of a node: the rows asked for cover what lies below the cursor.
    found = await asyncio.gather(*(read(view, id, outpoint, before[0], limit + 3) for read in SOURCES))
    entries = sorted((e for part in found for e in part if e.place < before), key=lambda e: e.place, reverse=True)
    page = entries[:limit]
    spends = await spenders(view, outpoint, [entry.height for entry in page if entry.event is Event.SPENT])
    items = tuple(
        LifeEvent(e.height, spends.get(e.height) if e.event is Event.SPENT else e.txid, e.event.value, e.detail)
        for e in page
    )
    return Page(items, HISTORY.encode(*page[-1].place) if len(entries) > limit else None)


async def _starts(view: View, id: int, outpoint: bytes, top: int, count: int) -> list[_Entry]:
    where = {"node": id, "_id": {"$lt": txkey(min(top, view.tip.height) + 1, 0)}}
    rows = await view.many("node_starts", where, sort=[("_id", -1)], limit=count, fields=("_id",))
    found = await view.many("transactions", {"_id": {"$in": [row["_id"] for row in rows]}}, fields=("txid",))
    return [_Entry(txkey_height(row["_id"]), Event.START, None, hash_text(row["txid"])) for row in found]


async def _confirms(view: View, id: int, outpoint: bytes, top: int, count: int) -> list[_Entry]:
    where = {"nodes": id, "_id": {"$lte": min(top, view.tip.height)}}
    rows = await view.many("node_confirms", where, sort=[("_id", -1)], limit=count)
    return [entry for row in rows for entry in _confirmations(row, id, outpoint)]


def _confirmations(row: Document, id: int, outpoint: bytes) -> Iterator[_Entry]:
    for confirm in confirm_rows(row):
        if confirm.node == id:
            event = Event.UPDATE if confirm.update else Event.CONFIRM
            txid = hash_text(sha256d(confirm_bytes(confirm, outpoint)))
            yield _Entry(row["_id"], event, confirm.ip.decode("latin-1"), txid)


async def _changes(view: View, id: int, outpoint: bytes, top: int, count: int) -> list[_Entry]:
    where = {"node": id, "_id": {"$lt": eventkey(min(top, view.tip.height) + 1, 0)}}
    rows = await view.many("node_events", where, sort=[("_id", -1)], limit=2 * count)
    return [
        _Entry(eventkey_height(row["_id"]), EVENTS[row["event"]], row.get("former"))
        for row in rows
        if EVENTS[row["event"]] is not Event.CONFIRM  # it is among the confirmations, with its transaction
    ]


async def _payouts(view: View, id: int, outpoint: bytes, top: int, count: int) -> list[_Entry]:
    where = {"nodes": id, "_id": {"$lte": min(top, view.tip.height)}}
    rows = await view.many("payouts", where, sort=[("_id", -1)], limit=count, fields=("nodes", "amounts", "vouts"))
    txids = await coinbases(view, [row["_id"] for row in rows])
    return [_payout(row, row["nodes"].index(id), txids) for row in rows]


def _payout(row: Document, number: int, txids: dict[int, str]) -> _Entry:
    height = row["_id"]
    txid = txids.get(height) if row["vouts"][number] >= 0 else None
    whole, rest = divmod(row["amounts"][number], COIN)
    return _Entry(height, Event.PAYOUT, f"{whole}.{rest:08d}", txid)


SOURCES = (_starts, _confirms, _changes, _payouts)


async def coinbases(view: View, heights: Sequence[int]) -> dict[int, str]:
    """The txid of the coinbase of each block."""
    where = {"_id": {"$in": [txkey(height, 0) for height in heights]}}
    rows = await view.many("transactions", where, fields=("txid",)) if heights else []
    return {txkey_height(row["_id"]): hash_text(row["txid"]) for row in rows}


async def spenders(view: View, outpoint: bytes, heights: Sequence[int]) -> dict[int, str]:
    """By height, the transaction of the block that spends an output."""
    found = {}
    for height in heights:
        where = {"_id": {"$gte": txkey(height, 0), "$lt": txkey(height + 1, 0)}}
        for row in await view.many("transactions", where, fields=("txid", "in_points")):
            if outpoint in slices(bytes(row.get("in_points", b"")), 36):
                found[height] = hash_text(row["txid"])
    return found
