"""Who produced the Proof of Node blocks: node by node, or by the address that the nodes pay."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.node_results import Operator, Producer, ProducerTotals
from explorer.queries.operators import operators
from explorer.queries.producers import producer_totals, producers
from explorer.queries.results import Page
from explorer.services import services


@dataclass(frozen=True, slots=True)
class Produced:
    """The totals with one page of a list: of nodes, or of addresses."""

    totals: ProducerTotals
    nodes: Page[Producer] | None
    operators: Page[Operator] | None


async def produced(view: View, *, by_address: bool, cursor: str | None, limit: int) -> Produced:
    """Who produced, with the list that was asked for."""
    if by_address:
        totals, addresses = await asyncio.gather(producer_totals(view), operators(view, cursor=cursor, limit=limit))
        return Produced(totals, None, addresses)
    totals, nodes = await asyncio.gather(producer_totals(view), producers(view, cursor=cursor, limit=limit))
    return Produced(totals, nodes, None)


async def index(request: Request) -> Response:
    """Who produced the Proof of Node blocks, the busiest first; ``?by=address`` for the operators of nodes."""
    query = request.query_params
    if query.get("by", "node") not in ("node", "address"):
        raise BadRequest(Phrase("by is %(text)s: expected node or address", text=repr(query["by"][:20])))
    cursor = query.get("cursor")
    answer = await services(request).db.fenced(
        produced, by_address=query.get("by") == "address", cursor=cursor, limit=limit_of(request)
    )
    return await page(request, "producers.html", produced=answer.value, continued=cursor is not None)
