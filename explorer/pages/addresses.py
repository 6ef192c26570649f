"""An address: its balance now or at a height, its history, its unspent outputs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.body import query_int
from explorer.db import View
from explorer.errors import BadRequest
from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.addresses import HISTORY, address, history, unspent
from explorer.queries.mempool import UnconfirmedMovement, of_address
from explorer.queries.results import AddressSummary, Movement, Page, Unspent
from explorer.queries.text import address_key
from explorer.services import services

VIEWS = ("history", "utxos")
MOST_WAITING = 100  # unconfirmed transactions shown; the sum counts them all
END_OF_BLOCK = 1 << 16  # above every position in a block


@dataclass(frozen=True, slots=True)
class Account:
    """What the page of an address shows; the list that was asked for, the other one is None.

    ``waiting`` is what is unconfirmed, on the first page of the history as it is now.
    """

    summary: AddressSummary
    history: Page[Movement] | None
    unspent: Page[Unspent] | None
    waiting: tuple[UnconfirmedMovement, ...] = ()


async def account(view: View, text: str, *, at: int | None, shown: str, cursor: str | None, limit: int) -> Account:
    """An address with one page of its history up to the height, or of its unspent outputs."""
    if shown == "utxos":
        summary, outputs = await asyncio.gather(address(view, text), unspent(view, text, cursor=cursor, limit=limit))
        return Account(summary, None, outputs)
    newest = at is None and cursor is None
    if at is not None and cursor is None:
        cursor = HISTORY.encode(view.require_height(at), END_OF_BLOCK)
    summary, movements = await asyncio.gather(
        address(view, text, at=at), history(view, text, cursor=cursor, limit=limit)
    )
    pool = await of_address(view, address_key(text, view.network)) if newest else None
    return Account(summary, movements, None, () if pool is None else pool.movements[:MOST_WAITING])


async def show(request: Request) -> Response:
    """An address; ``?at=`` for the past, ``?view=utxos`` for what is unspent now."""
    query = request.query_params
    shown = query.get("view", "history")
    if shown not in VIEWS:
        raise BadRequest(f"view is {shown[:20]!r}: expected one of {', '.join(VIEWS)}")
    at = query_int(request, "at") if query.get("at") else None
    cursor = query.get("cursor")
    answer = await services(request).db.fenced(
        account, request.path_params["address"], at=at, shown=shown, cursor=cursor, limit=limit_of(request)
    )
    return page(
        request, "address.html", account=answer.value, at=at, continued=cursor is not None, tip=answer.tip.height
    )
