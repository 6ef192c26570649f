"""Statistics: days and their sums, the richest addresses, how the coins are distributed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import Request

from explorer.api.forms.exact import trimmed
from explorer.api.insight.answering import Insight
from explorer.api.json import amount_text
from explorer.db import Answer
from explorer.errors import BadRequest, NotFound
from explorer.queries.days import MOST_DAYS, DaySum, day_sums
from explorer.queries.richlist import distribution, holders
from explorer.services import services

insight = Insight()

RICHEST = 1000
DEFAULT_DAYS = 30


@insight.get("/statistics/richest-addresses-list")
async def get_richest(request: Request) -> Answer[Any]:
    """The thousand addresses with the most coins."""
    s = services(request)
    found = await s.db.fenced(holders, s.labels, limit=RICHEST)
    listed = [{"address": item.address, "balance": trimmed(item.balance)} for item in found.value.items]
    return Answer(listed, found.tip, found.shown)


@insight.get("/statistics/balance-intervals")
async def get_intervals(request: Request) -> Answer[Any]:
    """How many addresses have how much, by powers of ten."""
    found = await services(request).db.fenced(distribution)
    bands = [
        {"min": trimmed(band.from_), "max": trimmed(band.to), "count": band.addresses, "sum": trimmed(band.sum)}
        for band in found.value.items
    ]
    return Answer(bands, found.tip, found.shown)


@insight.get("/statistics/total")
async def get_day(request: Request) -> Answer[Any]:
    """The day so far and the one before, in sum."""
    found = await services(request).db.fenced(day_sums, 2)
    blocks = sum(day.blocks for day in found.value)
    shown: dict[str, Any] = {
        "n_blocks_mined": blocks,
        "transaction_fees": sum(day.fees for day in found.value),
        "number_of_transactions": sum(day.transactions for day in found.value),
        "blocks_by_pool": [],
    }
    if found.value:
        shown["difficulty"] = found.value[0].difficulty
    return Answer(shown, found.tip)


@insight.get("/statistics/{series}")
async def get_series(request: Request) -> Answer[Any]:
    """A figure day by day, the newest first: supply, transactions, fees or difficulty."""
    written = SERIES.get(request.path_params["series"])
    if written is None:
        raise NotFound("there is no such series")
    found = await services(request).db.fenced(day_sums, _days(request.query_params.get("days")))
    return Answer([{"date": day.date, **written(day)} for day in found.value], found.tip)


def _days(text: str | None) -> int:
    if text == "all":
        return MOST_DAYS
    days = int(text) if text and text.isascii() and text.isdecimal() and len(text) < 6 else 0 if text else DEFAULT_DAYS
    if not 1 <= days <= MOST_DAYS:
        raise BadRequest(f"days: expected a whole number up to {MOST_DAYS}, or all")
    return days


SERIES: Final[Mapping[str, Callable[[DaySum], dict[str, Any]]]] = {
    "supply": lambda day: {"sum": amount_text(day.issued)},
    "transactions": lambda day: {"transaction_count": day.transactions, "block_count": day.blocks},
    "fees": lambda day: {"fee": trimmed(day.fees // max(day.transactions, 1))},
    "difficulty": lambda day: {"sum": day.difficulty},
}
