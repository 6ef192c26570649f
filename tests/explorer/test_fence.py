"""Fenced reads of a real database while a writer is at work: no answer may be torn."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from explorer import db
from explorer.db import Database, View, open_database
from explorer.errors import AboveTip, NotFound, Syncing, UpstreamUnavailable
from tests.indexed import network

COINS = 6
ENOUGH = 6  # answers while somebody writes
PATIENCE = 60  # seconds
EMPTY = {"_id": "tip", "height": -1, "hash": bytes(32), "time": 0, "epoch": 0, "dirty": False, "reorgs": 0}
DRIVERS = ("motor", "pymongo_async")


def tip(height: int, **more: Any) -> dict[str, Any]:
    """A tip document."""
    return {**EMPTY, "height": height, "hash": bytes([height % 251]) * 32, **more}


@asynccontextmanager
async def opened(uri: str, name: str, driver: str = "motor") -> AsyncIterator[tuple[Database, Any]]:
    """The explorer's database and a writer's client of it."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    try:
        async with open_database(uri, name, network(), driver) as database:
            yield database, client.get_database(name)
    finally:
        await client.close()


async def write_mutable(store: Any, stop: asyncio.Event) -> int:
    """Commits as the indexer does them: dirty, mutable rows one by one, then the tip. Every sum is COINS x height."""
    height = 0
    while not stop.is_set():
        height += 1
        await store.meta.update_one({"_id": "tip"}, {"$set": {"dirty": True}})
        for coin in range(COINS):
            await store.utxos.update_one({"_id": coin}, {"$set": {"v": height}}, upsert=True)
            await asyncio.sleep(0)
        await store.meta.replace_one({"_id": "tip"}, tip(height))
        await asyncio.sleep(random.random() * 0.03)
    return height


async def write_immutable(store: Any, stop: asyncio.Event) -> int:
    """Blocks that come and go: a rewind raises the epoch and lowers the tip before the first row goes."""
    branch, height, rewinds = 0, 0, 0
    while not stop.is_set():
        for _ in range(6):
            height += 1
            await store.blocks.insert_one({"_id": height, "branch": branch})
            await store.meta.replace_one({"_id": "tip"}, tip(height, epoch=rewinds))
        branch, height, rewinds = branch + 1, height - 5, rewinds + 1
        await store.meta.replace_one({"_id": "tip"}, tip(height, epoch=rewinds, dirty=True))
        await store.blocks.delete_many({"_id": {"$gt": height}})
        await store.meta.replace_one({"_id": "tip"}, tip(height, epoch=rewinds))
    return rewinds


async def coins(view: View) -> list[int]:
    """The coins one by one, as slowly as a query of several round trips; all must be those of the tip."""
    return [row["v"] for coin in range(COINS) if (row := await view.one("utxos", {"_id": coin}))]


async def read_immutable(view: View) -> tuple[int, list[tuple[int, int]]]:
    """The five newest blocks, in two reads."""
    heights = range(max(1, view.tip.height - 4), view.tip.height + 1)
    found = []
    for height in heights:
        row = await view.one("blocks", {"_id": height})
        found.append((height, -1 if row is None else row["branch"]))
    return view.tip.height, found


async def during(store: Any, writer: Callable[..., Coroutine[Any, Any, int]], seconds: float, read: Any) -> int:
    """Run ``read`` over and over while the writer writes; how often it was answered.

    On a machine too busy for ENOUGH answers in that time it takes as much longer as it must.
    """
    stop = asyncio.Event()
    writing = asyncio.create_task(writer(store, stop))
    answers, begun = 0, time.monotonic()
    while (spent := time.monotonic() - begun) < seconds or (answers < ENOUGH and spent < PATIENCE):
        with suppress(Syncing):  # a busy machine may find no undisturbed moment; never a wrong one
            answers += await read()
    stop.set()
    assert await writing > 3
    assert answers >= ENOUGH
    return answers


async def torn_answers(uri: str, name: str, driver: str, seconds: float) -> int:
    """How many answers were torn while coins were being written."""
    async with opened(uri, name, driver) as (database, store):
        await store.utxos.insert_many([{"_id": coin, "v": 0} for coin in range(COINS)])
        await store.meta.replace_one({"_id": "tip"}, tip(0), upsert=True)
        torn = 0

        async def read() -> int:
            nonlocal torn
            answer = await database.fenced(coins)
            torn += answer.value != [answer.tip.height] * COINS
            return 1

        await during(store, write_mutable, seconds, read)
        return torn


@pytest.mark.parametrize("driver", DRIVERS)
def test_mutable_rows_are_never_torn(mongod: str, database_name: str, driver: str) -> None:
    assert asyncio.run(torn_answers(mongod, database_name, driver, 2.0)) == 0


@pytest.mark.parametrize("driver", DRIVERS)
def test_immutable_rows_are_never_those_of_two_branches(mongod: str, database_name: str, driver: str) -> None:
    async def scenario() -> list[Any]:
        async with opened(mongod, database_name, driver) as (database, store):
            await store.meta.replace_one({"_id": "tip"}, tip(0), upsert=True)
            faults: list[Any] = []

            async def read() -> int:
                height, found = (await database.fenced(read_immutable)).value
                branches = [branch for _, branch in found]
                # Of the newest five, a rewind by five leaves none of an older branch behind another.
                if -1 in branches or branches != sorted(branches):
                    faults.append((height, found))
                return 1

            await during(store, write_immutable, 2.0, read)
            return faults

    assert asyncio.run(scenario()) == []


def test_without_the_dirty_mark_answers_are_torn(
    mongod: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scenario can fail: with the epoch alone, reads of mutable rows are wrong."""
    monkeypatch.setattr("explorer.view.MUTABLE", frozenset())
    assert asyncio.run(torn_answers(mongod, database_name, "motor", 1.0)) > 0


def fenced_once(uri: str, name: str, query: Any, document: dict[str, Any] | None) -> Any:
    """One fenced query on a database with this tip."""

    async def scenario() -> Any:
        async with opened(uri, name) as (database, store):
            if document is not None:
                await store.meta.replace_one({"_id": "tip"}, document, upsert=True)
            return (await database.fenced(query)).value

    return asyncio.run(scenario())


async def coins_at_tip(view: View) -> int:
    """A query of mutable rows."""
    return len(await view.many("utxos", {}))


async def no_such_block(view: View) -> None:
    """A query that finds nothing."""
    raise NotFound("no such block")


async def far_block(view: View) -> int:
    """A query above the tip."""
    return view.require_height(10**9)


async def late_index(view: View) -> None:
    """A query of an index that is not built."""
    view.require_index("txids.prefixes")


@pytest.mark.parametrize("document", [None, EMPTY])
def test_without_a_block_every_question_waits(mongod: str, database_name: str, document: dict[str, Any] | None) -> None:
    with pytest.raises(Syncing, match="no block has been indexed yet"):
        fenced_once(mongod, database_name, coins_at_tip, document)


def test_a_write_of_over_two_seconds_is_told(mongod: str, database_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(Syncing, match="over two seconds"):
        fenced_once(mongod, database_name, coins_at_tip, tip(5, dirty=True))


@pytest.mark.parametrize(("query", "error"), [(no_such_block, NotFound), (far_block, AboveTip), (late_index, Syncing)])
def test_errors_of_a_query_are_told(mongod: str, database_name: str, query: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        fenced_once(mongod, database_name, query, tip(5, dirty=True))


def test_what_is_found_only_after_the_next_block_is_found(mongod: str, database_name: str) -> None:
    """A question about the next block, asked of a tip that has just moved, is asked again before it is refused."""

    async def scenario() -> int:
        async with opened(mongod, database_name) as (database, store):
            await store.meta.replace_one({"_id": "tip"}, tip(5), upsert=True)
            await database.poll()
            await store.meta.replace_one({"_id": "tip"}, tip(6))

            async def next_block(view: View) -> int:
                return view.require_height(6)

            return (await database.fenced(next_block)).value

    assert asyncio.run(scenario()) == 6


def test_a_late_index_under_way_tells_its_percentage(mongod: str, database_name: str) -> None:
    async def scenario() -> None:
        async with opened(mongod, database_name) as (database, store):
            await store.meta.replace_one({"_id": "tip"}, tip(5), upsert=True)
            building = {"_id": "indexes", "ready": [], "building": {"txids.prefixes": 37}}
            await store.meta.replace_one({"_id": "indexes"}, building, upsert=True)
            await database.poll()
            await database.fenced(late_index)

    with pytest.raises(Syncing, match="37 %"):
        asyncio.run(scenario())


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_database_that_is_away_is_told(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "SERVER_TIMEOUT_MS", 50)

    async def scenario() -> None:
        async with open_database("mongodb://127.0.0.1:9/", "none", network(), driver) as database:
            assert not database.reachable
            await database.fenced(coins_at_tip)

    with pytest.raises(UpstreamUnavailable, match="the database does not answer"):
        asyncio.run(scenario())


def test_what_was_asked_before_and_answered_later_changes_nothing(
    mongod: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def heights() -> list[int]:
        async with opened(mongod, database_name) as (database, store):
            await store.meta.replace_one({"_id": "tip"}, tip(1), upsert=True)
            read, answered = asyncio.Event(), asyncio.Event()
            find = database.find

            async def late(*question: Any) -> Any:
                found = await find(*question)
                read.set()
                await answered.wait()
                return found

            monkeypatch.setattr(database, "find", late)
            older = asyncio.create_task(database.poll())
            await read.wait()
            monkeypatch.undo()
            await store.meta.replace_one({"_id": "tip"}, tip(2))
            await database.poll()
            told = database.meta.tip
            answered.set()
            await older
            assert told is not None and database.meta.tip is not None
            return [told.height, database.meta.tip.height]

    assert asyncio.run(heights()) == [2, 2]


@pytest.mark.parametrize("rewound", [True, False])
def test_a_fault_among_rows_that_go_away_is_asked_again(mongod: str, database_name: str, rewound: bool) -> None:
    """A row that is absent where another one names it: the rewind's doing, or else a fault that is told."""

    async def scenario() -> int:
        async with opened(mongod, database_name) as (database, store):
            await store.meta.replace_one({"_id": "tip"}, tip(5), upsert=True)
            await database.poll()

            async def joined(view: View) -> int:
                if view.tip.epoch == 0:
                    if rewound:
                        await store.meta.replace_one({"_id": "tip"}, tip(4, epoch=1, reorgs=1))
                    raise KeyError(5)
                return view.tip.height

            return (await database.fenced(joined)).value

    if rewound:
        assert asyncio.run(scenario()) == 4
    else:
        with pytest.raises(KeyError):
            asyncio.run(scenario())
