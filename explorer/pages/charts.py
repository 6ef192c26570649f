"""Charts by name: a page with the numbers, a CSV, and an image to embed."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.body import query_int
from explorer.charts.drawing import NARROW, WIDE, alone, inline
from explorer.charts.figure import Figure
from explorer.db import View
from explorer.errors import BadRequest, NotFound
from explorer.etag import is_known
from explorer.pages.render import THEMES, page, with_query
from explorer.pages.sheets import Sheet
from explorer.pages.supply_charts import parallel_figure, parallel_sheet, supply_figure, supply_sheet
from explorer.queries.parallel_history import parallel_history
from explorer.queries.supply_history import supply_history
from explorer.services import services
from indexer.chain.params import MAX_MONEY

ANYWHERE: Final = {"Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*", "Vary": "Accept-Encoding"}


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart and its numbers; ``json`` is the path of the answer that both are made of."""

    figure: Figure
    sheet: Sheet
    json: str


async def supply_plot(view: View, points: int | None) -> Plot:
    """The supply over the heights."""
    history = await supply_history(view, points=points)
    figure = supply_figure(history, MAX_MONEY)
    return Plot(figure, supply_sheet(history), "/api/v1/supply/history")


async def parallel_plot(view: View, points: int | None) -> Plot:
    """What circulated on the parallel chains over time."""
    if view.parallel is None:
        raise NotFound(f"the network {view.network.name} has no parallel chains")
    names = {known.chain.key: known.chain.name for known in view.parallel.chains}
    history = await parallel_history(view, points=points)
    return Plot(parallel_figure(history, names), parallel_sheet(history, names), "/api/v1/supply/parallel/history")


CHARTS: Final[Mapping[str, Callable[[View, int | None], Awaitable[Plot]]]] = {
    "supply": supply_plot,
    "parallel": parallel_plot,
}
LISTED: Final = 60  # points of a page that does not say how many
HOME: Final = {"supply": ("/supply", "Supply"), "parallel": ("/parallel", "Parallel chains")}


async def plot_of(request: Request, default: int | None = None) -> Plot:
    """The chart that a request names, with as many points as it asks for."""
    name = request.path_params["name"]
    if name not in CHARTS:
        raise NotFound(f"there is no chart {name[:30]!r}: expected one of {', '.join(CHARTS)}")
    points = query_int(request, "points")
    return (await services(request).db.fenced(CHARTS[name], default if points is None else points)).value


async def show(request: Request) -> Response:
    """A chart with the table of its numbers."""
    plot = await plot_of(request, LISTED)
    name, points = request.path_params["name"], query_int(request, "points")
    return page(
        request, "chart.html", name=name, home=HOME[name], figure=plot.figure, sheet=plot.sheet,
        wide=inline(plot.figure, f"{name}-wide", WIDE), narrow=inline(plot.figure, f"{name}-narrow", NARROW),
        json=with_query(plot.json, points=points), points=points,
    )  # fmt: skip


async def image(request: Request) -> Response:
    """A chart as SVG, ``?theme=light`` or ``dark``: it needs nothing else, and other sites may show it."""
    theme = request.query_params.get("theme", THEMES[0])
    if theme not in THEMES:
        raise BadRequest(f"theme is {theme[:20]!r}: expected one of {', '.join(THEMES)}")
    plot = await plot_of(request)
    return _file(request, alone(plot.figure, theme), "image/svg+xml")


async def numbers(request: Request) -> Response:
    """The numbers of a chart as CSV."""
    plot = await plot_of(request)
    return _file(request, plot.sheet.csv().encode(), "text/csv; charset=utf-8")


def _file(request: Request, content: bytes, kind: str) -> Response:
    """A file by its content; 304 when the client has it."""
    headers = {"ETag": f'W/"{hashlib.sha256(content).hexdigest()[:20]}"', **ANYWHERE}
    if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=kind)
