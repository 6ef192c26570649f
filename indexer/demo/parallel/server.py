"""One HTTP server on loopback for all parallel chains, each under its own path; now and then one is away or late."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from indexer.demo.http import HttpServer, Reply
from indexer.demo.parallel import algorand, ergo, evm, kadena, solana, tron
from indexer.demo.parallel.chains import BY_KEY, TokenChain
from indexer.demo.parallel.view import Request, View, page_reply

Availability = Literal["up", "down", "late"]

LATE_SECONDS: Final = 2.5
AWAY: Final[dict[str, tuple[Availability, int, int, int]]] = {
    "kda": ("down", 300, 240, 300),
    "erg": ("late", 180, 60, 90),
}
"""What befalls a chain by itself: within so many seconds, from one second to another, since the start."""

PROTOCOLS: Final[dict[str, Callable[[View, Request], Reply]]] = {
    "evm": evm.answer,
    "tron": tron.answer,
    "solana": solana.answer,
    "kadena": kadena.answer,
    "ergo": ergo.answer,
    "algorand": algorand.answer,
}

Answer = Callable[[TokenChain, Callable[[View], Reply]], Reply | None]
"""Lets a chain's server reply while nothing moves; None while there is no chain yet."""


class Conditions:
    """Which chains answer at present: as told, else by the clock (seconds)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._start = clock, clock()
        self._told: dict[str, Availability] = {}

    def of(self, chain: str) -> Availability:
        """Whether a chain answers now."""
        if chain in self._told:
            return self._told[chain]
        state, period, begin, end = AWAY.get(chain, ("up", 1, 0, 0))
        return state if begin <= (self._clock() - self._start) % period < end else "up"

    def tell(self, chain: str, state: Availability | None) -> None:
        """From now on a chain is so; None leaves it to the clock."""
        if state is None:
            self._told.pop(chain, None)
        else:
            self._told[chain] = state


class ParallelServer(HttpServer):
    """Serves the protocols of all chains."""

    def __init__(self, host: str, port: int, answer: Answer, conditions: Conditions | None = None) -> None:
        """Port 0 takes a free one; OSError when the address is taken."""
        self.conditions = conditions or Conditions()
        self._answer = answer
        super().__init__(host, port, self.reply)

    def reply(self, request: BaseHTTPRequestHandler, body: bytes) -> Reply | None:
        """The reply of the chain that the path begins with; None when it is down."""
        parts = urlsplit(request.path)
        key, _, rest = parts.path.removeprefix("/").partition("/")
        chain = BY_KEY.get(key)
        if chain is None:
            return page_reply(HTTPStatus.NOT_FOUND)
        state = self.conditions.of(key)
        if state == "down":
            return None
        if state == "late":
            time.sleep(LATE_SECONDS)
        asked = Request(request.command, "/" + unquote(rest), dict(parse_qsl(parts.query)), body)
        found = self._answer(chain, lambda view: PROTOCOLS[chain.kind](view, asked))
        return found or page_reply(HTTPStatus.SERVICE_UNAVAILABLE)


def endpoint(url: str, chain: TokenChain) -> str:
    """A chain's endpoint on a server with this URL."""
    return f"{url.rstrip('/')}/{chain.key}" + (kadena.ROOT if chain.kind == "kadena" else "")
