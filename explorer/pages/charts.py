"""Charts by name: a gallery, a page with the numbers, a CSV, and an image to embed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from explorer.api.charts import stretch
from explorer.charts.drawing import NARROW, SMALL, WIDE, alone, inline
from explorer.charts.figure import Figure
from explorer.charts.raster import figure_png
from explorer.db import Answer, View
from explorer.errors import BadRequest, NotFound
from explorer.languages import N_, _, language
from explorer.languages.phrases import Phrase
from explorer.pages.chain_charts import chain_figure, chain_sheet
from explorer.pages.images import drawn, simulated, theme_of, unchanged
from explorer.pages.render import page, with_query
from explorer.pages.sheets import Sheet
from explorer.pages.supply_charts import parallel_figure, parallel_sheet, supply_figure, supply_sheet
from explorer.queries.chart_results import NAMES
from explorer.queries.charts import history
from explorer.queries.parallel_history import parallel_history
from explorer.queries.supply_history import supply_history
from explorer.services import services
from indexer.chain.params import MAX_MONEY


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart and its numbers; ``json`` is the path of the answer that both are made of."""

    figure: Figure
    sheet: Sheet
    json: str


async def supply_plot(view: View, points: int | None, since: str | None = None, until: str | None = None) -> Plot:
    """The supply over the heights."""
    _require_whole(since, until)
    found = await supply_history(view, points=points)
    return Plot(supply_figure(found, MAX_MONEY), supply_sheet(found), "/api/v1/supply/history")


async def parallel_plot(view: View, points: int | None, since: str | None = None, until: str | None = None) -> Plot:
    """What circulated on the parallel chains over time."""
    _require_whole(since, until)
    if view.parallel is None:
        raise NotFound(Phrase("the network %(network)s has no parallel chains", network=view.network.name))
    names = {known.chain.key: known.chain.name for known in view.parallel.chains}
    found = await parallel_history(view, points=points)
    return Plot(parallel_figure(found, names), parallel_sheet(found, names), "/api/v1/supply/parallel/history")


def _require_whole(since: str | None, until: str | None) -> None:
    if since is not None or until is not None:
        raise BadRequest(Phrase("this chart is drawn whole: leave from and to away"))


async def chain_plot(
    view: View, points: int | None, since: str | None = None, until: str | None = None, *, name: str
) -> Plot:
    """A value of the chain over the heights."""
    found = await history(view, name, points=points, since=since, until=until)
    return Plot(chain_figure(found), chain_sheet(found), f"/api/v1/charts/{name}")


CHARTS: Final[Mapping[str, Callable[..., Awaitable[Plot]]]] = {
    **{name: partial(chain_plot, name=name) for name in NAMES},
    "supply": supply_plot,  # with more lines than its JSON of the same name has
    "parallel": parallel_plot,
}
WHOLE: Final = ("supply", "parallel")  # without a stretch of time to choose
LISTED: Final = 60  # points of a page that does not say how many
SKETCHED: Final = 40  # points of a chart in the gallery
HOME: Final = {"supply": ("/supply", N_("Supply")), "parallel": ("/parallel", N_("Parallel chains"))}
GALLERY: Final = ("/charts", N_("All charts"))


async def plot_of(request: Request, default: int | None = None) -> Answer[Plot]:
    """The chart that a request names, with as many points as it asks for."""
    name = request.path_params["name"]
    if name not in CHARTS:
        raise NotFound(Phrase(
            "there is no chart %(name)s: expected one of %(known)s",
            name=repr(name[:30]), known=", ".join(CHARTS),
        ))  # fmt: skip
    asked = stretch(request)
    points = default if asked.points is None else asked.points
    return await services(request).db.fenced(CHARTS[name], points, asked.since, asked.until)


async def show(request: Request) -> Response:
    """A chart with the table of its numbers."""
    plot = (await plot_of(request, LISTED)).value
    name, query = request.path_params["name"], request.query_params
    above, title = HOME.get(name, GALLERY)
    kept = {key: query.get(key) or None for key in ("points", "from", "to")}
    return await page(
        request, "chart.html", name=name, home=(above, _(title)), figure=plot.figure, sheet=plot.sheet,
        wide=inline(plot.figure, f"{name}-wide", WIDE), narrow=inline(plot.figure, f"{name}-narrow", NARROW),
        json=with_query(plot.json, **kept), kept=kept, whole=name in WHOLE,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sketch:
    """A chart of the gallery."""

    name: str
    title: str
    drawing: Markup


async def gallery(request: Request) -> Response:
    """All charts, small."""
    sketches = (await services(request).db.fenced(sketched)).value
    return await page(request, "charts.html", sketches=sketches)


async def sketched(view: View) -> tuple[Sketch, ...]:
    """The charts of this network, small; drawn once a block."""
    name_kept = f"sketches {language()}"  # their titles are drawn into them
    kept: tuple[int, tuple[Sketch, ...]] | None = view.kept(name_kept, view.tip.height)
    if kept is not None and kept[0] == view.tip.height:
        return kept[1]
    names = [name for name in CHARTS if name != "parallel"]
    plots = await asyncio.gather(*(CHARTS[name](view, SKETCHED) for name in names))
    found = []
    for name, plot in zip(names, plots, strict=True):
        found.append(Sketch(name, plot.figure.title, inline(plot.figure, f"{name}-sketch", SMALL)))
        await asyncio.sleep(0)  # ten drawings take a tenth of a second: others are answered in between
    view.keep(name_kept, view.tip.height, (view.tip.height, tuple(found)))
    return tuple(found)


async def image(request: Request) -> Response:
    """A chart as SVG, ``?theme=light`` or ``dark``: it needs nothing else, and other sites may show it."""
    theme = theme_of(request)
    found = await plot_of(request)
    return drawn(request, found, lambda plot: alone(plot.figure, theme), "image/svg+xml")


async def picture(request: Request) -> Response:
    """A chart as PNG of 1200 × 630 px, ``?theme=light`` or ``dark``, for readers that show no SVG."""
    theme, found = theme_of(request), await plot_of(request)
    same = unchanged(request, found)
    if same is not None:
        return same
    drawing = await asyncio.to_thread(figure_png, found.value.figure, theme, simulated(request))
    return drawn(request, found, lambda _: drawing, "image/png")


async def numbers(request: Request) -> Response:
    """The numbers of a chart as CSV."""
    return drawn(request, await plot_of(request), lambda plot: plot.sheet.csv().encode(), "text/csv; charset=utf-8")
