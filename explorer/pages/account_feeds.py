"""A watch list for programs: as a calendar of payouts and deadlines, and as CSV, at an address with a secret in it."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from explorer.accounts.book import Account
from explorer.db import Answer
from explorer.meta import Tip
from explorer.pages.account import noted
from explorer.pages.calendars import Event, calendar
from explorer.pages.formats import group
from explorer.pages.hosts import host_of
from explorer.pages.operator import payout_event
from explorer.pages.sheets import Column, Sheet
from explorer.pages.visitors import PRIVATE
from explorer.queries.node_results import Node
from explorer.queries.roster import MOST_NODES
from explorer.queries.watched import Watched, watched
from explorer.services import services
from indexer.chain.params import Network, target_spacing

COLUMNS = (
    Column("kind", "text"),
    Column("entry", "text"),
    Column("note", "text"),
    Column("balance", "amount"),
    Column("last_height", "height"),
    Column("status", "text"),
    Column("tier", "text"),
    Column("expected_height", "height"),
    Column("expected_from", "time"),
    Column("expected_until", "time"),
    Column("expires_height", "height"),
    Column("paid_total", "amount"),
)


async def _read(request: Request) -> tuple[Account, Answer[Watched]]:
    s = services(request)
    account = await s.accounts.book.by_feed(request.path_params["secret"])
    addresses, nodes = account.entries("address", "payee"), account.entries("node", "payee")
    return account, await s.db.fenced(watched, addresses, nodes, limit=MOST_NODES)


async def as_calendar(request: Request) -> Response:
    """The next payout of each watched node, and the deadline of those that are due, as a calendar."""
    account, answer = await _read(request)
    network, notes = services(request).network, noted(account, answer.value.nodes.items)
    events = _events(network, answer.value, answer.tip, notes)
    text = calendar("Flux watch list", host_of(request), answer.tip.time, events)
    return _file(text, "text/calendar", "flux-watch-list.ics")


def _events(network: Network, found: Watched, tip: Tip, notes: dict[str, str]) -> Iterator[Event]:
    for node in found.nodes.items:
        if node.eta is not None:
            yield payout_event(network, node, tip)
        if node.expires_height is not None:
            yield _deadline(network, node, tip, notes.get(node.node, ""))


def _deadline(network: Network, node: Node, tip: Tip, note: str) -> Event:
    """When a node leaves its list unless it confirms, by the target spacing."""
    blocks = max(0, (node.expires_height or 0) - tip.height)
    when = tip.time + blocks * target_spacing(network, tip.height + 1)
    called = note or node.ip or node.node
    return Event(
        id=f"deadline-{node.node.replace(':', '-')}@{network.name}.flux",
        first=when,
        last=when,
        summary=f"Deadline of {node.tier.capitalize()} node {called}",
        description=(
            f"It leaves its list in block {group(node.expires_height or 0)} unless it confirms before; as it does "
            f"regularly, this moves on.\nNode {node.node}\nAs of block {group(tip.height)}."
        ),
        path=f"/node/{node.node}",
    )


async def as_csv(request: Request) -> Response:
    """The watch list as CSV: its addresses with balances, its nodes with what is to come."""
    account, answer = await _read(request)
    return _file(watch_sheet(account, answer.value, answer.tip).csv(), "text/csv", "flux-watch-list.csv")


def watch_sheet(account: Account, found: Watched, tip: Tip) -> Sheet:
    """A watch list in columns: addresses first, then nodes by their next payout."""
    notes, by_node = account.notes, noted(account, found.nodes.items)
    addresses = (
        ("address", one.address, notes.get(one.address, ""), one.balance, one.last_height, *(None,) * 7)
        for one in found.addresses
    )
    nodes = (
        (
            "node", node.node, by_node[node.node], None, None, node.status, node.tier, node.expected_height,
            tip.time + node.eta.p10 if node.eta else None, tip.time + node.eta.p90 if node.eta else None,
            node.expires_height, node.paid_total,
        )
        for node in found.nodes.items
    )  # fmt: skip
    return Sheet(COLUMNS, (*addresses, *nodes))


def _file(text: str, kind: str, name: str) -> Response:
    headers = {**PRIVATE, "Content-Disposition": f'inline; filename="{name}"', "X-Robots-Tag": "noindex"}
    return Response(text.encode("utf-8", "replace"), headers=headers, media_type=f"{kind}; charset=utf-8")
