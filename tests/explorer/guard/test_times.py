"""What takes too long is ended, and told so; what it waited for is not left behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pymongo
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from explorer.app import error_handlers
from explorer.db import open_database
from explorer.errors import TooSlow
from explorer.guard.refusals import none_yet
from explorer.guard.tolls import tolled
from indexer.chain.networks import named_network
from tests.explorer.client import Client

ENDLESS: list[dict[str, Any]] = [
    {"$documents": [{"a": {"$range": [0, 100_000]}, "b": {"$range": [0, 100_000]}}]},
    {"$unwind": "$a"}, {"$unwind": "$b"}, {"$group": {"_id": {"$mod": ["$b", 7]}, "sum": {"$sum": "$a"}}},
]  # fmt: skip


@pytest.mark.parametrize("driver", ["motor", "pymongo_async"])
def test_a_question_without_an_end_is_given_up_by_the_server(mongod: str, driver: str) -> None:
    async def ask() -> None:
        async with open_database(mongod, "none", named_network("main"), driver, query_seconds=0.3) as db:
            with pytest.raises(TooSlow, match="ask for less at once"):
                await db.aggregate(None, ENDLESS)

    asyncio.run(ask())
    with pymongo.MongoClient[dict[str, Any]](mongod) as client:
        deadline = time.monotonic() + 20
        while any("$documents" in str(row.get("command")) for row in client.admin.aggregate([{"$currentOp": {}}])):
            assert time.monotonic() < deadline, "the server goes on with what nobody waits for"
            time.sleep(0.05)


def test_an_answer_that_does_not_begin_in_time_is_an_error_and_ends_its_work() -> None:
    refused = none_yet()
    ended: list[str] = []

    async def slow(request: Request) -> PlainTextResponse:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append("slow")
        return PlainTextResponse("late")

    async def fails(request: Request) -> PlainTextResponse:
        raise TimeoutError("its own")

    async def long(request: Request) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            for n in range(3):
                await asyncio.sleep(0.1)
                yield f"{n}\n"

        return StreamingResponse(lines())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, None]]:
        yield {"services": None}

    routes = [Route("/api/slow", slow), Route("/api/fails", fails), Route("/api/long", long)]
    app = Starlette(routes=tolled(routes, 0.1, refused), exception_handlers=error_handlers(), lifespan=lifespan)
    with Client(app) as client:
        late = client.get("/api/slow")
        assert (late.status_code, late.json()["error"]["code"]) == (503, "timeout")
        assert "longer than 0.1 s" in late.json()["error"]["message"]
        assert (ended, refused["time"]) == (["slow"], 1)
        assert client.get("/api/long").text == "0\n1\n2\n"  # it has begun in time
        with pytest.raises(TimeoutError, match="its own"):
            client.get("/api/fails")
