"""An address: its balance now or at a height, its history, unspent outputs, nodes, their payouts, its statement."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

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
from explorer.queries.addresses import HISTORY, address_and_pool, history, is_following, unspent
from explorer.queries.entitlements import ParallelMining, shown_mining
from explorer.queries.fleets import Fleet, fleet
from explorer.queries.mempool import UnconfirmedMovement
from explorer.queries.node_results import Node, NodePayout
from explorer.queries.nodes import Wanted, node_list
from explorer.queries.outlook import outlook_at
from explorer.queries.payouts import payouts
from explorer.queries.results import AddressSummary, Movement, Page, Unspent
from explorer.queries.statements import Statement, statement
from explorer.queries.text import address_key
from explorer.services import services
from explorer.tasks import already

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
    key, now = address_key(text, view.network), at is None and is_following(view)
    (summary, pool), runs, part = await asyncio.gather(
        address_and_pool(view, text, at=at, labels=labels),
        fleet(view, key) if now else already(None),
        _part(view, text, at=at, shown=shown, cursor=cursor, limit=limit, span=span),
    )
    newest = shown == "history" and at is None and cursor is None
    waiting = pool.movements[:MOST_WAITING] if pool is not None and newest else ()
    return Account(summary, runs, waiting=waiting, **part)


async def _part(
    view: View, text: str, *, at: int | None, shown: str, cursor: str | None, limit: int,
    span: tuple[str | None, str | None],
) -> dict[str, Any]:
    """The fields of ``Account`` that are about the list that was asked for."""
    if shown == "utxos":
        return {"unspent": await unspent(view, text, cursor=cursor, limit=limit)}
    if shown == "nodes":
        nodes, outlook = await asyncio.gather(
            node_list(view, Wanted(address=text), cursor=cursor, limit=limit), outlook_at(view, view.tip.height)
        )
        return {"nodes": nodes, "spacing": outlook.spacing.mean}
    if shown == "payouts":
        earned, mining = await asyncio.gather(
            payouts(view, address=text, cursor=cursor, limit=limit),
            already(None) if cursor else shown_mining(view, text),
        )
        return {"payouts": earned, "mining": mining}
    if shown == "statement":
        since, until = span
        return {"statement": await statement(view, text, since=since, until=until, cursor=cursor, limit=limit)}
    if at is not None and cursor is None:
        cursor = HISTORY.encode(view.require_height(at), END_OF_BLOCK)
    return {"history": await history(view, text, cursor=cursor, limit=limit)}


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
    return await page(
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
