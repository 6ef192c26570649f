"""The supply: what exists, where it is, the caps, and the blocks that claimed less than they might."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from explorer.api.body import query_int
from explorer.charts.drawing import NARROW, WIDE, inline
from explorer.db import View
from explorer.labels import Wallet
from explorer.pages.blocks import limit_of
from explorer.pages.charts import supply_plot
from explorer.pages.render import page
from explorer.queries.caps import caps
from explorer.queries.cuts import fusion_held
from explorer.queries.reductions import begun_eras
from explorer.queries.results import Page
from explorer.queries.supply import supply
from explorer.queries.supply_results import Caps, Supply, Totals, UnclaimedBlock
from explorer.queries.unclaimed import unclaimed
from explorer.services import services

POINTS: Final = 150  # of the chart
FEW: Final = 5  # blocks that claimed less, of those there are


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart as the page shows it, for wide and for narrow windows."""

    wide: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class Together:
    """What the sum over all chains by addresses is made of, all of it of the moment of the cut; zatoshi."""

    native: int
    held: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Whole:
    """What the page shows; of a past height only the supply, for all else is about the present."""

    supply: Supply
    caps: Caps | None = None
    chart: Drawn | None = None
    unclaimed: Page[UnclaimedBlock] | None = None
    together: Together | None = None


async def whole(view: View, wallets: Sequence[Wallet], at: int | None) -> Whole:
    """The supply after block ``at``; with everything else when that is the tip."""
    if at is not None and at < view.tip.height:
        return Whole(await supply(view, wallets=wallets, at=at))
    found, checks, plot, blocks = await asyncio.gather(
        supply(view, wallets=wallets, at=at),
        caps(view, wallets=wallets),
        supply_plot(view, POINTS),
        unclaimed(view, limit=FEW),
    )
    wide = inline(plot.figure, "supply-wide", WIDE)
    await asyncio.sleep(0)  # a drawing takes a while: others are answered in between
    chart = Drawn(wide, inline(plot.figure, "supply-narrow", NARROW))
    return Whole(found, checks, chart, blocks, await read_together(view, wallets, found.totals))


async def read_together(view: View, wallets: Sequence[Wallet], totals: Totals) -> Together | None:
    """The parts of the sum over all chains by addresses; None while it is unknown."""
    total, outstanding, cut = totals.all_chains_addresses, totals.parallel_outstanding, totals.cut
    if total is None or outstanding is None or cut is None:
        return None
    held = (await fusion_held(view, wallets, cut.height)).held
    return Together(total - outstanding + held, held, outstanding)


async def show(request: Request) -> Response:
    """The supply now, or after block ``?at=``."""
    s = services(request)
    at = query_int(request, "at") if request.query_params.get("at") else None
    answer = await s.db.fenced(whole, s.labels.fusion, at)
    found = answer.value
    return await page(
        request, "supply.html", supply=found.supply, caps=found.caps, chart=found.chart, unclaimed=found.unclaimed,
        together=found.together, at=at, tip=answer.tip, eras=begun_eras(s.network, answer.tip.height),
    )  # fmt: skip


async def under_claimed(request: Request) -> Response:
    """The blocks whose coinbases claimed other than the schedule, newest first."""
    cursor = request.query_params.get("cursor")
    answer = await services(request).db.fenced(unclaimed, cursor=cursor, limit=limit_of(request))
    return await page(request, "unclaimed.html", blocks=answer.value, continued=cursor is not None)
