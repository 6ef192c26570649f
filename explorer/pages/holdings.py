"""Who holds the coins: the rich list with the distribution."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.richlist import rich_page
from explorer.services import services


async def richlist(request: Request) -> Response:
    """The addresses with the most coins, and how all coins are distributed."""
    cursor = request.query_params.get("cursor")
    s = services(request)
    answer = await s.db.fenced(rich_page, s.labels, cursor=cursor, limit=limit_of(request))
    listed, spread = answer.value
    return page(request, "richlist.html", listed=listed, spread=spread, tip=answer.tip)
