"""The first page: is the chain alive, how many nodes, what did the last block pay to whom, where do I search."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from explorer.db import View
from explorer.errors import Syncing
from explorer.labels import Wallet
from explorer.pages.errors import RETRY_SECONDS
from explorer.pages.render import page
from explorer.queries.home import Home
from explorer.queries.home import home as chain_now
from explorer.queries.status import keeping_up
from explorer.queries.status_results import KeepingUp
from explorer.services import services


@dataclass(frozen=True, slots=True)
class FirstPage:
    """What the first page shows: the chain, and how the index keeps up."""

    chain: Home
    status: KeepingUp


async def first_page(view: View, *, wallets: Sequence[Wallet]) -> FirstPage:
    """The newest block with its payouts, those before it, the tiers, the supply, and how the index keeps up."""
    chain, state = await asyncio.gather(chain_now(view, wallets=wallets), keeping_up(view))
    return FirstPage(chain, state)


async def home(request: Request) -> Response:
    """The first page; an honest one while there is no block yet."""
    s = services(request)
    try:
        found = await s.db.fenced(first_page, wallets=s.labels.fusion)
    except Syncing:
        if s.db.meta.tip is not None:
            raise
        return await page(request, "empty.html", retry=RETRY_SECONDS)
    return await page(request, "home.html", home=found.value.chain, status=found.value.status)
