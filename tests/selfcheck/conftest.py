"""An index in memory beside the recorded daemon, and the checks between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from indexer.selfcheck.checks import Checks
from indexer.selfcheck.theirs import Daemon
from indexer.source.rpc import DaemonRpc, parse_endpoints
from tests.indexed import Index, branch, chain, network
from tests.memory_store import MemoryStore
from tests.replay_daemon import ReplayDaemon

HEIGHT = 1900  # all tiers, started and DoS nodes, both pools


@cache
def indexed() -> MemoryStore:
    """The recorded chain up to HEIGHT, to be copied."""
    store = MemoryStore()
    Index(store).catch_up(chain()[: HEIGHT + 1], 200)
    return store


@dataclass
class Bench:
    """The recorded daemon and an index of ours; ``waits`` runs out when the checks have paused so often."""

    daemon: ReplayDaemon
    store: MemoryStore
    waits: int = 0

    def __post_init__(self) -> None:
        self.index = Index(self.store)
        self.asked = self.client()
        self.checks = Checks(network(), self.store, self.asked, self._wait)

    def client(self) -> Daemon:
        """Who asks the daemon; to be closed."""
        return Daemon(DaemonRpc(parse_endpoints(self.daemon.url, self.daemon.user, self.daemon.password), timeout=10))

    def _wait(self, seconds: float) -> bool:
        self.waits -= 1
        return self.waits < 0

    def at(self, height: int) -> None:
        """Both at this block of the won chain."""
        if self.index.tip["height"] < 0 and height >= HEIGHT:
            self.store.adopt(indexed())
            self.index.restart()
        self.index.catch_up(chain()[: height + 1], 200)
        self.daemon.chain.set_tip(height)

    def lose(self, name: str) -> None:
        """Both on the branch that lost a reorganisation."""
        fork, hashes = branch(name)
        self.index.rewind(fork)
        self.index.extend(hashes)
        self.daemon.chain.reorg(name, won=False)

    def win(self, name: str) -> None:
        """Both through the reorganisation."""
        fork, _ = branch(name)
        self.daemon.chain.reorg(name)
        self.index.rewind(fork)
        for hash_text in self.daemon.chain.active[fork + 1 :]:
            self.index.extend([hash_text])

    @property
    def said(self) -> dict[str, Any]:
        """The verdicts that are stored."""
        document = self.store.meta("checks")
        assert document is not None
        return dict(document["checks"])


@pytest.fixture
def bench() -> Iterator[Bench]:
    """An empty index and the recorded daemon at its genesis block."""
    with ReplayDaemon(0) as daemon:
        running = Bench(daemon, MemoryStore())
        with closing(running.asked):
            yield running
