"""An address: its balance now or at a height, its history, unspent outputs, nodes, their payouts, its statement."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.body import query_int
from explorer.charts.qr import qr_svg
from explorer.db import View
from explorer.errors import BadRequest
from explorer.labels import Labels
from explorer.languages.phrases import Phrase
from explorer.pages.assets import FOREVER
from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.addresses import HISTORY, address, history, is_following, unspent
from explorer.queries.entitlements import ParallelMining, shown_mining
from explorer.queries.fleets import Fleet, fleet
from explorer.queries.mempool import UnconfirmedMovement, of_address
from explorer.queries.node_results import Node, NodePayout
from explorer.queries.nodes import Wanted, node_list
from explorer.queries.outlook import outlook_at
from explorer.queries.payouts import payouts
from explorer.queries.results import AddressSummary, Movement, Page, Unspent
from explorer.queries.statements import Statement, statement
from explorer.queries.text import address_key
from explorer.services import services

VIEWS = ("history", "utxos", "nodes", "payouts", "statement")
MOST_WAITING = 100  # unconfirmed transactions shown; the sum counts them all
END_OF_BLOCK = 1 << 16  # above every position in a block


@dataclass(frozen=True, slots=True)
class Account:
    """What the page of an address shows; the list that was asked for, the others are None.

    ``waiting`` is what is unconfirmed, on the first page of the history as it is now. ``fleet`` are the nodes
    that pay the address now; None where none does, at a past height and while the index catches up. ``mining`` is
    what its payouts earned on the parallel chains, on the first page of them.
    """

    summary: AddressSummary
    fleet: Fleet | None
    history: Page[Movement] | None = None
    unspent: Page[Unspent] | None = None
    nodes: Page[Node] | None = None
    payouts: Page[NodePayout] | None = None
    waiting: tuple[UnconfirmedMovement, ...] = ()
    spacing: float = 0.0  # seconds between blocks, for the nodes
    mining: ParallelMining | None = None
    statement: Statement | None = None


async def account(
    view: View,
    text: str,
    labels: Labels,
    *,
    at: int | None,
    shown: str,
    cursor: str | None,
    limit: int,
    span: tuple[str | None, str | None] = (None, None),
) -> Account:
    """An address with one page of the list that is asked for; ``span`` are first and last block of a statement."""
    summary = await address(view, text, at=at, labels=labels)
    runs = await fleet(view, address_key(text, view.network)) if at is None and is_following(view) else None
    if shown == "utxos":
        return Account(summary, runs, unspent=await unspent(view, text, cursor=cursor, limit=limit))
    if shown == "nodes":
        nodes = await node_list(view, Wanted(address=text), cursor=cursor, limit=limit)
        return Account(summary, runs, nodes=nodes, spacing=(await outlook_at(view, view.tip.height)).spacing.mean)
    if shown == "payouts":
        earned = await payouts(view, address=text, cursor=cursor, limit=limit)
        return Account(summary, runs, payouts=earned, mining=None if cursor else await shown_mining(view, text))
    if shown == "statement":
        since, until = span
        kept = await statement(view, text, since=since, until=until, cursor=cursor, limit=limit)
        return Account(summary, runs, statement=kept)
    newest = at is None and cursor is None
    if at is not None and cursor is None:
        cursor = HISTORY.encode(view.require_height(at), END_OF_BLOCK)
    movements = await history(view, text, cursor=cursor, limit=limit)
    pool = await of_address(view, address_key(text, view.network)) if newest else None
    waiting = () if pool is None else pool.movements[:MOST_WAITING]
    return Account(summary, runs, history=movements, waiting=waiting)


async def show(request: Request) -> Response:
    """An address; ``?at=`` for the past, ``?view=`` for what it has, runs and earned, and for its statement."""
    query = request.query_params
    shown = query.get("view", "history")
    if shown not in VIEWS:
        raise BadRequest(
            Phrase("view is %(text)s: expected one of %(known)s", text=repr(shown[:20]), known=", ".join(VIEWS))
        )
    at = query_int(request, "at") if query.get("at") and shown == "history" else None
    cursor = query.get("cursor")
    span = query.get("from") or None, query.get("to") or None
    s = services(request)
    answer = await s.db.fenced(
        account,
        request.path_params["address"],
        s.labels,
        at=at,
        shown=shown,
        cursor=cursor,
        limit=limit_of(request),
        span=span,
    )
    return page(
        request,
        "address.html",
        account=answer.value,
        at=at,
        continued=cursor is not None,
        tip=answer.tip.height,
        span={"from": span[0], "to": span[1]},
    )


async def qr_code(request: Request) -> Response:
    """An address as a QR code, for who pays with a telephone."""
    text = request.path_params["address"]
    address_key(text, services(request).network)
    return Response(qr_svg(text), headers={"Cache-Control": FOREVER}, media_type="image/svg+xml")
