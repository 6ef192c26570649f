"""The unconfirmed set through a gateway: little is asked, no answer is believed too soon, and nothing wrong is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from explorer.app import create_app
from indexer.chain.keys import hash_text
from indexer.config import load_config
from indexer.errors import SourceError
from indexer.mempool import gateway as module
from indexer.mempool import keeper, open_mempool
from indexer.mempool.copy import MempoolCopy
from indexer.mempool.gateway import DOUBT, GatewayPool
from indexer.source.envelope import Gateways
from indexer.store.base import Store
from tests import recorded
from tests.explorer.client import Client, settings
from tests.indexed import Index, chain, network
from tests.memory_store import MemoryStore
from tests.mempool.pool import prepared, txids_of, waiting
from tests.replay_chain import ReplayChain
from tests.replay_gateway import MISBEHAVIOURS, ReplayGateway

TIP = 152  # the next block holds a chain of twelve transactions, each spending the one before
OTHER = {"ab" * 32: "zz"}  # a mempool without any of them
PATIENCE = 10.0


@dataclass
class Copied:
    """A gateway, an index at its height, and the set between them."""

    gateway: ReplayGateway
    store: Store
    index: Index
    copy: MempoolCopy

    @property
    def node(self) -> ReplayChain:
        return self.gateway.nodes[0]

    def hold(self, transactions: dict[str, str]) -> None:
        self.node.mempool = dict(transactions)
        self.copy.compare()

    def txids(self) -> set[str]:
        return {hash_text(bytes(row["_id"])) for row in self.store.scan("mempool")}

    @property
    def meta(self) -> dict[str, Any]:
        return dict(self.store.meta("mempool") or {})


@contextmanager
def copied(store: Store, gateway: ReplayGateway, timeout: float = 20.0) -> Iterator[Copied]:
    index = Index(store)
    index.catch_up(chain()[: TIP + 1], 200)
    with closing(GatewayPool(Gateways(gateway.url, timeout=timeout, first_pause=0.0))) as pool:
        yield Copied(gateway, store, index, MempoolCopy(network(), store, pool, 1000, 10_000_000))


@pytest.fixture
def pool() -> Iterator[Copied]:
    with ReplayGateway(ReplayChain(TIP)) as gateway, copied(MemoryStore(), gateway) as copied_pool:
        yield copied_pool


def test_what_waits_is_kept_and_the_last_blocks_are_in_doubt(pool: Copied) -> None:
    pool.hold(waiting(TIP + 1))
    assert pool.txids() == set(waiting(TIP + 1))
    assert (pool.meta["count"], pool.meta["left_out"], pool.meta["block"]["height"]) == (12, 0, TIP - DOUBT)
    asked = pool.gateway.calls.copy()
    pool.copy.compare()
    assert pool.gateway.calls - asked == {"getblockcount": 1, "getrawmempool": 1}


def test_a_round_asks_for_a_few_transactions_only(pool: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 5)
    for count in (5, 10, 12):
        pool.hold(waiting(TIP + 1))
        assert (len(pool.txids()), pool.meta["left_out"]) == (count, 12 - count)
        assert pool.gateway.calls["getrawtransaction"] == count


def test_one_node_without_a_transaction_does_not_make_it_leave(pool: Copied) -> None:
    pool.hold(waiting(TIP + 1))
    pool.hold(OTHER)
    assert len(pool.txids()) == 12
    pool.hold(waiting(TIP + 1))
    pool.hold(OTHER)
    assert len(pool.txids()) == 12
    pool.hold(OTHER)
    assert pool.txids() == set()


def test_bytes_that_are_none_leave_one_transaction_out_and_no_other(pool: Copied) -> None:
    (first, raw), *_ = waiting(TIP + 1).items()
    unknown = "ab" * 32
    pool.node.mempool = {first: raw, unknown: "zz"}
    pool.copy.compare()
    assert pool.txids() == {first}
    pool.copy.compare()
    assert pool.meta["left_out"] == 1


def test_an_index_far_behind_waits(pool: Copied) -> None:
    pool.node.extend(11)
    pool.hold(waiting(TIP + 1))
    assert (pool.txids(), pool.meta) == (set(), {})


@pytest.mark.parametrize("kind", MISBEHAVIOURS)
def test_a_gateway_that_misbehaves_leaves_nothing_wrong(kind: str) -> None:
    with ReplayGateway(ReplayChain(TIP)) as gateway, copied(MemoryStore(), gateway, timeout=0.5) as pool:
        gateway.misbehave(kind, 8)
        pool.node.mempool = dict(waiting(TIP + 1))
        for _ in range(4):
            with suppress(SourceError):
                pool.copy.compare()
            for row in pool.store.scan("mempool"):
                assert len(waiting(TIP + 1)[hash_text(bytes(row["_id"]))]) == 2 * row["size"]


def test_what_a_late_answer_still_has_is_shown_as_mined(mongod: str, database_name: str) -> None:
    with (
        prepared(mongod, database_name) as store,
        ReplayGateway(ReplayChain(TIP)) as gateway,
        copied(store, gateway) as pool,
    ):
        pool.hold(waiting(TIP + 1))
        with Client(create_app(settings((mongod, database_name)))) as client:
            until_revision(client, pool)
            assert client.json("/api/v1/mempool")["count"] == 12
            pool.index.extend([chain()[TIP + 1]])
            pool.copy.compare()
            assert len(pool.txids()) == 12
            until_revision(client, pool)
            assert (client.json("/api/v1/mempool")["count"], client.json("/api/v1/mempool")["items"]) == (0, [])
            for txid in txids_of(TIP + 1):
                assert client.json(f"/api/v1/transactions/{txid}")["confirmations"] == 1


def until_revision(client: Client, pool: Copied) -> None:
    tip = pool.store.meta("tip") or {}
    deadline = time.monotonic() + PATIENCE
    while (meta := client.services.db.meta).pool is None or meta.pool.revision != pool.meta["revision"] or not (
        meta.tip and meta.tip.height == tip["height"]
    ):  # fmt: skip
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_keeper_of_a_gateway_asks_seldom(pool: Copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "POLL_SECONDS", 0.3)
    pool.node.mempool = dict(waiting(TIP + 1))
    environ = {"FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE), "FLUX_DAEMON_GATEWAY": pool.gateway.url}
    with closing(open_mempool(load_config(environ=environ), pool.store)) as running:
        deadline = time.monotonic() + PATIENCE
        while len(pool.txids()) < 12:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        asked, began = pool.gateway.calls["getrawmempool"], time.monotonic()
        for _ in range(30):
            running.wake()
            time.sleep(0.02)
        assert pool.gateway.calls["getrawmempool"] - asked <= (time.monotonic() - began) / 0.3 + 1
