"""An index of the recorded chain, for everything that reads one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from indexer.chain import replay
from indexer.chain.params import Network
from indexer.config import load_config
from indexer.parse import parse_block
from indexer.parse.columns import ParsedBlock
from indexer.richlist.made import make
from indexer.state.apply import ChainState
from indexer.store.base import Document, Store
from indexer.store.codec import MEMPOOL_PARTS, pack_u32
from indexer.store.commit import commit
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.rewind import recover, rewind
from indexer.store.schema import late_indexes
from indexer.store.setup import create_index, prepare
from tests import recorded
from tests.memory_store import MemoryStore

MEMORY = 1 << 30
SNAPSHOT_EVERY = 64  # blocks, so that the short recorded chain has snapshots
OWNER = "host/1/test"
NOTHING_WAITS = {
    "revision": 1, "count": 0, "bytes": 0, "kinds": [0, 0, 0], "left_out": 0, "updated_at": 0, "stale_since": None,
    "block": {"height": recorded.TIP, "epoch": 1}, "parts": pack_u32([1] * MEMPOOL_PARTS),
}  # fmt: skip


@cache
def network() -> Network:
    """The parameters of the recorded chain."""
    return load_config(environ={"FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE)}).network


@cache
def parsed(hash_text: str) -> ParsedBlock:
    """A recorded block, parsed as the indexer does."""
    return parse_block(recorded.raw_by_hash()[hash_text], full_ids=True)


@cache
def chain() -> tuple[str, ...]:
    """The hashes of the recorded active chain, by height."""
    return tuple(block["hash"] for block in recorded.blocks())


@cache
def branch(name: str) -> tuple[int, tuple[str, ...]]:
    """A branch that lost a reorganisation ("R1" … "R5"): the fork height, and its hashes from there on."""
    rows = sorted((b for b in recorded.stale_blocks() if b["reorg"].startswith(name)), key=lambda b: int(b["height"]))
    return rows[0]["height"] - 1, tuple(b["hash"] for b in rows)


class Index:
    """An index under test: the loop of the indexer without threads and network."""

    def __init__(
        self,
        store: Store,
        *,
        memory: int = MEMORY,
        undo_depth: int = 100_000,
        snapshot_every: int = SNAPSHOT_EVERY,
    ) -> None:
        self.store = store
        self._snapshot_every = snapshot_every
        self._memory = memory
        self._undo_depth = undo_depth
        self.restart()

    def restart(self) -> None:
        """Begin as after a crash: recover, and know nothing but the store."""
        self.tip: Document = recover(self.store, OWNER)
        self.state = ChainState(network(), StoreReader(self.store), self._memory, self._snapshot_every)

    def extend(self, hashes: Iterable[str]) -> None:
        """One commit with these blocks."""
        delta = self.state.apply([parsed(hash_text) for hash_text in hashes])
        self.tip = commit(self.store, delta, self.tip, delta.tip.height - self._undo_depth)
        self.state.committed()

    def rewind(self, to: int, cause: str = "reorg") -> None:
        """Go back to a height."""
        self.tip = rewind(self.store, self.tip, to, cause)
        self.state = ChainState(network(), StoreReader(self.store), self._memory, self._snapshot_every)

    def catch_up(self, hashes: Sequence[str], batch: int) -> None:
        """Extend by all of the hashes above the tip, so many in a commit."""
        for first in range(self.tip["height"] + 1, len(hashes), batch):
            self.extend(hashes[first : first + batch])


@cache
def straight(height: int) -> dict[str, dict[Any, dict[str, Any]]]:
    """What the indexer's settings make of the recorded chain up to a height, in one commit."""
    store = MemoryStore()
    Index(store, snapshot_every=replay.SNAPSHOT_EVERY).catch_up(chain()[: height + 1], height + 1)
    return store.chain_derived()


def build_late_indexes(store: MongoStore) -> None:
    """The indexes that the indexer builds when the first catch-up has ended, and the word that they are there."""
    for collection, index in late_indexes():
        create_index(store.database, collection, index)
    ready = [f"{collection.name}.{index.name}" for collection, index in late_indexes()]
    store.put_meta("indexes", {"ready": ready, "building": {}})


def index_recorded_chain(uri: str, name: str) -> MongoStore:
    """The whole recorded chain in a real database, late indexes and all."""
    store = MongoStore(uri, name)
    prepare(store, network())
    Index(store, undo_depth=100).catch_up(chain(), 200)
    build_late_indexes(store)
    store.put_meta("mempool", NOTHING_WAITS)
    make(store)
    return store


@contextmanager
def on_losing_branch(uri: str, name: str, *, late: bool = False) -> Iterator[Index]:
    """An index whose tip is the end of the recorded branch R2, which is going to lose; ``late``: with late indexes.

    Six blocks lose to eight, with starts, confirmations and a spent collateral in both.
    """
    fork, stale = branch("R2")
    hashes = [*chain()[: fork + 1], *stale]
    store = MongoStore(uri, name)
    prepare(store, network())
    index = Index(store)
    index.catch_up(hashes[: fork - 20], 200)
    index.catch_up(hashes, 1)
    if late:
        build_late_indexes(store)
    yield index
    store.close()
