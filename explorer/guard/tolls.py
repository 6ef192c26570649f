"""What is paid, and how long it may take, where an answer has to be made: between the kept answers and the routes."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.errors import RateLimited, TooSlow
from explorer.guard.clients import client_of
from explorer.guard.costs import price_of, price_of_rows
from explorer.guard.door import ALLOWANCE_KEY, REFUSED_KEY
from explorer.guard.refusals import TOO_MUCH, Refused, seconds_of
from explorer.languages.phrases import Phrase


class Toll:
    """Stands before one route: takes its price, and ends what takes longer than ``seconds`` to begin its answer."""

    def __init__(self, app: ASGIApp, price: int, seconds: float, refused: Refused) -> None:
        self._app = app
        self.price = price
        self._seconds, self._refused = seconds, refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; RateLimited, or TooSlow before the answer has begun."""
        spend(scope, self.price)

        async def sending(message: Message) -> None:
            if limit.when() is not None and not limit.expired():
                limit.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(self._seconds) as limit:
                await self._app(scope, receive, sending)
        except TimeoutError:
            if not limit.expired():
                raise
            self._refused["time"] += 1
            raise TooSlow(Phrase(
                "this answer takes longer than %(seconds)s s: ask for less at once, or ask again later",
                seconds=f"{self._seconds:g}",
            )) from None


def spend(scope: Scope, tokens: int) -> None:
    """Take tokens from the bucket of the client of a request; RateLimited when there are too few."""
    allowance = scope.get(ALLOWANCE_KEY)
    if allowance is None or not tokens:
        return
    if wait := allowance.spend(client_of(scope).name, tokens):
        scope[REFUSED_KEY]["rate"] += 1
        seconds = seconds_of(wait)
        raise RateLimited(Phrase(TOO_MUCH, seconds=seconds), seconds)


def charge(request: HTTPConnection, rows: int) -> None:
    """Take what so many rows cost on top of the route; RateLimited when that is too much."""
    spend(request.scope, price_of_rows(rows))


def tolled(routes: Iterable[BaseRoute], seconds: float, refused: Refused) -> list[BaseRoute]:
    """The same routes, each behind its toll; what is not plain HTTP takes its tolls itself."""
    return [_behind_toll(route, seconds, refused) for route in routes]


def _behind_toll(route: BaseRoute, seconds: float, refused: Refused) -> BaseRoute:
    if not isinstance(route, Route):
        return route
    made = copy.copy(route)
    made.app = Toll(route.app, price_of(route), seconds, refused)
    return made
