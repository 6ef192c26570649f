"""The operator view: all nodes of a pasted list, their next payouts and deadlines; as CSV and as a calendar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.operator import ORDERS, answered, named, order_of
from explorer.meta import Tip
from explorer.pages.calendars import Event, calendar
from explorer.pages.files import file_of
from explorer.pages.formats import flux, group
from explorer.pages.hosts import host_of
from explorer.pages.render import page, with_query
from explorer.pages.sheets import Column, Sheet
from explorer.queries.node_results import Node
from explorer.queries.queues import parse_tier
from explorer.queries.roster import MOST_ENTRIES, Roster
from explorer.services import services
from indexer.chain.params import Network
from indexer.chain.payouts import tier_payout

SHOWN: Final = 500  # nodes of a page; files have all
KINDS: Final = (("ics", "text/calendar"), ("csv", "text/csv"), ("json", "application/json"))
LONGEST_LINK: Final = 2000  # characters of an address that every program keeps whole
COLUMNS: Final = (
    Column("node", "text"),
    Column("status", "text"),
    Column("tier", "text"),
    Column("ip", "text"),
    Column("address", "text"),
    Column("position", "number"),
    Column("pays_by_height", "height"),
    Column("expected_height", "height"),
    Column("expected_from", "time"),
    Column("expected_until", "time"),
    Column("next_payout", "amount"),
    Column("next_update_height", "height"),
    Column("expires_height", "height"),
    Column("last_paid_height", "height"),
    Column("collateral", "amount"),
    Column("paid_count", "number"),
    Column("paid_total", "amount"),
)


async def show(request: Request) -> Response:
    """The nodes that ``?nodes=`` or ``?address=`` names, or the empty form."""
    entries, order = named(request), order_of(request)
    if not entries:
        return await page(request, "operator.html", roster=None, entries=(), order=order, orders=ORDERS, files=(),
                          tip=services(request).db.meta.tip, most=MOST_ENTRIES)  # fmt: skip
    answer = await answered(request, SHOWN)
    return await page(
        request, "operator.html", roster=answer.value, entries=entries, order=order, orders=ORDERS,
        files=tuple(file_links(entries)), tip=answer.tip, most=MOST_ENTRIES,
    )  # fmt: skip


def file_links(entries: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Path and media type of the files about a list, the calendar first; none for a list too long for a link."""
    query = {"nodes": " ".join(entries)}
    if len(with_query("/operator.json", **query)) <= LONGEST_LINK:
        yield from ((with_query(f"/operator.{ending}", **query), kind) for ending, kind in KINDS)


async def as_csv(request: Request) -> Response:
    """The same nodes as CSV, one a row."""
    answer = await answered(request)
    sheet = roster_sheet(services(request).network, answer.value, answer.tip)
    return file_of(request, sheet.csv(), "text/csv", name="flux-nodes.csv")


async def as_calendar(request: Request) -> Response:
    """The next payout of each of the nodes as an event of a calendar."""
    answer = await answered(request)
    network = services(request).network
    events = (payout_event(network, node, answer.tip) for node in answer.value.items if node.eta is not None)
    text = calendar("Flux node payouts", host_of(request), answer.tip.time, events)
    return file_of(request, text, "text/calendar", name="flux-nodes.ics")


def roster_sheet(network: Network, roster: Roster, tip: Tip) -> Sheet:
    """The nodes in columns; times are those between which nine in ten payouts lie with nothing in between."""
    return Sheet(COLUMNS, tuple(_row(network, node, tip) for node in roster.items))


def next_payout(network: Network, node: Node) -> int | None:
    """What the next payout of a node brings by the rules of the block in which it is expected, zatoshi."""
    if node.expected_height is None:
        return None
    return tier_payout(network, node.expected_height, parse_tier(node.tier))


def payout_event(network: Network, node: Node, tip: Tip) -> Event:
    """The next payout of a node in the queue, from the time that one in ten waits does not exceed to nine in ten."""
    amount = flux(next_payout(network, node) or 0)
    first, last = (tip.time + node.eta.p10, tip.time + node.eta.p90) if node.eta else (tip.time, tip.time)
    return Event(
        id=f"payout-{node.node.replace(':', '-')}@{network.name}.flux",
        first=first,
        last=last,
        summary=f"{amount} for {node.tier.capitalize()} node {node.ip or node.node}",
        description=(
            f"Expected in block {group(node.expected_height or 0)}; paid by block {group(node.pays_by_height or 0)} "
            f"if it stays confirmed.\nNode {node.node}\nPaid to {node.address}\n"
            f"As of block {group(tip.height)}."
        ),
        path=f"/node/{node.node}",
    )


def _row(network: Network, node: Node, tip: Tip) -> tuple[int | str | None, ...]:
    return (
        node.node,
        node.status,
        node.tier,
        node.ip,
        node.address,
        None if node.rank is None else node.rank + 1,
        node.pays_by_height,
        node.expected_height,
        tip.time + node.eta.p10 if node.eta else None,
        tip.time + node.eta.p90 if node.eta else None,
        next_payout(network, node),
        node.next_update_height,
        node.expires_height,
        node.last_paid_height,
        node.collateral,
        node.paid_count,
        node.paid_total,
    )
