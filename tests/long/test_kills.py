"""Thirty times SIGKILL, of the indexer and of mongod, while the daemon lives through its recorded history.

Readers go through the explorer's fence all the while; every answer must be the one of the block that it names.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Event, Thread

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from explorer.db import Database, View
from explorer.errors import ExplorerError
from indexer.chain.keys import hash_text
from indexer.config import load_config
from indexer.errors import Unavailable
from indexer.store import embedded
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.schema import CHAIN_DERIVED
from tests import recorded
from tests.indexed import Index, branch, chain, network, straight
from tests.memory_store import MemoryStore
from tests.replay_daemon import ReplayDaemon

KILLS = 30
WATCHED_ADDRESSES = 25
STEP_SECONDS = 0.03
PATIENCE = 60.0

pytestmark = pytest.mark.slow

Holdings = dict[bytes, tuple[int, frozenset[bytes]]]  # by address: balance, unspent outpoints


@cache
def busiest() -> tuple[bytes, ...]:
    """The addresses that most blocks touch."""
    store = MemoryStore()
    Index(store).catch_up(chain(), len(chain()))
    return tuple(
        address for address, _ in Counter(id[:21] for id in store.rows["ledger"]).most_common(WATCHED_ADDRESSES)
    )


@cache
def truth() -> dict[bytes, Holdings]:
    """What the watched addresses hold after each block of the recorded history, lost ones too, by hash."""
    found: dict[bytes, Holdings] = {}
    index = Index(MemoryStore())
    for name in ("R1", "R2", "R3", "R4", "R5"):
        fork, lost = branch(name)
        for hash_ in (*chain()[index.tip["height"] + 1 : fork + 1], *lost):
            index.extend([hash_])
            found[index.tip["hash"]] = holdings(index)
        index.rewind(fork)
    for hash_ in chain()[index.tip["height"] + 1 :]:
        index.extend([hash_])
        found[index.tip["hash"]] = holdings(index)
    return found


def holdings(index: Index) -> Holdings:
    """What the watched addresses hold now."""
    balances = StoreReader(index.store).balances(busiest())
    points: dict[bytes, set[bytes]] = {address: set() for address in busiest()}
    for utxo in index.store.find("utxos", "a", busiest()):
        points[utxo["a"]].add(utxo["_id"])
    return {a: (balances[a][0] if a in balances else 0, frozenset(points[a])) for a in busiest()}


@dataclass
class Readers:
    """Reads through the fence until told to stop; counts what it saw."""

    uri: str
    name: str
    stop: Event = field(default_factory=Event)
    right: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Read in an event loop of this thread."""
        asyncio.run(self._read())

    async def _read(self) -> None:
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(self.uri, serverSelectionTimeoutMS=500)
        database = Database(client, self.name, network())
        chance = random.Random(1)
        while not self.stop.is_set():
            address = chance.choice(busiest())
            try:
                answer = await database.fenced(_holding, address)
            except ExplorerError:
                self.refused += 1
                await asyncio.sleep(0.05)
                continue
            self.judge(address, answer.tip.hash, answer.value)
        client.close()

    def judge(self, address: bytes, tip: bytes, seen: tuple[int, frozenset[bytes]]) -> None:
        """Compare an answer with the truth at the block that it names."""
        expected = truth()[tip][address]
        if seen == expected:
            self.right += 1
        else:
            self.wrong.append(f"{address.hex()} at {hash_text(tip)}: balance {seen[0]}, not {expected[0]}")


async def _holding(view: View, address: bytes) -> tuple[int, frozenset[bytes]]:
    """Balance by the ledger, unspent outputs by the mutable collection."""
    low, high = address + bytes(4), address + view.tip.height.to_bytes(4, "big")
    row = await view.one("ledger", {"_id": {"$gte": low, "$lte": high}}, sort=[("_id", -1)])
    utxos = await view.many("utxos", {"a": address})
    return row["b"] if row else 0, frozenset(bytes(utxo["_id"]) for utxo in utxos)


@pytest.fixture
def daemon() -> Iterator[ReplayDaemon]:
    """The recorded daemon, living through its history in the background."""
    truth()
    ended = Event()
    with ReplayDaemon() as daemon:
        daemon.chain.step()
        history = Thread(target=lambda: _live(daemon, ended))
        history.start()
        yield daemon
        ended.set()
        history.join()


def _live(daemon: ReplayDaemon, ended: Event) -> None:
    while not ended.wait(STEP_SECONDS) and daemon.chain.step():
        pass


def environment(daemon: ReplayDaemon, folder: Path) -> dict[str, str]:
    """The settings of the indexer under test."""
    return {
        **os.environ,
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DAEMON_URL": daemon.url,
        "FLUX_DAEMON_USER": daemon.user,
        "FLUX_DAEMON_PASSWORD": daemon.password,
        "FLUX_DATA_DIR": str(folder),
        "FLUX_INDEXER_POLL_SECONDS": "0.02",
        "FLUX_INDEXER_BATCH_BLOCKS": "50",
    }


def start(environ: dict[str, str]) -> subprocess.Popen[bytes]:
    """``flux-explorer index`` as an operator starts it."""
    command = [sys.executable, "-m", "indexer.cli", "index"]
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def wait_for_server(folder: Path) -> int:
    """The process id of the embedded server, once it runs."""
    deadline = time.monotonic() + PATIENCE
    while (pid := embedded.running_pid(folder)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return pid


def kill_server(folder: Path) -> None:
    """SIGKILL to the embedded server; one that is just being replaced is looked for again."""
    while True:
        with suppress(ProcessLookupError):
            os.kill(wait_for_server(folder), signal.SIGKILL)
            return


def test_thirty_kills(daemon: ReplayDaemon, tmp_path: Path) -> None:
    environ = environment(daemon, tmp_path)
    name = load_config(Path("/dev/null"), environ).database_name
    chance = random.Random(30)
    victims: Counter[str] = Counter()
    readers = Readers(embedded.socket_uri(embedded.socket_path(tmp_path)), name)
    reading = Thread(target=readers.run)
    reading.start()
    try:
        for _ in range(KILLS):
            indexer = start(environ)
            time.sleep(chance.uniform(0.3, 3.0))
            victim = chance.choice(("indexer", "mongod"))
            victims[victim] += 1
            kill_server(tmp_path) if victim == "mongod" else indexer.kill()
            _, told = indexer.communicate(timeout=PATIENCE)
            if victim == "mongod":
                assert indexer.returncode == 2, told
                assert b"Traceback" not in told, told.decode()
        finish(environ, tmp_path, name)
    finally:
        readers.stop.set()
        reading.join()
    assert min(victims["indexer"], victims["mongod"]) >= 8
    assert readers.wrong == []
    assert readers.right > 100


def finish(environ: dict[str, str], folder: Path, name: str) -> None:
    """Let a last run come to the end of the history, and compare what is there with the straight index."""
    indexer = start(environ)
    try:
        wait_for_server(folder)
        with closing(opened(embedded.socket_uri(embedded.socket_path(folder)), name)) as store:
            deadline = time.monotonic() + 3 * PATIENCE
            while hash_text((store.meta("tip") or {"hash": b""})["hash"]) != chain()[-1]:
                assert indexer.poll() is None, indexer.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.1)
            for collection in CHAIN_DERIVED:
                rows = {row["_id"]: row for row in store.scan(collection.name)}
                assert rows == straight(recorded.TIP)[collection.name], collection.name
    finally:
        indexer.terminate()
        indexer.communicate(timeout=PATIENCE)
    assert indexer.returncode == 0


def opened(uri: str, name: str) -> MongoStore:
    """The store; a server that was killed takes a while until it listens again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return MongoStore(uri, name)
        except Unavailable:
            assert time.monotonic() < deadline
