"""The part of the API that draws lines: charts by name, and the reorganisations."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from explorer.api.body import query_int
from explorer.api.endpoint import Api, Parameter
from explorer.api.json import amount_text
from explorer.api.lists import CURSOR, LIMIT, paging
from explorer.db import Answer
from explorer.queries.chart_results import Chart, History
from explorer.queries.charts import history
from explorer.queries.home import Home, home
from explorer.queries.reorgs import Reorg, reorgs
from explorer.queries.results import Page
from explorer.queries.supply_history import DEFAULT, FEWEST, MOST
from explorer.services import services

FROM = Parameter("from", {"type": "string"}, "the first block: a height, or a date such as 2026-01-31 (UTC)")
TO = Parameter("to", {"type": "string"}, "the last block: a height, or a date, its whole day included")
POINTS = Parameter("points", {"type": "integer", "minimum": FEWEST, "maximum": MOST, "default": DEFAULT}, "how many")

api = Api()


@dataclass(frozen=True, slots=True)
class Stretch:
    """How much of a chart is asked for, and in how many points."""

    points: int | None
    since: str | None
    until: str | None


def stretch(request: Request) -> Stretch:
    """``points``, ``from`` and ``to``; what is empty is not asked for."""
    query = request.query_params
    points = query_int(request, "points") if query.get("points") else None
    return Stretch(points, query.get("from") or None, query.get("to") or None)


@api.get("/api/v1/charts/{name}", Chart, FROM, TO, POINTS, errors=(400, 404, 409, 503))
async def get_chart(request: Request) -> Answer[Chart]:
    """A value over time, at evenly spread heights."""
    asked = stretch(request)
    found = await services(request).db.fenced(
        history, request.path_params["name"], points=asked.points, since=asked.since, until=asked.until
    )
    return Answer(chart(found.value), found.tip, found.shown)


def chart(found: History) -> Chart:
    """A chart as programs read it."""
    values = [amount_text(int(p.value)) if found.measure == "amount" else p.value for p in found.points]
    points = tuple((point.time, value) for point, value in zip(found.points, values, strict=True))
    return Chart(found.name, found.unit, points, tuple(point.height for point in found.points))


@api.get("/api/v1/reorgs", Page[Reorg], LIMIT, CURSOR, errors=(400, 503))
async def get_reorgs(request: Request) -> Answer[Page[Reorg]]:
    """The reorganisations that this index has followed, newest first, with the blocks that they orphaned."""
    return await services(request).db.fenced(reorgs, **paging(request))


@api.get("/api/v1/home", Home, errors=(503,))
async def get_home(request: Request) -> Answer[Home]:
    """What a first page needs, in one call: newest blocks, tiers, supply, caps, mempool."""
    s = services(request)
    return await s.db.fenced(home, wallets=s.labels.fusion)
