"""What nodes earn, and the rules at any height: pages for those who plan."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.planning import MOST_NODES, counts_of, height_of, is_joining
from explorer.pages.render import page
from explorer.queries.earnings import earnings
from explorer.queries.rules import rules
from explorer.services import services


async def calculator(request: Request) -> Response:
    """What ``?cumulus=``, ``nimbus=`` and ``stratus=`` nodes earn; ``?joining=1`` when they are new."""
    answer = await services(request).db.fenced(earnings, counts_of(request), joining=is_joining(request))
    return await page(request, "calculator.html", earned=answer.value, tip=answer.tip, most=MOST_NODES)


async def network(request: Request) -> Response:
    """The rules of the next block, or of block ``?at=``."""
    answer = await services(request).db.fenced(rules, at=height_of(request))
    return await page(request, "network.html", rules=answer.value, at=height_of(request), tip=answer.tip)
