"""Crash safety by enumeration: die at every write, in catch-up, at the tip and inside rewind; resume; compare.

After every single write, killed or not, a reader is let in: what the fence lets it see must be the chain at
the tip, whole.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from indexer.chain.keys import hash_text
from indexer.errors import DuplicateKey
from tests.indexed import Index, branch, chain
from tests.memory_store import Killed, MemoryStore

Rows = dict[str, dict[Any, dict[str, Any]]]

MUTABLE = ("utxos", "nodes")

# Each scenario: where it begins (one commit), then the chains that the daemon has, one after the other, with
# the number of blocks in a commit.
SCENARIOS: dict[str, tuple[int, list[tuple[Callable[[], tuple[str, ...]], int]]]] = {
    "first blocks": (-1, [(lambda: chain()[:12], 5)]),
    "catch-up with nodes": (395, [(lambda: chain()[:445], 10)]),
    "reorganisation with starts, confirms and a spend": (
        450,
        [(lambda: lost("R2"), 1), (lambda: chain()[:462], 1)],
    ),
    "reorganisation across PoW and PoN": (1795, [(lambda: lost("R5"), 1), (lambda: chain()[:1806], 1)]),
    "catch-up, then a reorganisation into it": (995, [(lambda: lost("R3"), 1), (lambda: chain()[:1010], 3)]),
}


def lost(name: str) -> tuple[str, ...]:
    """The whole chain whose end lost a reorganisation."""
    fork, hashes = branch(name)
    return chain()[: fork + 1] + hashes


def follow(index: Index, target: Sequence[str], batch: int) -> None:
    """What the indexer does when the daemon's chain is ``target``: go back to the fork, then extend."""
    hash_at = index.state.nodes._reader.hash_at
    tip = index.tip["height"]
    common = min(tip, len(target) - 1)
    while common >= 0 and hash_text(hash_at(common) or b"") != target[common]:
        common -= 1
    if common < tip:
        index.rewind(common)
    index.catch_up(target, batch)


@cache
def begun(height: int) -> MemoryStore:
    """A store with the chain up to a height."""
    store = MemoryStore()
    index = Index(store)
    if height >= 0:
        index.extend(chain()[: height + 1])
    return store


@cache
def at(blocks: tuple[str, ...]) -> Rows:
    """What an index built straight to the end of these blocks holds."""
    if blocks[:-1] != chain()[: len(blocks) - 1] or len(blocks) == 0:
        store = begun_with(blocks[:-1]).snapshot()
    else:
        store = begun(len(blocks) - 2).snapshot()
    Index(store).catch_up(blocks, len(blocks))
    return store.chain_derived()


@cache
def begun_with(blocks: tuple[str, ...]) -> MemoryStore:
    """A store with these blocks, one commit."""
    store = MemoryStore()
    if blocks:
        Index(store).extend(blocks)
    return store


def run(store: MemoryStore, steps: Sequence[tuple[Callable[[], tuple[str, ...]], int]]) -> int:
    """Run a scenario to its end, beginning again at every crash; returns how many crashes there were."""
    crashes = 0
    index: Index | None = None
    for target, batch in steps:
        done = False
        while not done:
            try:
                index = index or Index(store)
                follow(index, target(), batch)
                done = True
            except Killed:
                crashes += 1
                store.fail_at = None
                index = None
    return crashes


@pytest.mark.parametrize("name", SCENARIOS)
def test_dies_at_every_write_and_resumes_without_a_trace(name: str) -> None:
    begin, steps = SCENARIOS[name]
    straight = begun(begin).snapshot()
    run(straight, steps)
    expected, writes = straight.chain_derived(), straight.writes
    assert expected == at(steps[-1][0]())
    assert writes > 10
    for k in range(1, writes + 1):
        store = begun(begin).snapshot()
        store.random.seed(k)
        store.fail_at = k
        assert run(store, steps) == 1, k
        assert store.chain_derived() == expected, f"killed at write {k}"
        assert not store.rows["meta"]["tip"]["dirty"]
        assert all(id >> 16 <= len(steps[-1][0]()) for id in store.rows["undo"])


@pytest.mark.parametrize("seed", range(40))
def test_dies_again_and_again_also_while_recovering(seed: int) -> None:
    begin, steps = SCENARIOS["reorganisation with starts, confirms and a spend"]
    store = begun(begin).snapshot()
    chance = random.Random(seed)
    store.random.seed(seed)
    crashes = 0
    index: Index | None = None
    for target, batch in steps:
        while True:
            store.fail_at = store.writes + chance.randrange(1, 40)
            try:
                index = index or Index(store)
                follow(index, target(), batch)
                break
            except Killed:
                crashes += 1
                index = None
    assert crashes > 3
    assert store.chain_derived() == at(steps[-1][0]())


class Watched(MemoryStore):
    """Lets a reader in after every write."""

    def __init__(self, expected: Callable[[bytes], Rows]) -> None:
        super().__init__()
        self.expected = expected
        self.looked = 0

    def _bulk(self, collection: str, items: Sequence[Any], apply: Any) -> None:
        try:
            super()._bulk(collection, items, apply)
        finally:
            self.look()

    def look(self) -> None:
        """Everything that the fence lets through equals the straight index at the tip."""
        tip = self.rows["meta"].get("tip")
        if tip is None or tip["height"] < 0:
            return
        self.looked += 1
        height = tip["height"]
        for name, rows in self.expected(tip["hash"]).items():
            if name not in MUTABLE:
                seen = {id: row for id, row in self.rows[name].items() if height_of(name, id) <= height}
                assert seen == rows, f"{name} at block {height}"
            elif not tip["dirty"]:
                assert self.rows[name] == rows, f"{name} at block {height}"


def height_of(collection: str, id: Any) -> int:
    """The height at which an immutable row belongs to the chain."""
    if collection == "ledger":
        return int.from_bytes(id[21:], "big")
    bits = {"transactions": 16, "node_starts": 16, "node_events": 20}
    return int(id >> bits.get(collection, 0))


@pytest.mark.parametrize("name", ["first blocks", "reorganisation with starts, confirms and a spend"])
@pytest.mark.parametrize("kill", [False, True])
def test_readers_see_whole_chains_only(name: str, kill: bool) -> None:
    begin, steps = SCENARIOS[name]
    targets = [target() for target, _ in steps]
    chains = {hash_: hashes[: height + 1] for hashes in targets for height, hash_ in enumerate(hashes)}
    store = Watched(lambda hash: at(chains[hash_text(hash)]))
    store.adopt(begun(begin))
    chance = random.Random(7)
    for _ in range(3 if kill else 1):
        store.fail_at = store.writes + chance.randrange(5, 60) if kill else None
        run(store, steps)
    assert store.looked > 20


def test_a_reader_that_spans_a_failed_commit_notices() -> None:
    for k in itertools.count(1):
        store = begun(450).snapshot()
        index = Index(store)
        before = dict(index.tip)
        store.fail_at = store.writes + k
        with pytest.raises(Killed):
            index.extend(chain()[451:452])
        if store.rows["meta"]["tip"]["dirty"]:
            break
    store.fail_at = None
    index.restart()
    after = store.rows["meta"]["tip"]
    assert (after["height"], after["dirty"]) == (before["height"], False)
    assert after["epoch"] > before["epoch"]


def test_garbage_in_the_way_is_an_error_not_overwritten() -> None:
    store = begun(10).snapshot()
    index = Index(store)
    store.rows["blocks"][11] = {"_id": 11, "hash": b"not ours"}
    with pytest.raises(DuplicateKey, match="blocks has 11 already"):
        index.extend(chain()[11:12])
    index.restart()
    assert 11 not in store.rows["blocks"]
    index.extend(chain()[11:12])
    assert store.chain_derived() == at(chain()[:12])
