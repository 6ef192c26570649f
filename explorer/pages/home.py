"""The first page: is the chain alive, how many nodes, what did the last block pay to whom, where do I search."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.db import View
from explorer.errors import Syncing
from explorer.labels import Wallet
from explorer.pages.errors import RETRY_SECONDS
from explorer.pages.render import page
from explorer.queries.blocks import block, latest_blocks
from explorer.queries.caps import caps
from explorer.queries.node_results import Tiers
from explorer.queries.queues import tiers
from explorer.queries.results import Block, BlockSummary
from explorer.queries.status import status
from explorer.queries.status_results import Status
from explorer.queries.supply import supply
from explorer.queries.supply_results import Caps, Supply
from explorer.services import services

LATEST: Final = 12


@dataclass(frozen=True, slots=True)
class Home:
    """What the first page shows."""

    tip: Block
    latest: tuple[BlockSummary, ...]
    status: Status
    tiers: Tiers
    supply: Supply
    caps: Caps

    @property
    def spacing(self) -> int | None:
        """Mean seconds between the latest blocks."""
        if len(self.latest) < 2:
            return None
        return max(0, self.latest[0].time - self.latest[-1].time) // (len(self.latest) - 1)


async def first_page(view: View, *, wallets: Sequence[Wallet], started_at: int, simulated: bool) -> Home:
    """The newest block with its payouts, those before it, the tiers, the supply, and how the index keeps up."""
    tip, latest, state, states, coins, checks = await asyncio.gather(
        block(view, view.tip.height),
        latest_blocks(view, limit=LATEST),
        status(view, started_at=started_at, simulated=simulated),
        tiers(view),
        supply(view, wallets=wallets),
        caps(view, wallets=wallets),
    )
    return Home(tip, latest.items, state, states, coins, checks)


async def home(request: Request) -> Response:
    """The first page; an honest one while there is no block yet."""
    s = services(request)
    try:
        found = await s.db.fenced(
            first_page, wallets=s.labels.fusion, started_at=s.started_at, simulated=s.simulated
        )
    except Syncing:
        if s.db.meta.tip is not None:
            raise
        return page(request, "empty.html", retry=RETRY_SECONDS)
    return page(request, "home.html", home=found.value)
