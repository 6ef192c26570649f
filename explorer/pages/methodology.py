"""How each number of the site is made: the rule, and the daemon's function that it is taken from."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.pages.render import page


async def show(request: Request) -> Response:
    """The page; other pages link to its parts."""
    return await page(request, "methodology.html")
