"""Rich lists of the recorded chain: equal to the daemon's own balances, and void or renewed when blocks go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from threading import Event
from time import monotonic, sleep
from typing import Any

import pytest

from indexer.chain.address import decode_address
from indexer.richlist import made as making
from indexer.richlist.keeper import RichListKeeper
from indexer.richlist.made import KEPT, POWERS, holdings, last_made, make
from indexer.store.codec import RichList, rich_list, rich_list_row
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.setup import prepare
from tests.explorer.test_recorded_addresses import expectations
from tests.indexed import Index, chain, network

FEW = 40  # blocks of an index of a test's own


def balances_of_the_daemon() -> dict[bytes, int]:
    """Every recorded address with a balance, by key."""
    found = {decode_address(text, network()): expected.totals[0] for text, expected in expectations().items()}
    return {key: balance for key, balance in found.items() if balance}


def newest(store: MongoStore) -> RichList:
    """The newest stored list."""
    return rich_list(next(iter(store.scan("richlist", descending=True))))


@pytest.fixture
def recorded_store(recorded_index: tuple[str, str]) -> Iterator[MongoStore]:
    """The index of the whole recorded chain."""
    with closing(MongoStore(*recorded_index)) as store:
        yield store


@pytest.fixture
def index(mongod: str, database_name: str) -> Iterator[Index]:
    """An index of the first recorded blocks."""
    with closing(MongoStore(mongod, database_name)) as store:
        prepare(store, network())
        index = Index(store, undo_depth=100)
        index.catch_up(chain()[:FEW], 1)
        yield index


def store_of(index: Index) -> MongoStore:
    """The store of an index on a real database."""
    assert isinstance(index.store, MongoStore)
    return index.store


def test_the_list_is_the_daemons_own_balances_sorted(recorded_store: MongoStore) -> None:
    expected = balances_of_the_daemon()
    ranked = sorted(expected, key=lambda key: (-expected[key], key))
    found = newest(recorded_store)
    assert found.addresses == tuple(ranked[: len(found.addresses)])
    assert found.balances == tuple(expected[key] for key in found.addresses)
    assert len(found.addresses) == min(making.MOST, len(expected))
    assert found.holders == len(expected)


def test_the_powers_of_ten_count_every_address_once(recorded_store: MongoStore) -> None:
    counts: Counter[int] = Counter()
    sums: Counter[int] = Counter()
    for balance in balances_of_the_daemon().values():
        power = max(power for power in POWERS if power <= balance)
        counts[power] += 1
        sums[power] += balance
    found = newest(recorded_store)
    assert dict(zip(found.powers, found.counts, strict=True)) == counts
    assert dict(zip(found.powers, found.sums, strict=True)) == sums


def test_all_of_it_adds_up_to_the_running_total(recorded_store: MongoStore) -> None:
    found = newest(recorded_store)
    (block,) = recorded_store.scan("blocks", found.height, found.height + 1)
    assert sum(found.sums) + found.without == block["transparent"]
    assert found.hash == block["hash"]


def test_a_short_list_is_the_head_of_a_long_one(recorded_store: MongoStore) -> None:
    tip = recorded_store.meta("tip")
    assert tip is not None
    long, short = newest(recorded_store), holdings(recorded_store, tip, 3)
    assert (short.addresses, short.balances) == (long.addresses[:3], long.balances[:3])
    assert (short.powers, short.counts, short.sums) == (long.powers, long.counts, long.sums)
    assert rich_list(rich_list_row(short)) == short


def test_a_commit_between_spoils_a_list(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def overtaken(store: MongoStore, tip: Any, most: int) -> RichList:
        found = holdings(store, tip, most)
        index.extend([chain()[index.tip["height"] + 1]])
        return found

    monkeypatch.setattr(making, "holdings", overtaken)
    assert make(store_of(index)) is None
    assert list(index.store.scan("richlist")) == []


def test_a_list_that_does_not_add_up_is_not_kept(index: Index) -> None:
    (row, *_) = index.store.scan("utxos")
    index.store.replace("utxos", [{**row, "v": row["v"] + 1}])
    assert make(store_of(index)) is None
    index.store.replace("utxos", [row])
    assert make(store_of(index)) is not None


def test_no_list_while_a_commit_is_half_done(index: Index) -> None:
    index.store.put_meta("tip", {"dirty": True})
    assert make(store_of(index)) is None


def test_the_last_few_lists_stay(index: Index) -> None:
    store = store_of(index)
    heights = []
    for _ in range(KEPT + 2):
        index.extend([chain()[index.tip["height"] + 1]])
        made = make(store)
        assert made is not None
        heights.append(made.height)
    assert list(store.ids("richlist")) == heights[-KEPT:]


def test_a_list_of_an_orphaned_block_is_void(index: Index) -> None:
    store = store_of(index)
    first = make(store)
    index.extend([chain()[FEW]])
    make(store)
    index.rewind(FEW - 1)
    assert last_made(store, StoreReader(store).hash_at) == first
    assert list(store.ids("richlist")) == [FEW - 1]


def until(happened: Any, seconds: float = 20.0) -> None:
    """Wait until something has happened."""
    deadline = monotonic() + seconds
    while not happened():
        assert monotonic() < deadline, "it did not happen"
        sleep(0.01)


def test_the_keeper_makes_a_list_at_once_and_then_after_so_many_blocks(index: Index) -> None:
    store = store_of(index)
    store.put_meta("source", {"rates": {"state": "catching_up"}})
    with closing(RichListKeeper(store, 5, look_seconds=0.01)):
        sleep(0.1)
        assert list(store.ids("richlist")) == []
        store.put_meta("source", {"rates": {"state": "following"}})
        until(lambda: list(store.ids("richlist")) == [FEW - 1])
        for height in range(FEW, FEW + 5):
            index.extend([chain()[height]])
        until(lambda: list(store.ids("richlist")) == [FEW - 1, FEW + 4])
        index.rewind(FEW + 3)
        until(lambda: list(store.ids("richlist")) == [FEW - 1, FEW + 3, FEW + 4])


def test_the_keeper_holds_the_commits_when_blocks_keep_coming(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    store = store_of(index)
    store.put_meta("source", {"rates": {"state": "following"}})
    asked, waited = Event(), Event()

    def slow(store: MongoStore, tip: Any, most: int) -> RichList:
        asked.set()
        found = holdings(store, tip, most)
        waited.wait(0.2)
        return found

    monkeypatch.setattr(making, "holdings", slow)
    with closing(RichListKeeper(store, 1, look_seconds=0.01)) as keeper:
        for height in range(FEW, len(chain())):
            keeper.wait(Event())
            if list(store.ids("richlist")):
                break
            asked.wait(10)
            index.extend([chain()[height]])
            asked.clear()
    made = newest(store)
    (block,) = store.scan("blocks", made.height, made.height + 1)
    assert sum(made.sums) + made.without == block["transparent"]
