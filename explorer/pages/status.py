"""How the index is doing."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.pages.render import page
from explorer.queries.status import status
from explorer.services import services


async def show(request: Request) -> Response:
    """Index, daemon, checks and reorganisations in plain words."""
    s = services(request)
    answer = await s.db.fenced(status, started_at=s.started_at, simulated=s.simulated)
    return await page(request, "status.html", status=answer.value, tip=answer.tip)
