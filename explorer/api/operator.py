"""The part of the API that answers an operator: all nodes of a list."""

from __future__ import annotations

from typing import get_args

from starlette.requests import Request

from explorer.api.endpoint import Api, Parameter
from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.roster import MOST_ENTRIES, MOST_NODES, Order, Roster, roster, split_list
from explorer.queries.text import address_key
from explorer.services import services

ORDERS: tuple[Order, ...] = get_args(Order)

ADDRESS = Parameter("address", {"type": "string"}, "the nodes that pay this address")
NODES = Parameter(
    "nodes", {"type": "string"}, f"up to {MOST_ENTRIES} addresses, collaterals, IPs and node keys, spaces between them"
)
ORDER = Parameter("order", {"type": "string", "enum": list(ORDERS)}, "next payout first, or deadline first")

api = Api()


def named(request: Request) -> tuple[str, ...]:
    """The entries that a request names by ``address`` and ``nodes``; none when it names nothing."""
    query = request.query_params
    address = query.get("address", "").strip()
    if address:
        address_key(address, services(request).network)
    return split_list(f"{address} {query.get('nodes', '')}")


def order_of(request: Request) -> Order:
    """The order that is asked for, that of payouts by default."""
    text = request.query_params.get("order") or ORDERS[0]
    for order in ORDERS:
        if order == text:
            return order
    raise BadRequest(
        Phrase("order is %(text)s: expected one of %(known)s", text=repr(text[:20]), known=", ".join(ORDERS))
    )


async def answered(request: Request, limit: int = MOST_NODES) -> Answer[Roster]:
    """The nodes that a request names; BadRequest when it names nothing."""
    entries = named(request)
    if not entries:
        raise BadRequest(Phrase("no node is named: pass an address, or nodes with addresses, collaterals or IPs"))
    return await services(request).db.fenced(roster, entries, order=order_of(request), limit=limit)


@api.get("/api/v1/operator", Roster, ADDRESS, NODES, ORDER, errors=(400, 503))
async def get_operator(request: Request) -> Answer[Roster]:
    """All nodes of a list of addresses, collaterals and IPs: states, next payouts in order, sums for each tier."""
    return await answered(request)
