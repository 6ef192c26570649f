"""How fast this machine is at what indexing consists of, and at indexing itself."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from indexer.chain.params import Network
from indexer.config import Indexer
from indexer.interpreter import quick_turns, rare_collections
from indexer.parse import parse_block
from indexer.parse.columns import ParsedBlock
from indexer.sample.chain import Chain
from indexer.sample.shape import Plan
from indexer.session import Batch, Committer
from indexer.state.apply import ChainState
from indexer.store.lease import new_owner
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.rewind import recover
from indexer.store.schema import late_indexes
from indexer.store.setup import create_index, prepare

RUNS = 5
ROWS, ROW_BYTES = 20_000, 60  # about what a row of the ledger takes
DURABLE_WRITES = 50
SCRATCH = "speed"


@dataclass(frozen=True, slots=True)
class Parsing:
    """What the parser makes of some blocks."""

    blocks: int
    bytes_per_second: float
    transactions_per_second: float
    hash_bytes_per_second: float  # one SHA-256 over the same bytes

    @property
    def passes(self) -> float:
        """Its time in SHA-256 passes over the same bytes."""
        return self.hash_bytes_per_second / self.bytes_per_second


def _seconds(action: Callable[[bytes], object], blocks: Sequence[bytes]) -> float:
    """The shortest of several runs over all blocks."""

    def once() -> float:
        begun = time.perf_counter()
        for raw in blocks:
            action(raw)
        return time.perf_counter() - begun

    return min(once() for _ in range(RUNS))


def parsing(blocks: Sequence[bytes]) -> Parsing:
    """Time the parser; at least one block."""
    size, transactions = sum(map(len, blocks)), sum(parse_block(raw).tx_count for raw in blocks)
    parsed = _seconds(parse_block, blocks)
    hashed = _seconds(lambda raw: hashlib.sha256(raw).digest(), blocks)
    return Parsing(len(blocks), size / parsed, transactions / parsed, size / hashed)


@dataclass(frozen=True, slots=True)
class Writing:
    """What the database takes: rows a second, and milliseconds of a write that waits for the disk."""

    rows_per_second: float
    durable_ms: float


def writing(store: MongoStore) -> Writing:
    """Time writes into a collection and a document of their own."""
    durations = []
    for _ in range(DURABLE_WRITES):
        begun = time.perf_counter()
        store.put_meta(SCRATCH, {"at": begun})
        durations.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    for batch in range(RUNS):
        rows = [{"_id": batch * ROWS + n, "x": bytes(ROW_BYTES)} for n in range(ROWS)]
        store.insert(SCRATCH, rows)
        store.put_meta(SCRATCH, {"batch": batch})
    return Writing(RUNS * ROWS / (time.perf_counter() - begun), 1000 * statistics.median(durations))


@dataclass(frozen=True, slots=True)
class Indexing:
    """What indexing a chain took, and building its late indexes; seconds."""

    transactions: int
    seconds: float
    late_seconds: float

    def seconds_for(self, transactions: int) -> float:
        """How long so many transactions take, late indexes included."""
        return (self.seconds + self.late_seconds) * transactions / self.transactions


def sample_blocks(plan: Plan) -> tuple[Network, list[bytes]]:
    """The sample chain."""
    chain = Chain(plan)
    return chain.network, list(chain.blocks())


def indexing(store: MongoStore, network: Network, blocks: Sequence[bytes], first: int, settings: Indexer) -> Indexing:
    """Index a chain into an empty database as the indexer does; what lies below block ``first`` is not timed."""
    prepare(store, network)
    committer = Committer(store, recover(store, new_owner()))
    committer.start()
    state = ChainState(network, StoreReader(store), settings.memory_bytes)
    with rare_collections(), quick_turns():
        try:
            _take(state, committer, blocks[:first], settings)
            before, begun = state.totals.txs_total, time.perf_counter()
            _take(state, committer, blocks[first:], settings)
            seconds = time.perf_counter() - begun
        finally:
            committer.close()
    begun = time.perf_counter()
    for collection, index in late_indexes():
        create_index(store.database, collection, index)
    return Indexing(state.totals.txs_total - before, seconds, time.perf_counter() - begun)


def _take(state: ChainState, committer: Committer, blocks: Sequence[bytes], settings: Indexer) -> None:
    """Parse, apply and commit, and wait until the last commit is durable."""
    batch, done = Batch(settings), committer.done
    for raw in blocks:
        batch.add(parse_block(raw, full_ids=True))
        if batch.full:
            done = _hand_over(state, committer, batch.take(), done)
    if batch.blocks:
        done = _hand_over(state, committer, batch.take(), done)
    committer.drain()
    for _ in range(committer.done - done):
        state.committed()


def _hand_over(state: ChainState, committer: Committer, blocks: Sequence[ParsedBlock], done: int) -> int:
    now = committer.put(state.apply(blocks), state.tip.height)
    for _ in range(now - done):
        state.committed()
    return now
