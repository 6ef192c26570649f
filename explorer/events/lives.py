"""What a block did to nodes: starts, confirmations, and everything else but payouts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from explorer.db import View
from explorer.queries.node_results import EventName
from explorer.queries.text import tier_name
from explorer.queries.timeline import ORDER, spenders
from explorer.queries.units import Address, Hash, Height, Outpoint, Tier
from indexer.chain.address import encode_address
from indexer.chain.hashes import sha256d
from indexer.chain.keys import eventkey, hash_text, outpoint_text, txkey
from indexer.chain.queue import Event
from indexer.store.codec import EVENTS, Document, confirm_bytes, confirm_rows


@dataclass(frozen=True, slots=True)
class NodeChange:
    """Something that happened to a node, as in its list of events, and which node it is."""

    node: Outpoint
    tier: Tier
    address: Address
    height: Height
    txid: Hash | None
    event: EventName
    detail: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    node: int
    event: Event
    detail: str | None = None
    txid: str | None = None


async def node_changes(view: View, height: int) -> tuple[NodeChange, ...]:
    """What the block at a height did to nodes, in the order in which the rules do it; payouts are told as payouts."""
    first, end = txkey(height, 0), txkey(height + 1, 0)
    starts, confirms, befell = await asyncio.gather(
        view.many("node_starts", {"_id": {"$gte": first, "$lt": end}}, fields=("node",)),
        view.one("node_confirms", {"_id": height}),
        view.many("node_events", {"_id": {"$gte": eventkey(height, 0), "$lt": eventkey(height + 1, 0)}}),
    )
    confirmed = [] if confirms is None else list(confirm_rows(confirms))
    ids = {row["node"] for row in (*starts, *befell)} | {confirm.node for confirm in confirmed}
    if not ids:
        return ()
    rows, sent = await asyncio.gather(
        view.many("node_starts", {"node": {"$in": sorted(ids)}, "_id": {"$lt": end}}, sort=[("_id", 1)]),
        view.many("transactions", {"_id": {"$in": [row["_id"] for row in starts]}}, fields=("txid",)),
    )
    nodes = {row["node"]: row for row in rows}
    txids = {row["_id"]: hash_text(row["txid"]) for row in sent}
    entries = [_Entry(row["node"], Event.START, None, txids.get(row["_id"])) for row in starts]
    for confirm in confirmed:
        kind = Event.UPDATE if confirm.update else Event.CONFIRM
        txid = hash_text(sha256d(confirm_bytes(confirm, bytes(nodes[confirm.node]["outpoint"]))))
        entries.append(_Entry(confirm.node, kind, confirm.ip.decode("latin-1"), txid))
    entries += _befallen(befell)
    entries.sort(key=lambda entry: (ORDER[entry.event], entry.node))
    return tuple([await _change(view, height, entry, nodes) for entry in entries])


def _befallen(rows: list[Document]) -> Iterator[_Entry]:
    for row in rows:
        if EVENTS[row["event"]] is not Event.CONFIRM:  # it is among the confirmations, with its transaction
            yield _Entry(row["node"], EVENTS[row["event"]], row.get("former"))


async def _change(view: View, height: int, entry: _Entry, nodes: Mapping[int, Document]) -> NodeChange:
    start = nodes[entry.node]
    point = bytes(start["outpoint"])
    if entry.event is Event.SPENT:
        entry = replace(entry, txid=(await spenders(view, point, [height])).get(height))
    return NodeChange(
        node=outpoint_text(point),
        tier=tier_name(start["tier"]),
        address=encode_address(bytes(start["payee"]), view.network),
        height=height,
        txid=entry.txid,
        event=entry.event.value,
        detail=entry.detail,
    )
