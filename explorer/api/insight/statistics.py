"""Statistics: the richest addresses, and how the coins are distributed."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from explorer.api.forms.exact import trimmed
from explorer.api.insight.answering import Insight
from explorer.db import Answer
from explorer.queries.richlist import distribution, holders
from explorer.services import services

insight = Insight()

RICHEST = 1000


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
