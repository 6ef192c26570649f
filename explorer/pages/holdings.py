"""Who holds the coins: the rich list with the distribution, and the wallets of the bridge."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.fusion import fusion_activity
from explorer.queries.richlist import rich_page
from explorer.services import services


async def richlist(request: Request) -> Response:
    """The addresses with the most coins, and how all coins are distributed."""
    cursor = request.query_params.get("cursor")
    s = services(request)
    answer = await s.db.fenced(rich_page, s.labels, cursor=cursor, limit=limit_of(request))
    listed, spread = answer.value
    return await page(request, "richlist.html", listed=listed, spread=spread, tip=answer.tip)


async def fusion(request: Request) -> Response:
    """The wallets of the bridge on the native chain, and what moves in and out of them."""
    cursor = request.query_params.get("cursor")
    s = services(request)
    answer = await s.db.fenced(fusion_activity, s.labels.fusion, cursor=cursor, limit=limit_of(request))
    return await page(request, "fusion.html", activity=answer.value, continued=cursor is not None)
