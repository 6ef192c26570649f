"""The supply as plain numbers, under Insight's paths."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from explorer.api.insight.answering import Insight, Text
from explorer.api.json import amount_text
from explorer.db import Answer
from explorer.queries.supply_numbers import number
from explorer.services import services
from indexer.chain.params import COIN
from indexer.daemonjson.words import coins

insight = Insight()


@insight.get("/supply", "/circulating-supply", "/statistics/circulating-supply")
async def get_circulating(request: Request) -> Answer[Any]:
    """What circulates on all chains, by the official formula."""
    return await _plain(request, "circulating", "circulatingSupply")


@insight.get("/total-supply", "/statistics/total-supply")
async def get_total(request: Request) -> Answer[Any]:
    """The native coins that there are."""
    return await _plain(request, "total", "supply")


@insight.get("/circulation")
async def get_circulation(request: Request) -> Answer[Any]:
    """What circulates, as a number, a whole number and a text."""
    s = services(request)
    found = await s.db.fenced(number, "circulating", wallets=s.labels.fusion)
    amount = found.value.amount
    shown = {"circulationsupply": coins(amount), "circsupplyint": amount // COIN, "circsupplydig": amount_text(amount)}
    return Answer(shown, found.tip, found.shown)


async def _plain(request: Request, name: str, key: str) -> Answer[Any]:
    s = services(request)
    found = await s.db.fenced(number, name, wallets=s.labels.fusion)
    text = amount_text(found.value.amount)
    written = {key: text} if request.query_params.get("format") == "object" else Text(text)
    return Answer(written, found.tip, found.shown)
