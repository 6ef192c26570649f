"""The life of a node: everything that happened to it, newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.node_results import LifeEvent
from explorer.queries.node_rows import Join, newest, node_row
from explorer.queries.results import Page
from indexer.chain.hashes import sha256d
from indexer.chain.keys import eventkey, eventkey_height, hash_text, txkey, txkey_height
from indexer.chain.params import COIN
from indexer.chain.queue import Event
from indexer.store.codec import EVENTS, Document, confirm_bytes, confirm_rows, slices

HISTORY = Cursor("events of a node", 2)

Place = tuple[int, int]
"""Of an event among those of a node: its height, and its order among those of the block."""

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
    def place(self) -> Place:
        return self.height, ORDER[self.event]


async def timeline(view: View, outpoint: bytes, *, cursor: str | None = None, limit: int) -> Page[LifeEvent]:
    """What happened to a node, newest first; the cursor names the last event shown."""
    before = place_below(view.tip.height, cursor)
    return await timeline_of(view, await node_row(view, outpoint, *life(view, before, limit)), before, limit)


def place_below(height: int, cursor: str | None) -> Place:
    """The place above what a page shows: that of the cursor, or all of block ``height`` is below it."""
    return (height + 1, 0) if cursor is None else cast(Place, HISTORY.decode(cursor))


def life(view: View, before: Place, limit: int) -> tuple[Join, ...]:
    """What a page of the timeline needs of a node's STARTs, events and payouts, beside its row.

    In a block a collection has at most two events of a node: the rows cover what lies below the place.
    """
    view.require_index("node_confirms.nodes")
    view.require_index("payouts.nodes")
    top, count = min(before[0], view.tip.height), limit + 3
    return (
        newest("node_starts", "node", {"_id": {"$lt": txkey(top + 1, 0)}}, count, ()),
        newest("node_events", "node", {"_id": {"$lt": eventkey(top + 1, 0)}}, 2 * count, ("event", "former")),
        newest("payouts", "nodes", {"_id": {"$lte": top}}, count, ("nodes", "amounts", "vouts")),
    )


async def timeline_of(view: View, row: Document, before: Place, limit: int) -> Page[LifeEvent]:
    """A page of the timeline of the node of a row with its ``life``."""
    outpoint, changes = bytes(row["outpoint"]), list(_changes(row))
    keys = [start["_id"] for start in row["node_starts"]] + [txkey(paid["_id"], 0) for paid in row["payouts"]]
    confirms, txids, spends = await asyncio.gather(
        _confirms(view, row, before[0], limit + 3),
        txids_of(view, keys),
        spenders(view, outpoint, [e.height for e in changes if e.event is Event.SPENT and e.place < before]),
    )
    found = (*_starts(row, txids), *changes, *_payouts(row, txids), *confirms)
    entries = sorted((e for e in found if e.place < before), key=lambda e: e.place, reverse=True)
    page = entries[:limit]
    items = tuple(
        LifeEvent(e.height, spends.get(e.height) if e.event is Event.SPENT else e.txid, e.event.value, e.detail)
        for e in page
    )
    return Page(items, HISTORY.encode(*page[-1].place) if len(entries) > limit else None)


def _starts(row: Document, txids: Mapping[int, str]) -> Iterator[_Entry]:
    for start in row["node_starts"]:
        if start["_id"] in txids:
            yield _Entry(txkey_height(start["_id"]), Event.START, None, txids[start["_id"]])


async def _confirms(view: View, node: Document, top: int, count: int) -> list[_Entry]:
    where = {"nodes": node["_id"], "_id": {"$lte": min(top, view.tip.height)}}
    rows = await view.many("node_confirms", where, sort=[("_id", -1)], limit=count)
    outpoint = bytes(node["outpoint"])
    return [entry for row in rows for entry in _confirmations(row, node["_id"], outpoint)]


def _confirmations(row: Document, id: int, outpoint: bytes) -> Iterator[_Entry]:
    for confirm in confirm_rows(row):
        if confirm.node == id:
            event = Event.UPDATE if confirm.update else Event.CONFIRM
            txid = hash_text(sha256d(confirm_bytes(confirm, outpoint)))
            yield _Entry(row["_id"], event, confirm.ip.decode("latin-1"), txid)


def _changes(row: Document) -> Iterator[_Entry]:
    for changed in row["node_events"]:
        event = EVENTS[changed["event"]]
        if event is not Event.CONFIRM:  # it is among the confirmations, with its transaction
            yield _Entry(eventkey_height(changed["_id"]), event, changed.get("former"))


def _payouts(row: Document, txids: Mapping[int, str]) -> Iterator[_Entry]:
    for paid in row["payouts"]:
        number = paid["nodes"].index(row["_id"])
        txid = txids.get(txkey(paid["_id"], 0)) if paid["vouts"][number] >= 0 else None
        whole, rest = divmod(paid["amounts"][number], COIN)
        yield _Entry(paid["_id"], Event.PAYOUT, f"{whole}.{rest:08d}", txid)


async def txids_of(view: View, keys: Sequence[int]) -> dict[int, str]:
    """The txids of transactions by txkey."""
    rows = await view.many("transactions", {"_id": {"$in": list(keys)}}, fields=("txid",)) if keys else []
    return {row["_id"]: hash_text(row["txid"]) for row in rows}


async def coinbases(view: View, heights: Sequence[int]) -> dict[int, str]:
    """The txid of the coinbase of each block."""
    found = await txids_of(view, [txkey(height, 0) for height in heights])
    return {txkey_height(key): txid for key, txid in found.items()}


async def spenders(view: View, outpoint: bytes, heights: Sequence[int]) -> dict[int, str]:
    """By height, the transaction of the block that spends an output."""
    found = {}
    for height in heights:
        where = {"_id": {"$gte": txkey(height, 0), "$lt": txkey(height + 1, 0)}}
        for row in await view.many("transactions", where, fields=("txid", "in_points")):
            if outpoint in slices(bytes(row.get("in_points", b"")), 36):
                found[height] = hash_text(row["txid"])
    return found
