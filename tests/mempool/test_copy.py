"""The stored set against what the daemon holds and, once it is mined, against what the index says of it."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from indexer.chain.keys import hash_text, txkey
from indexer.errors import Unavailable
from indexer.parse import parse_transaction
from indexer.parse.columns import NODE_CONFIRM, NODE_START, ints
from indexer.store.base import Document, Store
from indexer.store.codec import confirm_rows, transaction_row, unconfirmed_confirm, unconfirmed_row
from tests import recorded
from tests.indexed import branch, chain, parsed
from tests.memory_store import MemoryStore
from tests.mempool.pool import Pool, pool_at, txids_of, waiting

FIRST = 100  # block from which on transactions are compared with what becomes of them
HEIGHTS = sorted({h for h in range(FIRST, 2401, 3) if len(txids_of(h)) > 1} | {153, 363, 366, 783, 1643, 1861})


@pytest.fixture(scope="module")
def one_pool() -> Iterator[Pool]:
    """A pool that grows block by block through the tests."""
    with pool_at(FIRST - 1) as pool:
        yield pool


def facts(row: Any) -> tuple[Any, ...]:
    """What an unconfirmed and a mined transaction have in common."""
    inputs = [(i.outpoint, i.address, i.value) for i in row.inputs]
    return (row.txid, row.kind, row.version, row.size, row.lock_time, row.expiry_height, row.fee, inputs, row.outputs,
            row.shielded)  # fmt: skip


def mined_rows(store: Store, height: int) -> dict[str, Document]:
    """The rows of transactions of a block, by txid."""
    rows = store.scan("transactions", txkey(height, 1), txkey(height + 1, 0))
    return {hash_text(row["txid"]): row for row in rows}


@pytest.mark.parametrize("height", HEIGHTS)
def test_a_row_says_what_the_mined_transaction_is_going_to_say(height: int, one_pool: Pool) -> None:
    pool = one_pool
    while pool.daemon.chain.height < height - 1:
        pool.extend()
    pool.hold(waiting(height))
    rows = pool.rows()
    assert rows.keys() == waiting(height).keys()
    assert pool.meta["left_out"] == 0
    pool.extend()
    mined = mined_rows(pool.store, height)
    for txid, row in rows.items():
        if row["kind"] != NODE_CONFIRM:
            assert facts(unconfirmed_row(row)) == facts(transaction_row(mined[txid]))
    assert_nodes_agree(pool.store, height, rows)
    pool.hold({})
    assert pool.rows() == {}


def assert_nodes_agree(store: Store, height: int, rows: dict[str, dict[str, Any]]) -> None:
    """What waiting node transactions say is what the index says of them once they are mined."""
    starts = {row["_id"]: row for row in store.scan("node_starts")}
    for txid, index in ((txid, index) for index, txid in enumerate(txids_of(height), start=1)):
        if rows[txid]["kind"] == NODE_START:
            start, node = starts[txkey(height, index)], rows[txid]["node"]
            assert node == {name: start[name] for name in node}
    for confirms in store.scan("node_confirms", height, height + 1):
        for confirm in confirm_rows(confirms):
            row = rows[hash_text(parsed(chain()[height]).txid(confirm.index))]
            start = [s for s in starts.values() if s["node"] == confirm.node][-1]
            found = unconfirmed_confirm(row)
            assert found is not None
            same = ("sig_time", "benchmark_time", "benchmark_tier", "update", "version", "ip", "size")
            assert [getattr(found, name) for name in same] == [getattr(confirm, name) for name in same]
            assert {n: row["node"][n] for n in ("outpoint", "tier", "payee", "payee_kind")} == {
                n: start[n] for n in ("outpoint", "tier", "payee", "payee_kind")
            }


def recorded_mempools() -> list[tuple[int, dict[str, Any]]]:
    """The daemon's own mempools, recorded with bytes: height, and what getrawmempool said of each transaction."""
    found = {}
    for call in recorded.rpc_calls():
        if call["method"] == "getrawmempool" and call["params"] == [True] and call["response"]["result"]:
            if all(txid in waiting(call["height"] + 1) for txid in call["response"]["result"]):
                found[call["height"]] = call["response"]["result"]
    return sorted(found.items())


def test_the_daemons_own_mempools_were_recorded() -> None:
    assert [(height, len(said)) for height, said in recorded_mempools()] == [
        (152, 12), (362, 1), (365, 1), (957, 2), (1307, 2), (1811, 3), (1815, 3), (1860, 93),
    ]  # fmt: skip


@pytest.mark.parametrize(("height", "said"), recorded_mempools(), ids=lambda value: str(value)[:4])
def test_sizes_fees_times_and_parents_are_the_daemons(height: int, said: dict[str, Any]) -> None:
    with pool_at(height) as pool:
        pool.copy.compare()
        rows = pool.rows()
        assert rows.keys() == said.keys()
        for txid, facts_of in said.items():
            row = rows[txid]
            parents = {hash_text(bytes(point)[:32]) for point in row.get("spends", ())}
            assert row["size"] == facts_of["size"]
            assert Decimal(row.get("fee", 0)) / 10**8 == facts_of["fee"]
            assert row["seen"] == facts_of["time"]
            assert parents & said.keys() == set(facts_of["depends"])
        assert [row["seen"] for row in sorted(rows.values(), key=lambda r: r["n"])] == sorted(
            f["time"] for f in said.values()
        )
        assert (pool.meta["count"], pool.meta["bytes"]) == (len(said), sum(f["size"] for f in said.values()))




@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool just below the block with a chain of twelve transactions, each spending the one before."""
    with pool_at(152) as at_152:
        at_152.hold(waiting(153))
        yield at_152


def chain_of_twelve() -> list[str]:
    """The txids of block 153: each spends an output of the one before."""
    return txids_of(153)


def respent(raw: str) -> tuple[str, str]:
    """Txid and bytes of another transaction with the same inputs: its expiry height differs."""
    other = bytearray.fromhex(raw)
    other[-15] ^= 1
    tx = parse_transaction(bytes(other))
    assert tx.prevouts == parse_transaction(bytes.fromhex(raw)).prevouts
    return hash_text(tx.txid), other.hex()


def test_an_evicted_transaction_disappears(pool: Pool) -> None:
    revision = pool.meta["revision"]
    kept = dict(list(waiting(153).items())[:5])
    pool.hold(kept)
    assert pool.txids() == set(kept)
    assert (pool.meta["count"], pool.meta["kinds"]) == (5, [5, 0, 0])
    assert pool.meta["revision"] > revision


def parts_of(rows: Iterable[Mapping[str, Any]]) -> set[int]:
    """The parts that rows are in."""
    keys = [key for row in rows for key in (row["_id"], *row.get("touches", ()), *(p[:32] for p in row["spends"]))]
    return {zlib.crc32(key) % 64 for key in keys}


def test_it_is_told_which_parts_of_the_set_changed(pool: Pool) -> None:
    revision, rows = pool.meta["revision"], pool.rows()
    assert [*ints(pool.meta["parts"], "I")] == [revision] * 64  # a start knows nothing of before
    first, second, *rest = chain_of_twelve()
    for n, (held, changed) in enumerate((((first, second), rest), ((first,), [second]), (rows, [second, *rest])), 1):
        before = ints(pool.meta["parts"], "I")
        pool.hold({txid: raw for txid, raw in waiting(153).items() if txid in held})
        touched = parts_of(rows[txid] for txid in changed)
        assert 0 < len(touched) < 64
        expected = [revision + n if part in touched else known for part, known in enumerate(before)]
        assert [*ints(pool.meta["parts"], "I")] == expected


def test_a_replaced_double_spend_disappears(pool: Pool) -> None:
    last = chain_of_twelve()[-1]
    other, raw = respent(waiting(153)[last])
    pool.hold({txid: raw for txid, raw in waiting(153).items() if txid != last} | {other: raw})
    assert pool.txids() == {*chain_of_twelve()[:-1], other}
    assert pool.rows()[other]["spends"] == pool_spends(last)


def pool_spends(txid: str) -> list[bytes]:
    """The outpoints that a waiting transaction of block 153 spends."""
    prevouts = parse_transaction(bytes.fromhex(waiting(153)[txid])).prevouts
    return [prevouts[at : at + 36] for at in range(0, len(prevouts), 36)]


def test_nothing_is_written_while_nothing_changes(pool: Pool) -> None:
    before, rows = pool.meta, pool.rows()
    pool.copy.compare()
    assert pool.meta["revision"] == before["revision"]
    assert pool.rows() == rows


def test_a_transaction_without_its_parent_waits_and_is_told(pool: Pool) -> None:
    first, *rest = chain_of_twelve()
    pool.begin()
    pool.hold({txid: raw for txid, raw in waiting(153).items() if txid != first})
    assert pool.txids() == set()
    assert (pool.meta["count"], pool.meta["left_out"]) == (0, 11)
    pool.hold(waiting(153))
    assert pool.txids() == {first, *rest}
    assert pool.meta["left_out"] == 0


def test_mined_transactions_stay_until_their_block_is_indexed(pool: Pool) -> None:
    held, block = pool.txids(), pool.meta["block"]
    pool.daemon.chain.extend()
    pool.hold({})
    assert pool.txids() == held
    assert pool.meta["block"] == block
    pool.index.extend([chain()[153]])
    pool.copy.compare()
    assert pool.txids() == set()
    assert pool.meta["block"] == {"height": 153, "epoch": pool.index.tip["epoch"]}


def test_new_ones_come_while_the_index_is_a_little_behind(pool: Pool) -> None:
    pool.daemon.chain.set_tip(160)
    pool.hold(waiting(239))
    assert not pool.txids() & set(waiting(239))  # what they spend is mined later
    assert pool.txids() == set(waiting(153))
    pool.index.catch_up(chain()[:161], 1)
    pool.copy.compare()
    assert pool.txids() == set()
    assert pool.meta["left_out"] == len(waiting(239))


def test_far_behind_the_daemon_nothing_is_touched(pool: Pool) -> None:
    before = pool.meta
    pool.daemon.chain.set_tip(164)
    pool.hold({})
    assert pool.txids() == set(waiting(153))
    assert pool.meta == before


def test_a_reorganisation_brings_transactions_back_and_they_are_seen_anew() -> None:
    fork, stale = branch("R2")
    height = fork + len(stale)
    with pool_at(fork) as pool:
        pool.hold({})
        pool.index.catch_up([*chain()[: fork + 1], *stale], 1)
        pool.daemon.chain.reorg("R2", won=False)
        pool.copy.compare()
        assert pool.meta["block"]["height"] == height
        back = waiting(fork + 1)
        pool.daemon.chain.set_tip(fork)
        pool.hold(back)  # the daemon has left the branch, the index has not
        assert pool.txids() == set()
        assert pool.meta["block"]["height"] == height
        pool.index.rewind(fork)
        pool.copy.compare()
        assert pool.txids() == set(back) != set()
        assert pool.meta["block"] == {"height": fork, "epoch": pool.index.tip["epoch"]}


def test_a_start_begins_anew_and_keeps_numbers_and_times(pool: Pool) -> None:
    rows = pool.rows()
    gone = chain_of_twelve()[-1]
    pool.store.delete("mempool", [rows[chain_of_twelve()[3]]["_id"]])
    pool.store.replace("mempool", [{**rows[chain_of_twelve()[4]], "fee": 7}])
    pool.begin()
    pool.hold({txid: raw for txid, raw in waiting(153).items() if txid != gone})
    again = pool.rows()
    assert again.keys() == rows.keys() - {gone}
    for txid, row in again.items():
        assert (row == rows[txid]) is (txid != chain_of_twelve()[3])


@pytest.mark.parametrize("fail_at", range(1, 5))
def test_killed_at_any_write_it_is_whole_after_the_next_start(fail_at: int) -> None:
    with pool_at(152) as pool:
        first = dict(list(waiting(153).items())[:8])
        pool.hold(first)
        store = pool.store
        assert isinstance(store, MemoryStore)
        straight, revision = pool.rows(), pool.meta["revision"]
        pool.begin()
        store.fail_at = store.writes + fail_at
        with pytest.raises(Unavailable):
            pool.hold(dict(list(waiting(153).items())[:10]))  # writes rows, then meta
            pool.hold(dict(list(waiting(153).items())[:3]))  # removes rows, then meta
        store.fail_at = None
        pool.begin()
        pool.hold(first)
        assert pool.txids() == set(first)
        assert {t: r["fee"] for t, r in pool.rows().items()} == {t: r["fee"] for t, r in straight.items()}
        assert pool.meta["count"] == len(first)
        assert pool.meta["revision"] > revision


def test_the_bounds_are_kept_and_told(pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    pool.begin(most=5)
    with caplog.at_level(logging.WARNING):
        pool.copy.compare()
        pool.copy.compare()
    assert (pool.meta["count"], pool.meta["left_out"]) == (len(pool.txids()), 12 - len(pool.txids()))
    assert len(pool.txids()) == 5
    assert [r.message for r in caplog.records] == [
        "the daemon has 12 unconfirmed transactions: those beyond 5, or 10000000 bytes, are left out"
    ]
    kept = pool.txids()
    pool.hold({txid: raw for txid, raw in waiting(153).items() if txid in kept})
    assert pool.meta["left_out"] == 0


def test_bytes_are_bounded_too() -> None:
    with pool_at(1860) as pool:
        pool.begin(most_bytes=3000)
        pool.copy.compare()
        assert len(pool.txids()) == 50  # as many as are asked for at once
        assert pool.meta["left_out"] == 43


def test_bytes_of_another_transaction_are_left_out_and_told_once(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, *_ = chain_of_twelve()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            pool.hold({"ab" * 32: waiting(153)[first], "cd" * 32: "00", "ef" * 32: "no hex"})
    assert pool.txids() == set()
    assert pool.meta["left_out"] == 3
    assert len(caplog.records) == 3


def test_what_leaves_between_two_questions_is_no_error(pool: Pool) -> None:
    pool.daemon.chain.mempool = waiting(153) | {"ab" * 32: ""}
    pool.daemon.before("getrawtransaction", lambda: pool.daemon.chain.mempool.pop("ab" * 32))
    pool.copy.compare()
    assert pool.txids() == set(waiting(153))
    assert pool.meta["left_out"] == 1
    pool.copy.compare()
    assert pool.meta["left_out"] == 0


def test_a_set_that_cannot_be_compared_stays_and_says_since_when(pool: Pool) -> None:
    before, rows = pool.meta, pool.rows()
    pool.copy.tell_stale()
    pool.copy.tell_stale()
    assert pool.rows() == rows
    assert pool.meta == before | {"stale_since": before["updated_at"], "revision": before["revision"] + 1}
    pool.copy.compare()
    assert pool.meta["stale_since"] is None
    assert pool.meta["revision"] == before["revision"] + 2


def test_inputs_of_mempool_rows_have_no_place_in_the_chain(pool: Pool) -> None:
    row = pool.rows()[chain_of_twelve()[1]]
    (spent,) = unconfirmed_row(row).inputs
    assert (spent.outkey, hash_text(spent.outpoint[:32])) == (-1, chain_of_twelve()[0])
