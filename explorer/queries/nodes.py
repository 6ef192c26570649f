"""Nodes: one of them now or after any block, and lists of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from explorer.db import View
from explorer.errors import BadRequest, NotFound, Reorganised
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries import results
from explorer.queries.node_results import Node, StatusName
from explorer.queries.node_rows import node_row
from explorer.queries.outlook import Outlook, outlook_at
from explorer.queries.past import ranks_at
from explorer.queries.queues import parse_tier
from explorer.queries.rows import PAYEE_TYPES
from explorer.queries.text import address_key, tier_name
from indexer.chain import deadlines, nodes, tiers
from indexer.chain.address import encode_address
from indexer.chain.keys import eventkey, eventkey_height, outpoint_text, parse_outpoint, txkey, txkey_height
from indexer.chain.nodes import DELEGATES_UPDATE, Status
from indexer.chain.params import Network
from indexer.chain.queue import ENDINGS, Event
from indexer.chain.tiers import TIERS, Tier
from indexer.store.codec import EVENTS, Document, confirm_rows

LIST = Cursor("nodes", 1)

_PUBKEY = re.compile(r"(?:[0-9a-f]{66}|[0-9a-f]{130})\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which nodes a list asks for; None: all."""

    tier: str | None = None
    status: str | None = None
    address: str | None = None
    ip: str | None = None
    pubkey: str | None = None


def parse_node(text: str) -> bytes:
    """The outpoint of a node; BadRequest unless it is written as one."""
    point = parse_outpoint(text)
    if point is None:
        raise BadRequest(Phrase("%(text)s is no outpoint: expected <txid>:<n>", text=repr(text[:120])))
    return point


async def node(view: View, outpoint: bytes, *, at: int | None = None) -> Node:
    """A node at the tip, or after block ``at``."""
    height = view.tip.height if at is None else view.require_height(at)
    record, ranks, outlook = await asyncio.gather(
        _found(view, outpoint, height), ranks_at(view, height), outlook_at(view, height)
    )
    return node_result(view.network, record, ranks.get(record.id), outlook)


async def _found(view: View, outpoint: bytes, height: int) -> nodes.Node:
    return await record_at(view, await node_row(view, outpoint), height)


async def record_at(view: View, row: Document, height: int) -> nodes.Node:
    """The record after block ``height`` of the node of a row of ``nodes``; NotFound before its first START."""
    if height == view.tip.height:
        return stored_node(row)
    record = await node_at(view, row["_id"], height)
    if record is None:
        raise NotFound(Phrase(
            "no node was started with the collateral %(collateral)s up to block %(height)s",
            collateral=outpoint_text(bytes(row["outpoint"])), height=height,
        ))  # fmt: skip
    return record


async def node_list(view: View, wanted: Wanted, *, cursor: str | None = None, limit: int) -> results.Page[Node]:
    """The nodes that are wanted as they are at the tip, in the order of their outpoints."""
    where = _where(view.network, wanted)
    if cursor is not None:
        where["outpoint"] = {"$gt": await _after(view, *LIST.decode(cursor))}
    rows, ranks, outlook = await asyncio.gather(
        view.many("nodes", where, sort=[("outpoint", 1)], limit=limit + 1),
        ranks_at(view, view.tip.height),
        outlook_at(view, view.tip.height),
    )
    page = rows[:limit]
    items = tuple(node_result(view.network, stored_node(row), ranks.get(row["_id"]), outlook) for row in page)
    return results.Page(items, LIST.encode(page[-1]["_id"]) if len(rows) > limit else None)


async def _after(view: View, id: int) -> bytes:
    row = await view.one("nodes", {"_id": id})
    if row is None:
        raise Reorganised(
            Phrase("the block with the first START of the node in the cursor has been orphaned: begin again")
        )
    return bytes(row["outpoint"])


def _where(network: Network, wanted: Wanted) -> dict[str, Any]:
    """The condition; status and tier are always in it, so that their index gives the order."""
    statuses = list(Status) if wanted.status is None else [_parse_status(wanted.status)]
    some = TIERS if wanted.tier is None else [parse_tier(wanted.tier)]
    where: dict[str, Any] = {"status": {"$in": list(map(int, statuses))}, "tier": {"$in": list(map(int, some))}}
    if wanted.address is not None:
        where["payee"] = address_key(wanted.address, network)
    if wanted.ip is not None:
        where["ip"] = _ip_condition(wanted.ip)
    if wanted.pubkey is not None:
        if not _PUBKEY.match(wanted.pubkey):
            raise BadRequest(
                Phrase("%(text)s is no public key: expected 66 or 130 hex digits", text=repr(wanted.pubkey[:140]))
            )
        where["pubkey"] = bytes.fromhex(wanted.pubkey)
    return where


def _parse_status(text: str) -> Status:
    for status in Status:
        if status.label == text:
            return status
    raise BadRequest(Phrase(
        "%(text)s is no status: expected %(known)s",
        text=repr(text[:40]), known=", ".join(status.label for status in Status),
    ))  # fmt: skip


def _ip_condition(text: str) -> Any:
    """The signed text verbatim; an address without a port also finds it with one."""
    if not 1 <= len(text) <= 200 or "\0" in text:
        raise BadRequest(
            Phrase("ip: expected 1 to 200 characters as a node signs them, such as 1.2.3.4 or 1.2.3.4:16127")
        )
    return {"$regex": f"^{re.escape(text)}(:\\d+)?$"} if is_without_port(text) else text


def is_without_port(ip: str) -> bool:
    """Whether an IP is written so that a port may follow it: an IPv6 one only in brackets."""
    return ":" not in ip or ip[0] == "[" and ip[-1] == "]"


def stored_node(row: Document) -> nodes.Node:
    """A row of ``nodes`` as a record of the rules."""
    return nodes.Node(
        outpoint=bytes(row["outpoint"]),
        id=row["_id"],
        status=Status(row["status"]),
        tier=Tier(row["tier"]),
        value=row["value"],
        payee=bytes(row["payee"]),
        payee_kind=row["payee_kind"],
        pubkey=bytes(row["pubkey"]),
        started=row["started"],
        ip=row["ip"].encode("latin-1"),
        confirmed=row["confirmed"],
        last_confirmed=row["last_confirmed"],
        last_paid=row["last_paid"],
        ended=row["ended"],
        lives=row["lives"],
        paid_count=row["paid_count"],
        paid_total=row["paid_total"],
        delegates=tuple(map(bytes, row["delegates"])),
    )


async def node_at(view: View, id: int, height: int) -> nodes.Node | None:
    """The record of a node after block ``height``, from immutable rows; None before its first START."""
    view.require_index("node_confirms.nodes")
    view.require_index("payouts.nodes")
    until = {"$lte": height}
    starts, events, confirms, payouts = await asyncio.gather(
        view.many("node_starts", {"node": id, "_id": {"$lt": txkey(height + 1, 0)}}, sort=[("_id", 1)]),
        view.many("node_events", {"node": id, "_id": {"$lt": eventkey(height + 1, 0)}}, sort=[("_id", 1)]),
        view.one("node_confirms", {"nodes": id, "_id": until}, sort=[("_id", -1)]),
        view.many("payouts", {"nodes": id, "_id": until}, fields=("nodes", "amounts")),
    )
    if not starts:
        return None
    started = txkey_height(starts[-1]["_id"])
    record = _started(starts, started)
    for event in events:
        if event["_id"] >= eventkey(started, 0):  # of this life
            _befall(record, EVENTS[event["event"]], eventkey_height(event["_id"]))
    if confirms is not None and confirms["_id"] >= started:
        last = next(row for row in confirm_rows(confirms) if row.node == id)
        record.last_confirmed, record.ip = confirms["_id"], last.ip
    _pay(record, payouts)
    return record


def _started(starts: Sequence[Document], height: int) -> nodes.Node:
    """The record that the last of a node's STARTs made."""
    last = starts[-1]
    delegates: tuple[bytes, ...] = ()
    for start in starts:
        section = start.get("delegates")
        if section is not None and section["type"] == DELEGATES_UPDATE:
            delegates = tuple(map(bytes, section["keys"]))
    return nodes.Node(
        outpoint=bytes(last["outpoint"]),
        id=last["node"],
        status=Status.STARTED,
        tier=Tier(last["tier"]),
        value=last["value"],
        payee=bytes(last["payee"]),
        payee_kind=last["payee_kind"],
        pubkey=bytes(last["pubkey"]),
        started=height,
        lives=len(starts),
        delegates=delegates,
    )


def _befall(record: nodes.Node, event: Event, height: int) -> None:
    if event is Event.CONFIRM:
        record.status, record.confirmed = Status.CONFIRMED, height
    elif event is Event.DOS:
        record.status = Status.DOS
    elif event in ENDINGS:
        record.status, record.ended = ENDINGS[event], height


def _pay(record: nodes.Node, payouts: Sequence[Document]) -> None:
    for row in payouts:
        record.paid_count += 1
        record.paid_total += row["amounts"][row["nodes"].index(record.id)]
        if row["_id"] > record.started:
            record.last_paid = max(record.last_paid, row["_id"])


def node_result(network: Network, record: nodes.Node, rank: int | None, outlook: Outlook) -> Node:
    """A record as it is shown; ``rank`` is None unless it is confirmed."""
    forecast = None if rank is None else outlook.forecast(record.tier, rank)
    return Node(
        node=outpoint_text(record.outpoint),
        tier=tier_name(record.tier),
        status=cast(StatusName, record.status.label),
        reason=_reason(network, record),
        address=encode_address(record.payee, network),
        ip=record.ip.decode("latin-1") if record.confirmed else None,
        collateral=record.value,
        payee_type=PAYEE_TYPES[record.payee_kind],
        pubkey=record.pubkey.hex(),
        started_height=record.started,
        confirmed_height=record.confirmed or None,
        last_confirmed_height=record.last_confirmed or None,
        last_paid_height=record.last_paid or None,
        rank=rank,
        pays_by_height=forecast.pays_by_height if forecast else None,
        expected_height=forecast.expected_height if forecast else None,
        eta_seconds=forecast.eta_seconds if forecast else None,
        eta=forecast.eta if forecast else None,
        next_update_height=deadlines.next_update_height(network, record),
        expires_height=deadlines.expires_height(network, record),
        dos_until=deadlines.dos_until(network, record),
        restart_from=deadlines.restart_from(network, record),
        ended_height=record.ended or None,
        lives=record.lives,
        paid_count=record.paid_count,
        paid_total=record.paid_total,
        delegates=tuple(key.hex() for key in record.delegates),
    )


def _reason(network: Network, record: nodes.Node) -> Phrase | None:
    """Why a node is neither started nor confirmed."""
    if record.status is Status.DOS:
        last = tiers.first_after(network, tiers.START_WAIT, record.started)
        return Phrase("no confirmation up to block %(height)s", height=last)
    windows = tiers.windows(network, record.ended)
    reasons: Mapping[Status, Phrase] = {
        Status.EXPIRED: Phrase("no confirmation for %(blocks)s blocks", blocks=windows.expiry),
        Status.SPENT: Phrase("the collateral was spent"),
        Status.REMOVED: Phrase("the collateral is no amount of a tier any more"),
        Status.RELEASED: Phrase(
            "not confirmed in time, released after %(blocks)s blocks", blocks=windows.dos_release
        ),
    }
    return reasons.get(record.status)
