"""The reorganisations that this index has followed."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.pages.render import page
from explorer.paging import parse_limit
from explorer.queries.reorgs import reorgs
from explorer.services import services


async def index(request: Request) -> Response:
    """Reorganisations, newest first, with the blocks that they orphaned."""
    cursor = request.query_params.get("cursor")
    limit = parse_limit(request.query_params.get("limit"))
    answer = await services(request).db.fenced(reorgs, cursor=cursor, limit=limit)
    return await page(
        request, "reorgs.html", reorgs=answer.value, count=answer.tip.reorgs, continued=cursor is not None
    )
