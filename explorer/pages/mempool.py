"""What waits for a block."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.db import View
from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.mempool import Mempool, mempool
from explorer.services import services


async def known_mempool(view: View, *, cursor: str | None, limit: int) -> Mempool | None:
    """The mempool; None while it is unknown, which is worth a page of its own and no error."""
    return None if view.pool is None else await mempool(view, cursor=cursor, limit=limit)


async def show(request: Request) -> Response:
    """The unconfirmed transactions, newest first."""
    cursor = request.query_params.get("cursor")
    answer = await services(request).db.fenced(known_mempool, cursor=cursor, limit=limit_of(request))
    return await page(request, "mempool.html", mempool=answer.value, continued=cursor is not None, tip=answer.tip)
