"""The bench: block files as a daemon leaves them, the clocks of the node part, and what becomes of the figures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread

import pytest

from bench import catchup, daemon, follow
from bench.__main__ import tables
from bench.answers import Answered, Times
from bench.catchup import Figures, Sizes, Used, tell
from bench.clocked import LISTS, PAYOUTS, ROWS, Clocks
from bench.files import CHUNK_BYTES, STALE_EVERY, cached, file_name, places
from bench.page import PAGE, with_part
from bench.parse import Figures as Parsed
from indexer.chain.keys import hash_text
from indexer.errors import ParseError
from indexer.parse import parse_block
from indexer.sample.shape import network_of, plan
from indexer.sample.wire import ordinary, p2pkh, sapling_transaction
from indexer.source.base import RawBlock
from indexer.source.blkfiles import FilesFirst
from indexer.source.endpoint import Endpoint
from indexer.source.rpc import DaemonRpc
from indexer.store.schema import CHAIN_DERIVED

SMALL = plan(nodes=40, blocks=STALE_EVERY + 100)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small chain, cut into several files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.files.gettempdir", lambda: str(tmp_path_factory.mktemp("bench")))
        patch.setattr("bench.files.FILE_BYTES", 200_000)
        yield cached(SMALL)


def test_block_files_are_as_a_daemon_leaves_them(folder: Path) -> None:
    chain = places(folder)
    files = sorted(folder.glob("blk*.dat"))
    assert len(chain) == SMALL.height + 1
    assert [path.name for path in files] == [file_name(number) for number in range(len(files))]
    assert len(files) > 2
    assert all(path.stat().st_size <= 200_000 for path in files[:-1])
    assert files[-1].stat().st_size == CHUNK_BYTES
    assert files[-1].read_bytes().endswith(bytes(100_000))
    order = sorted(range(len(chain)), key=lambda height: (chain[height].file, chain[height].offset))
    assert order != sorted(order)
    magic = network_of((folder / "network.toml").read_text()).magic
    assert sum(path.read_bytes().count(magic) for path in files) == len(chain) + (SMALL.height + 1) // STALE_EVERY


def test_the_indexer_reads_the_chain_from_the_files_alone(folder: Path) -> None:
    chain = places(folder)
    magic = network_of((folder / "network.toml").read_text()).magic
    with daemon.running(folder) as running:
        rpc = DaemonRpc([Endpoint(running.url, *daemon.LOGIN)])
        source = FilesFirst(rpc, folder, magic)
        status = source.status()
        assert (status.height, status.best_hash) == (SMALL.height, chain[-1].hash)
        read: list[RawBlock] = []
        while len(read) <= SMALL.height:
            read += source.blocks(len(read), SMALL.height)
        assert [block.hash for block in read] == [place.hash for place in chain]
        assert [parse_block(block.raw).hash for block in read] == [place.hash for place in chain]
        assert source.from_files == len(chain)
        assert rpc.blocks(7, 8) == read[7:9]
        source.close()


def test_a_chain_is_made_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.files.gettempdir", lambda: str(folder.parent))
    before = (folder / file_name(0)).stat().st_mtime_ns
    assert cached(SMALL) == folder
    assert (folder / file_name(0)).stat().st_mtime_ns == before


def spin(seconds: float) -> None:
    """Use so much processor time."""
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass


def test_a_clock_counts_processor_time_once_and_of_every_thread() -> None:
    clocks = Clocks()
    inner = clocks.timed(PAYOUTS, spin)

    def outer(seconds: float) -> Sequence[int]:
        inner(seconds)
        time.sleep(0.2)
        return [1]

    def generated(seconds: float) -> Iterator[int]:
        spin(seconds)
        yield 2

    both = clocks.timed(LISTS, outer)
    other = Thread(target=both, args=(0.02,))
    other.start()
    assert both(0.02) == [1]
    other.join()
    assert list(clocks.timed(ROWS, generated)(0.02)) == [2]
    assert clocks.seconds[PAYOUTS] == 0
    assert 0.04 <= clocks.seconds[LISTS] < 0.15
    assert 0.02 <= clocks.seconds[ROWS] < 0.1


def test_a_clocked_call_that_fails_fails() -> None:
    clocks = Clocks()
    with pytest.raises(ParseError):
        clocks.timed(LISTS, parse_block)(b"")
    inner = clocks.timed(ROWS, spin)
    inner(0.01)
    assert clocks.seconds[ROWS] >= 0.01


def figures() -> Figures:
    """What a run might report: 1,000 transactions of 100 blocks."""
    times = Times(20.4, 61.2)
    return Figures(
        nodes=40, blocks=100, transactions=1000, file_bytes=250_000,
        caught_up=Used(4.0, 0.02, 0.01, 0.001), indexed=Used(5.0, 0.02, 0.02, 0.001), memory_mib=300,
        parts={LISTS: 0.003, PAYOUTS: 0.001, ROWS: 0.004}, sizes={c.name: Sizes(200, 2000, 400) for c in CHAIN_DERIVED},
        answered=Answered(times, times, times, times, 77),
    )  # fmt: skip


def test_figures_by_the_transaction() -> None:
    found = figures()
    assert (found.rate, found.rate_with_late) == (250, 200)
    assert (found.own_us, found.mongod_us, found.daemon_us) == (20, 10, 1)
    assert found.node_us == pytest.approx(8)
    assert found.node_share == pytest.approx(0.4)
    assert found.bytes_per_transaction == pytest.approx(len(CHAIN_DERIVED) * 2.4)
    words = tell(found)
    assert "100 blocks, 1,000 transactions" in words
    assert "8.00 µs a transaction, 40% of the indexer" in words
    assert "history of 77 transactions, first page: 20 ms, at worst 61" in words


def test_the_page_has_figures_and_budgets() -> None:
    page = tables(Parsed("sha", 1, 1, 1, 2.0, 64.0, 3e6, 7e8), figures(), 0.5)
    assert f"| first catch-up from block files | 250 transactions/s | {catchup.LEAST_RATE:,} |" in page
    assert "| queue at a past height, page of 1,000 | 20 ms, at worst 61 ms | 100 ms |" in page
    assert "| `ledger` | 200 | 10.0 | 2.0 | 2.4 |" in page


def test_a_part_of_the_page_is_replaced() -> None:
    page = "a\n<!-- one -->\nold\n<!-- one end -->\n<!-- two -->\nkept\n<!-- two end -->\n"
    assert with_part(page, "one", "new\n") == page.replace("old", "new")
    with pytest.raises(ValueError, match="no part <!-- three -->"):
        with_part(page, "three", "new\n")
    for name in ("bench", "follow"):
        assert with_part(PAGE.read_text(), name, "")


def test_delays_of_following() -> None:
    found = follow.delays([0.001 * n for n in range(1, 101)])
    assert [found.median, found.most, found.longest] == pytest.approx([50.5, 95, 100])
    lines = follow.table({"with ZMQ": (found, found), "by polling": (found, found)}).splitlines()
    assert lines[2] == "| block, with ZMQ | 50 ms | 95 ms | 100 ms | 500 ms |"
    assert lines[5] == "| transaction, by polling | 50 ms | 95 ms | 100 ms | 1 s |"


@pytest.mark.slow
def test_following_the_demo_network_is_measured(mongod: str) -> None:
    for found in follow.run(True, 3):
        assert 0 < found.median <= found.most <= found.longest < 1000 * follow.PATIENCE


def test_a_transaction_is_new_once() -> None:
    raw = ordinary(sapling_transaction([(bytes(range(36)), b"\x51")], [(5, p2pkh(bytes(20)))]))
    paths = follow.NewTransactions()
    assert paths(raw.raw) == f"/api/v1/transactions/{hash_text(raw.txid)}"
    assert paths(raw.raw) is None
    assert paths(b"") is None


@pytest.mark.slow
def test_a_catch_up_is_measured_from_the_first_block_to_the_last_question(folder: Path, mongod: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.files.gettempdir", lambda: str(folder.parent))
        patch.setattr("bench.files.FILE_BYTES", 200_000)
        found = catchup.run(SMALL, cache_mib=256)
    assert (found.blocks, found.nodes) == (SMALL.height + 1, 40)
    assert 0 < found.caught_up.seconds < found.indexed.seconds
    assert set(found.parts) == {LISTS, PAYOUTS, ROWS}
    assert 0 < found.node_share < 1
    assert found.sizes["blocks"].rows == found.blocks
    assert found.answered.longest_history > 100
    for times in (found.answered.queue_25, found.answered.queue_1000, found.answered.balances, found.answered.history):
        assert 0 < times.median <= times.worst
