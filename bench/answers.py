"""How fast the API answers what nothing is kept of: queues of the past, balances at a height, a long history.

The application answers in this process, without a socket. Before every question all that it has kept is forgotten.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from explorer.app import create_app
from explorer.kept import Kept
from explorer.services import Services
from indexer.chain.address import encode_address
from indexer.chain.replay import SNAPSHOT_EVERY
from indexer.config import Config
from indexer.store.mongo import MongoStore

QUESTIONS = 40
QUEUE_MS, BALANCES_MS, HISTORY_MS = 100, 200, 50  # budgets
MANY = 1_000
WARM = 3
NOT_KEPT = {"Cookie": "of=somebody"}  # answers to somebody's own cookies are made each time

Ask = Callable[[], Awaitable[httpx.Response]]


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of a kind of question: the median and the worst."""

    median: float
    worst: float


@dataclass(frozen=True, slots=True)
class Answered:
    """What was asked."""

    queue_25: Times
    queue_1000: Times
    balances: Times
    history: Times
    longest_history: int  # transactions of the address


async def timed(services: Services, ask: Ask) -> float:
    """Milliseconds of one answer."""
    services.db.kept = Kept()
    begun = time.perf_counter()
    response = await ask()
    taken = time.perf_counter() - begun
    response.raise_for_status()
    return taken * 1000


async def times(services: Services, asks: list[Ask]) -> Times:
    """What these questions took, one after the other."""
    found = [await timed(services, ask) for ask in asks]
    return Times(statistics.median(found), max(found))


def addresses(config: Config) -> tuple[list[str], str, int]:
    """Random addresses, and the one with the most transactions, and how many."""
    with closing(MongoStore(config.database.uri, config.database_name)) as store:
        ledger = store.database.ledger
        keys = sorted({bytes(row["_id"])[:21] for row in ledger.aggregate([{"$sample": {"size": 20 * MANY}}])})
        (busiest,) = ledger.find().sort("n", -1).limit(1)
    chosen = Random(1).sample(keys, min(MANY, len(keys)))
    texts = [encode_address(key, config.network) for key in (*chosen, bytes(busiest["_id"])[:21])]
    return texts[:-1], texts[-1], busiest["n"]


async def asked(config: Config, first: int) -> Answered:
    """Ask at random heights from ``first`` on, behind the ramp and the snapshot that follows it."""
    many, busiest, count = addresses(config)
    app = create_app(config)
    async with app.router.lifespan_context(app) as state:
        assert state is not None
        services: Services = state["services"]
        transport = httpx.ASGITransport(with_state(app, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://explorer") as client:
            tip = services.db.meta.tip
            assert tip is not None
            heights = Random(2).sample(range(max(first, SNAPSHOT_EVERY), tip.height), 3 * QUESTIONS)

            def queue(limit: int, height: int) -> Ask:
                return lambda: client.get(f"/api/v1/tiers/cumulus/queue?limit={limit}&at={height}")

            def balances(height: int) -> Ask:
                return lambda: client.post("/api/v1/balances", json={"addresses": many, "at": height})

            def history() -> Ask:
                return lambda: client.get(f"/api/v1/addresses/{busiest}/transactions", headers=NOT_KEPT)

            for _ in range(WARM):  # the process and its connections, at a height of its own
                await timed(services, queue(MANY, tip.height))
                await timed(services, balances(tip.height))
            return Answered(
                queue_25=await times(services, [queue(25, height) for height in heights[:QUESTIONS]]),
                queue_1000=await times(services, [queue(MANY, height) for height in heights[QUESTIONS:-QUESTIONS]]),
                balances=await times(services, [balances(height) for height in heights[-QUESTIONS:]]),
                history=await times(services, [history()] * QUESTIONS),
                longest_history=count,
            )


def with_state(app: Any, state: Mapping[str, Any]) -> Any:
    """What a server does with the state of a lifespan: every request gets a copy."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return wrapped


def measure(config: Config, first: int) -> Answered:
    """Time the answers of an explorer of this database."""
    return asyncio.run(asked(config, first))


def tell(found: Answered) -> list[str]:
    """The figures in words."""
    named = {
        "queue at a past height, page of 25": found.queue_25,
        "queue at a past height, page of 1,000": found.queue_1000,
        "1,000 balances at a height": found.balances,
        f"history of {found.longest_history:,} transactions, first page": found.history,
    }
    return [f"{name}: {times.median:.0f} ms, at worst {times.worst:.0f}" for name, times in named.items()]
