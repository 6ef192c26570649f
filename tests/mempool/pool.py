"""The recorded chain with transactions that wait: a daemon, an index without threads, and the set between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from indexer.chain.keys import hash_text
from indexer.mempool.ask import DaemonPool
from indexer.mempool.copy import MempoolCopy
from indexer.source.rpc import DaemonRpc, parse_endpoints
from indexer.store.base import Store
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests.indexed import Index, build_late_indexes, chain, network, parsed
from tests.memory_store import MemoryStore
from tests.replay_chain import raw_transactions
from tests.replay_daemon import ReplayDaemon


def txids_of(height: int) -> list[str]:
    """The ids of the transactions of a recorded block, its coinbase aside."""
    block = parsed(chain()[height])
    return [hash_text(block.txid(index)) for index in range(1, block.tx_count)]


def waiting(height: int) -> dict[str, str]:
    """The transactions of a recorded block as the daemon's mempool held them before: hex by txid."""
    return {txid: raw_transactions()[txid] for txid in txids_of(height)}


def rpc(daemon: ReplayDaemon) -> DaemonRpc:
    """A client of the daemon."""
    return DaemonRpc(parse_endpoints(daemon.url, daemon.user, daemon.password, None), timeout=5)


class Pool:
    """A daemon and an index at one height, and the unconfirmed set of the index."""

    def __init__(self, daemon: ReplayDaemon, client: DaemonRpc, store: Store, height: int) -> None:
        self.daemon, self.store = daemon, store
        self._client = client
        self.index = Index(store)
        self.index.catch_up(chain()[: height + 1], 200)
        daemon.chain.set_tip(height)
        self.begin()

    def begin(self, most: int = 1000, most_bytes: int = 10_000_000) -> None:
        """Begin as after a start."""
        self.copy = MempoolCopy(network(), self.store, DaemonPool(self._client), most, most_bytes)

    def extend(self) -> None:
        """One block more, for daemon and index."""
        self.daemon.chain.extend()
        self.index.extend([chain()[self.daemon.chain.height]])

    def rows(self) -> dict[str, dict[str, Any]]:
        """What is stored, by txid."""
        return {hash_text(bytes(row["_id"])): dict(row) for row in self.store.scan("mempool")}

    def txids(self) -> set[str]:
        """The stored ids."""
        return set(self.rows())

    def hold(self, transactions: dict[str, str]) -> None:
        """Have the daemon hold exactly these, and compare."""
        self.daemon.chain.mempool = transactions
        self.copy.compare()

    @property
    def meta(self) -> dict[str, Any]:
        """What the explorers are told."""
        return dict(self.store.meta("mempool") or {})


@contextmanager
def prepared(uri: str, name: str) -> Iterator[MongoStore]:
    """A database with all its indexes, late ones too."""
    with closing(MongoStore(uri, name)) as store:
        prepare(store, network())
        build_late_indexes(store)
        yield store


@contextmanager
def pool_at(height: int, store: Store | None = None) -> Iterator[Pool]:
    """A pool of the recorded chain at a height, by default with a store in memory."""
    with ReplayDaemon(height) as daemon:
        client = rpc(daemon)
        try:
            yield Pool(daemon, client, MemoryStore() if store is None else store, height)
        finally:
            client.close()


@contextmanager
def waiting_at(uri: str, name: str, height: int) -> Iterator[Pool]:
    """A database of the recorded chain up to ``height``; the transactions of the next block wait."""
    with prepared(uri, name) as store, pool_at(height, store) as pool:
        pool.hold(waiting(height + 1))
        yield pool
