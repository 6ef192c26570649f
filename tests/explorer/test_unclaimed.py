"""Blocks that claimed less than the schedule, found in a long chain by few reads; what is said of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from pymongo import MongoClient

from explorer.db import Database, View, open_database
from explorer.meta import Tip
from explorer.queries.supply_results import UnclaimedBlock
from explorer.queries.unclaimed import explain, unclaimed
from indexer.chain.networks import MAIN
from indexer.chain.params import COIN
from indexer.chain.subsidy import block_subsidy, issue_at
from indexer.store.embedded import drop_database

STEP = 3_000_000  # zatoshi: a step of the slow start
PREMINE = 13_020_000 * COIN


def sparse(blocks: int) -> dict[int, int]:
    """A few blocks that leave something."""
    random = Random(1)
    return {random.randrange(6000, blocks): random.randrange(1, 10**9) for _ in range(30)} | {blocks: 1, 6000: 5}


GAPS: dict[str, tuple[int, Mapping[int, int]]] = {
    "none": (7000, {}),
    "a few": (30_000, sparse(30_000)),
    "as the whitepaper tells of the real chain": (
        7000, {1: PREMINE, 2: 2 * STEP - PREMINE} | dict.fromkeys(range(3, 5001), STEP) | {6500: 150 * COIN},
    ),
    "nothing but a genesis block": (0, {}),
    "two blocks": (2, {1: PREMINE, 2: 2 * STEP - PREMINE}),
    "three blocks": (3, {3: 7}),
}  # fmt: skip


async def _all(uri: str, name: str, limit: int) -> tuple[list[UnclaimedBlock], int]:
    """All items of the list, page by page, and how many rows were read for the first page."""
    read = 0

    async def page(view: View, cursor: str | None) -> tuple[tuple[UnclaimedBlock, ...], str | None]:
        found = await unclaimed(view, cursor=cursor, limit=limit)
        return found.items, found.next

    async with open_database(uri, name, MAIN) as db:
        read = await _reads(db, limit)
        items: list[UnclaimedBlock] = []
        cursor: str | None = None
        while True:
            more, cursor = (await db.fenced(page, cursor)).value
            assert len(more) <= limit
            items += more
            if cursor is None:
                return items, read


async def _reads(db: Database, limit: int) -> int:
    """How many rows of blocks the first page takes."""
    count = 0
    plain = db.find

    async def counted(*args: Any, **more: Any) -> Any:
        nonlocal count
        found = await plain(*args, **more)
        count += len(found)
        return found

    db.find = counted  # type: ignore[method-assign]
    await db.fenced(unclaimed, limit=limit)
    db.find = plain  # type: ignore[method-assign]
    return count


@contextmanager
def chain_of(uri: str, name: str, blocks: int, gaps: Mapping[int, int]) -> Iterator[None]:
    """A database with as much of a chain as the question reads."""
    rows: list[dict[str, Any]] = []
    issued = 0
    for height in range(blocks + 1):
        made = issue_at(MAIN, height) - gaps.get(height, 0)
        issued += made
        rows.append({"_id": height, "issued": issued, "coinbase_value": made + 10, "fees": 10})
    with MongoClient[dict[str, Any]](uri) as client:
        client[name]["blocks"].insert_many(rows)
        client[name]["meta"].insert_one({"_id": "tip", **tip_at(blocks)})
    try:
        yield
    finally:
        drop_database(uri, name)


def tip_at(height: int) -> dict[str, Any]:
    """What ``meta`` says of a tip."""
    return {"height": height, "hash": bytes(32), "time": 0, "epoch": 0, "dirty": False, "reorgs": 0}


@pytest.mark.parametrize(
    ("kind", "limit"),
    [(kind, limit) for kind, (_, gaps) in GAPS.items() for limit in (3, 250, 1000) if limit > 3 or len(gaps) < 100],
)
def test_every_block_is_found_once(mongod: str, database_name: str, kind: str, limit: int) -> None:
    blocks, gaps = GAPS[kind]
    with chain_of(mongod, database_name, blocks, gaps):
        items, read = asyncio.run(_all(mongod, database_name, limit))
    assert [item.height for item in items] == sorted(gaps, reverse=True)
    assert {item.height: item.unclaimed for item in items} == gaps
    assert all(item.scheduled - item.claimed == item.unclaimed for item in items)
    assert read < 12_000


def test_what_was_found_is_added_to_when_blocks_come(mongod: str, database_name: str) -> None:
    blocks, random = 400, Random(2)
    gaps = dict.fromkeys((height for height in range(3, blocks) if random.random() < 0.1), 5)
    asked = [(tip, random.randrange(1, 40)) for tip in sorted(random.choices(range(blocks), k=60))]

    async def ask(db: Database, tip: int, limit: int) -> tuple[UnclaimedBlock, ...]:
        found = await unclaimed(View(db, Tip(tip, bytes(32), 0, 0, False, 0)), limit=limit)
        return found.items

    async def compare() -> None:
        async with open_database(mongod, database_name, MAIN) as db:
            for tip, limit in asked:
                expected = sorted((height for height in gaps if height <= tip), reverse=True)[:limit]
                assert [item.height for item in await ask(db, tip, limit)] == expected

    with chain_of(mongod, database_name, blocks, gaps):
        asyncio.run(compare())


@pytest.mark.parametrize(
    ("height", "claimed", "fees", "words"),
    [
        (1, 0, 0, "the schedule has the premine here; this coinbase does not claim it"),
        (2, PREMINE, 0, "the premine, which the schedule has at height 1"),
        (2, 5 * COIN, 0, "no rule bounds what the coinbases of blocks 1 and 2 claim"),
        (3, block_subsidy(MAIN, 3) - STEP, 0, "the slow start goes one step behind the schedule"),
        (5000, 150 * COIN - STEP, 0, "the slow start goes one step behind the schedule"),
        (5001, 150 * COIN - STEP, 0, "the coinbase claims less than subsidy, fees and one-off funds"),
        (9000, 0, 0, "the coinbase claims nothing at all"),
        (9000, -25, 25, "the coinbase claims nothing at all"),
        (9000, -20, 25, "the coinbase claims less than the fees: coins were destroyed"),
        (9000, 150 * COIN - 25, 25, "the coinbase claims the subsidy and leaves the fees"),
        (9000, 150 * COIN - 24, 25, "the coinbase claims less than subsidy, fees and one-off funds"),
        (836_274, 75 * COIN, 0, "the coinbase claims less than subsidy, fees and one-off funds"),
    ],
)
def test_what_is_said_of_a_block(height: int, claimed: int, fees: int, words: str) -> None:
    assert explain(MAIN, height, claimed, fees).startswith(words)
