"""Two parallel chains, a daemon and a real database, and keepers that read the chains into it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pymongo import MongoClient

from explorer.daemon import Daemon
from explorer.db import Database, open_database
from explorer.parallel.base import ChainState, Parallel
from explorer.parallel.chains import ChainsFile
from explorer.parallel.keeper import Keeper
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID
from indexer.chain.keys import hash_text
from indexer.config import Parallel as Settings
from indexer.source.rpc import Endpoint
from tests.explorer.parallel.chain import MAIN, at
from tests.explorer.parallel.nodes import HELD, MINTED, Token, algorand, ergo
from tests.explorer.parallel.servers import Asked, Server, serving
from tests.indexed import network

SETTINGS = Settings(enabled=True, chains_file="", interval_seconds=300.0, timeout_seconds=1.0, stale_seconds=900.0)


SUMS = (
    "payouts_checked", "payouts_mismatched", "txs_total", "txouts", "fees_total", "issued", "transparent", "sprout",
    "sapling", "unspendable",
)  # fmt: skip
NOTHING = {"time": 1, "max_time": 1, "bits": network().pow_limit_bits, **dict.fromkeys(SUMS, 0)}
ISSUER_HELD = HELD[2:4]
"""What SWAP and LOCKED hold on each chain; two addresses make for quick readings."""
OUTSTANDING = MINTED - sum(ISSUER_HELD)


@dataclass
class Clock:
    """Unix seconds; stands still unless a test moves it."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """Everything around the keepers; ``best`` is the daemon's tip, whatever the index has."""

    uri: str
    name: str
    nodes: dict[str, Server]
    tokens: dict[str, Token]
    daemon: Server
    best: bytes
    store: Any
    clock: Clock = field(default_factory=Clock)
    settings: Settings = SETTINGS
    has_daemon: bool = True
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)
    _kept: tuple[Database, Keeper] | None = None

    @property
    def chains(self) -> ChainsFile:
        """The chains at their servers."""
        nodes = self.nodes.items()
        return ChainsFile(825_001, tuple(at(key, node.url, issuers=MAIN[key].issuers[2:4]) for key, node in nodes))

    def asked(self) -> int:
        """How often the supply of a chain has been asked for so far, all chains together."""
        paths = [asked.path for node in self.nodes.values() for asked in node.asked]
        return sum("/tokens/" in path or path.startswith("/v2/assets/") for path in paths)

    def index(self, height: int) -> None:
        """Index a block, which becomes the daemon's tip too."""
        block_hash = height.to_bytes(32, "big")
        self.best = block_hash
        self.store.database.blocks.insert_one({"_id": height, "hash": block_hash, **NOTHING})
        tip = {"height": height, "hash": block_hash, "time": 1, "epoch": 0, "dirty": False, "reorgs": 0}
        self.store.database.meta.replace_one({"_id": "tip"}, tip, upsert=True)

    def document(self) -> dict[str, Any]:
        """The state as it is stored."""
        found: dict[str, Any] | None = self.store.find_one({"_id": STATE_ID})
        assert found is not None
        return found

    def hours(self) -> list[dict[str, Any]]:
        """The rows of hours, oldest first."""
        return list(self.store.find({"_id": {"$gte": 0}}).sort("_id", 1))

    def run(self, *turns: float) -> Parallel:
        """One turn of a keeper after each wait of so many seconds; what an explorer knows then."""

        async def work() -> Parallel:
            database, keeper = await self._running()
            for wait in turns:
                self.clock.now += wait
                await database.poll()
                await keeper.turn()
            await database.poll()
            assert database.meta.parallel is not None
            return database.meta.parallel

        return self.loop.run_until_complete(work())

    def restart(self, **more: Any) -> None:
        """End the explorer that ``run`` uses; the next one begins anew, with other settings."""
        self.settings = replace(self.settings, **more)
        self.loop.run_until_complete(self._open.aclose())

    async def _running(self) -> tuple[Database, Keeper]:
        if self._kept is None:
            self._kept = await self._open.enter_async_context(self.keeper())
            self._open.callback(self._forget)
        return self._kept

    def _forget(self) -> None:
        self._kept = None

    @asynccontextmanager
    async def keeper(self) -> AsyncIterator[tuple[Database, Keeper]]:
        """A keeper with a database of its own, begun; it does nothing but what it is told."""
        daemon = Daemon([Endpoint(self.daemon.url)] if self.has_daemon else [], 1.0)
        async with open_database(self.uri, self.name, network(), "motor", self.chains) as database:
            keeper = Keeper(database, daemon, self.chains, self.settings, self.clock)
            await keeper.begin()
            await database.poll()
            try:
                yield database, keeper
            finally:
                await keeper.close()
                await daemon.close()


@contextmanager
def world(uri: str, name: str) -> Iterator[World]:
    """Algorand and Ergo, each with 440 million and the same issuer balances, at native height 10."""
    tokens = {"algo": Token(), "erg": Token()}
    made: World

    def daemon(asked: Asked) -> Any:
        assert asked.body["method"] == "getbestblockhash"
        return {"result": hash_text(made.best), "error": None, "id": asked.body["id"]}

    with (
        serving(algorand(tokens["algo"])) as algo,
        serving(ergo(tokens["erg"])) as erg,
        serving(daemon) as rpc,
        MongoClient[dict[str, Any]](uri) as client,
    ):
        store = client[name][PARALLEL_READINGS]
        made = World(uri, name, {"algo": algo, "erg": erg}, tokens, rpc, bytes(32), store)
        made.index(10)
        try:
            yield made
        finally:
            made.restart()
            made.loop.close()


def state_of(parallel: Parallel, key: str) -> ChainState:
    """What is known of a chain."""
    return next(known for known in parallel.chains if known.chain.key == key)
