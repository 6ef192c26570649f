"""Rows by ``_id``: read together, kept for an epoch, and never those of another branch, whatever the writer does."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from explorer.by_id import KeptRows, RowsById
from explorer.db import Database, View
from explorer.errors import TooSlow
from explorer.meta import Tip
from indexer.chain.keys import txkey
from tests.explorer.test_fence import during, opened, tip

HIGHEST = 12


def at(height: int, epoch: int = 0) -> Tip:
    """A tip."""
    return Tip(height, bytes(32), 0, epoch, False, 0)


class Asked:
    """Rows that say of which branch they are, and the questions about them."""

    def __init__(self) -> None:
        self.branch = 0
        self.questions: list[tuple[str, Any]] = []
        self.fails = False
        self.rows = RowsById(self.find)

    async def find(self, collection: str, where: Any) -> list[Mapping[str, Any]]:
        """All rows exist but those below 0."""
        asked = where["_id"]
        ids = asked["$in"] if isinstance(asked, dict) else [asked]
        self.questions.append((collection, asked))
        await asyncio.sleep(0)
        if self.fails:
            raise TooSlow("late")
        return [{"_id": id, "branch": self.branch} for id in ids if id >= 0]

    async def branches(self, tip: Tip, ids: Iterable[int], collection: str = "blocks") -> dict[int, int]:
        """The branch of each row that is given."""
        return {id: row["branch"] for id, row in (await self.rows.read(tip, collection, ids)).items()}


def test_what_is_asked_for_at_the_same_time_is_one_question() -> None:
    asked = Asked()

    async def nested(first: int) -> tuple[dict[int, int], ...]:
        return tuple(await asyncio.gather(asked.branches(at(9), [first]), asked.branches(at(5), [1, first + 2])))

    async def scenario() -> Any:
        alone = asked.branches(at(9), [7], "payouts")
        return await asyncio.gather(nested(3), asked.branches(at(9), range(3)), alone)

    assert asyncio.run(scenario()) == [({3: 0}, {1: 0, 5: 0}), {0: 0, 1: 0, 2: 0}, {7: 0}]
    assert sorted(asked.questions) == [("blocks", {"$in": [0, 1, 2, 3, 5]}), ("payouts", 7)]


def test_a_row_is_read_once_an_epoch_and_an_absent_one_each_time() -> None:
    asked = Asked()

    async def scenario() -> list[dict[int, int]]:
        found = []
        for epoch, ids in [(0, [1, 2]), (0, [2, 3]), (0, [-1]), (0, [-1]), (2, [2, 3]), (1, [2]), (2, [3])]:
            asked.branch = epoch
            found.append(await asked.branches(at(5, epoch), ids))
        return found

    told = [{1: 0, 2: 0}, {2: 0, 3: 0}, {}, {}, {2: 2, 3: 2}, {2: 1}, {3: 2}]
    assert asyncio.run(scenario()) == told
    questions = [{"$in": [1, 2]}, 3, -1, -1, {"$in": [2, 3]}, 2]
    assert [question for _, question in asked.questions] == questions


@pytest.mark.parametrize("collection", ["blocks", "node_starts"])
def test_a_row_above_the_tip_is_neither_given_nor_kept(collection: str) -> None:
    """The indexer writes ahead of the tip, and may take it back without a word; another reader may be further."""
    asked = Asked()
    id = 6 if collection == "blocks" else txkey(6, 0)

    async def scenario() -> list[dict[int, int]]:
        first = [await asked.branches(at(5), [id], collection)]
        asked.branch = 1
        first += await asyncio.gather(*(asked.branches(at(height), [id], collection) for height in (5, 6)))
        return [*first, await asked.branches(at(5), [id], collection)]

    assert asyncio.run(scenario()) == [{}, {}, {id: 1}, {}]
    assert asked.questions == [(collection, id)]


@pytest.mark.parametrize("collection", ["nodes", "transactions"])
def test_rows_that_change_and_large_ones_are_read_again(collection: str) -> None:
    asked = Asked()

    async def scenario() -> None:
        for _ in range(2):
            await asked.branches(at(5), [1], collection)

    asyncio.run(scenario())
    assert asked.questions == [(collection, 1)] * 2


def test_who_gives_up_or_fails_leaves_the_others_their_rows() -> None:
    asked = Asked()

    async def scenario() -> Any:
        impatient = asyncio.create_task(asked.branches(at(5), [1]))
        waiting = asyncio.create_task(asked.branches(at(5), [2]))
        await asyncio.sleep(0)
        impatient.cancel()
        patient = await waiting
        asked.fails = True
        failed = await asyncio.gather(*(asked.branches(at(5), [n]) for n in (3, 4)), return_exceptions=True)
        asked.fails = False
        return patient, [type(error) for error in failed], await asked.branches(at(5), [3, 4])

    assert asyncio.run(scenario()) == ({2: 0}, [TooSlow, TooSlow], {3: 0, 4: 0})


def test_the_least_recently_used_rows_go_first() -> None:
    kept = KeptRows({"blocks": 3})
    kept.keep(0, "blocks", {height: {"_id": height} for height in range(3)})
    kept.find(0, "blocks", [0])
    kept.keep(0, "blocks", {height: {"_id": height} for height in (3, 4)})
    assert sorted(kept.find(0, "blocks", range(9))) == [0, 3, 4]
    kept.keep(0, "blocks", {height: {"_id": height} for height in range(10, 20)})
    assert sorted(kept.find(0, "blocks", range(20))) == [17, 18, 19]


class Branches:
    """A chain that is extended and reorganised at random, and what it was in each epoch."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.chains: dict[int, dict[int, int]] = {0: {}}  # by epoch: height -> branch

    async def write(self, store: Any, stop: asyncio.Event) -> int:
        """As the indexer does: rows ahead of the tip, which may be others after a crash; the epoch before rows go."""
        branch, height, epoch = 0, 0, 0
        while not stop.is_set():
            chain = self.chains[epoch]
            for _ in range(self._random.randint(1, 4)):
                await store.blocks.replace_one({"_id": height + 1}, {"branch": -1}, upsert=True)
                await store.blocks.replace_one({"_id": height + 1}, {"branch": branch}, upsert=True)
                height += 1
                chain[height] = branch
                await store.meta.replace_one({"_id": "tip"}, tip(height, epoch=epoch))
            least = max(1, height - HIGHEST)
            branch, height, epoch = branch + 1, max(0, height - self._random.randint(least, least + 3)), epoch + 1
            self.chains[epoch] = {h: b for h, b in chain.items() if h <= height}
            await store.meta.replace_one({"_id": "tip"}, tip(height, epoch=epoch, dirty=True))
            await store.blocks.delete_many({"_id": {"$gt": height}})
            await store.meta.replace_one({"_id": "tip"}, tip(height, epoch=epoch))
        return epoch


async def branches_up_to_tip(view: View) -> dict[int, int]:
    """The branch of each block, in two waves, and what is written above the tip."""
    tip = view.tip.height
    halves = range(1, tip, 2), range(1, tip + 4)
    return {height: row["branch"] for half in halves for height, row in (await view.rows("blocks", half)).items()}


@pytest.mark.parametrize("seed", range(2))
def test_rows_of_another_branch_are_never_told(mongod: str, database_name: str, seed: int) -> None:
    branches = Branches(seed)

    async def scenario() -> list[Any]:
        async with opened(mongod, database_name) as (database, store):
            await store.meta.replace_one({"_id": "tip"}, tip(0), upsert=True)
            faults: list[Any] = []

            async def read() -> int:
                answer = await database.fenced(branches_up_to_tip)
                chain = branches.chains[answer.tip.epoch]
                if answer.value != {h: b for h, b in chain.items() if h <= answer.tip.height}:
                    faults.append((answer, chain))
                return 1

            await during(store, branches.write, 1.0, read)
            return faults

    assert asyncio.run(scenario()) == []


def test_the_next_block_costs_only_what_is_new(mongod: str, database_name: str) -> None:
    async def scenario() -> list[Any]:
        async with opened(mongod, database_name) as (database, store):
            await store.blocks.insert_many([{"_id": height, "branch": 0} for height in range(HIGHEST)])
            asked = [await questions(database, store, height) for height in (8, 9)]
            return asked

    assert asyncio.run(scenario()) == [[{"$in": [1, 3, 5, 7]}, {"$in": [2, 4, 6, 8]}], [9]]


async def questions(database: Database, store: Any, height: int) -> list[Any]:
    """What a query asks about blocks, at this tip."""
    await store.meta.replace_one({"_id": "tip"}, tip(height), upsert=True)
    await database.poll()
    asked: list[Any] = []
    find = database.by_id._find

    async def noted(collection: str, where: Any) -> Any:
        asked.append(where["_id"])
        return await find(collection, where)

    database.by_id._find = noted
    await database.fenced(branches_up_to_tip)
    database.by_id._find = find
    return asked
