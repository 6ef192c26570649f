"""The part of the API under /api/v1/supply: supply, caps, history, blocks that claimed less, numbers for trackers."""

from __future__ import annotations

from starlette.requests import Request

from explorer.api.body import query_int
from explorer.api.endpoint import Api, Parameter
from explorer.api.lists import AT, CURSOR, LIMIT, paging
from explorer.api.respond import PlainText
from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.queries.caps import caps
from explorer.queries.parallel_history import ParallelHistory, parallel_history
from explorer.queries.results import Page
from explorer.queries.supply import supply
from explorer.queries.supply_history import DEFAULT, FEWEST, MOST, supply_history
from explorer.queries.supply_numbers import Number, decimal_text, number, parallel_number
from explorer.queries.supply_results import Caps, Supply, SupplyHistory, UnclaimedBlock
from explorer.queries.unclaimed import unclaimed
from explorer.services import services

MOST_DECIMALS = 8
POINTS = Parameter("points", {"type": "integer", "minimum": FEWEST, "maximum": MOST, "default": DEFAULT}, "how many")
DECIMALS = Parameter(
    "decimals", {"type": "integer", "minimum": 0, "maximum": MOST_DECIMALS}, "decimals, the others are cut off"
)

api = Api()


@api.get("/api/v1/supply", Supply, AT, errors=(400, 409, 503))
async def get_supply(request: Request) -> Answer[Supply]:
    """What was made, where it is, and what circulates on all chains by two methods."""
    s = services(request)
    return await s.db.fenced(supply, wallets=s.labels.fusion, at=query_int(request, "at"))


@api.get("/api/v1/supply/cap", Caps, errors=(503,))
async def get_caps(request: Request) -> Answer[Caps]:
    """Every cap that anybody has named: value, headroom, state, and when it is passed."""
    s = services(request)
    return await s.db.fenced(caps, wallets=s.labels.fusion)


@api.get("/api/v1/supply/history", SupplyHistory, POINTS, errors=(400, 503))
async def get_supply_history(request: Request) -> Answer[SupplyHistory]:
    """The supply at evenly spread heights, and the eras that have begun."""
    return await services(request).db.fenced(supply_history, points=query_int(request, "points"))


@api.get("/api/v1/supply/parallel/history", ParallelHistory, POINTS, errors=(400, 503))
async def get_parallel_history(request: Request) -> Answer[ParallelHistory]:
    """What circulated on the parallel chains, hour by hour."""
    return await services(request).db.fenced(parallel_history, points=query_int(request, "points"))


@api.get("/api/v1/supply/unclaimed", Page[UnclaimedBlock], LIMIT, CURSOR, errors=(400, 503))
async def get_unclaimed(request: Request) -> Answer[Page[UnclaimedBlock]]:
    """The blocks whose coinbases made other than the schedule, newest first, and why."""
    return await services(request).db.fenced(unclaimed, **paging(request))


@api.get("/api/v1/supply/{number}.txt", PlainText, DECIMALS, AT)
async def get_number(request: Request) -> Answer[PlainText]:
    """One number of the supply as a bare decimal in FLUX."""
    s = services(request)
    name, at = request.path_params["number"], query_int(request, "at")
    found = await s.db.fenced(number, name, wallets=s.labels.fusion, at=at)
    return Answer(_plain(found.value, _decimals(request)), found.tip, found.shown)


@api.get("/api/v1/supply/parallel/{chain}.txt", PlainText, DECIMALS, errors=(400, 404, 503))
async def get_parallel_number(request: Request) -> Answer[PlainText]:
    """What circulates on one parallel chain, as a bare decimal in FLUX; the headers tell how old the reading is."""
    found = await services(request).db.fenced(parallel_number, request.path_params["chain"])
    return Answer(_plain(found.value, _decimals(request)), found.tip, found.shown)


def _decimals(request: Request) -> int | None:
    """The decimals asked for, 0 to 8."""
    decimals = query_int(request, "decimals")
    if decimals is not None and decimals > MOST_DECIMALS:
        raise BadRequest(f"decimals is {decimals}: expected a whole number from 0 to {MOST_DECIMALS}")
    return decimals


def _plain(found: Number, decimals: int | None) -> PlainText:
    text = decimal_text(found.amount, found.decimals if decimals is None else decimals)
    headers = {"X-Flux-Explanation": found.explanation}
    if found.as_of is not None:
        headers |= {"X-Flux-As-Of": str(found.as_of), "X-Flux-State": str(found.state)}
    return PlainText(text, headers)
