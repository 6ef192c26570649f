"""The parallel chains: what circulates on each, how that is known, and how old it is."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.charts.drawing import NARROW, WIDE, inline
from explorer.db import View
from explorer.errors import NotFound
from explorer.labels import Wallet
from explorer.languages.phrases import Phrase
from explorer.pages.charts import Plot, parallel_plot
from explorer.pages.render import page
from explorer.pages.supply import Drawn
from explorer.queries.supply import supply
from explorer.queries.supply_results import Supply
from explorer.services import services

POINTS: Final = 200  # of the chart
ENOUGH: Final = 2  # points that make a line


@dataclass(frozen=True, slots=True)
class Chains:
    """The supply, of which the page shows the parallel chains; the chart is None while there is no line to draw."""

    supply: Supply
    plot: Plot


async def chains(view: View, wallets: Sequence[Wallet]) -> Chains:
    """The parallel chains now and over time."""
    found, plot = await asyncio.gather(supply(view, wallets=wallets), parallel_plot(view, POINTS))
    return Chains(found, plot)


async def show(request: Request) -> Response:
    """The parallel chains; 404 on a network that has none."""
    s = services(request)
    parallel = s.db.meta.parallel
    if parallel is None:
        raise NotFound(Phrase("the network %(network)s has no parallel chains", network=s.network.name))
    answer = await s.db.fenced(chains, s.labels.fusion)
    figure = answer.value.plot.figure
    drawn = None
    if len(figure.xs) >= ENOUGH:
        drawn = Drawn(inline(figure, "parallel-wide", WIDE), inline(figure, "parallel-narrow", NARROW))
    pages = {known.chain.key: known.chain.explorer_url + known.chain.contract for known in parallel.chains}
    return await page(
        request, "parallel.html", supply=answer.value.supply, chart=drawn, tip=answer.tip, explorers=pages
    )
