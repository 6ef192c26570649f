"""Demo chains for tests: the first chain, built once, and an index that follows one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from indexer.chain.nodes import Node
from indexer.chain.tiers import TIERS
from indexer.demo import blocks
from indexer.demo.builder import Builder
from indexer.demo.chain import DemoChain
from indexer.demo.daemon import DemoDaemon, Settings
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.network import demo_network
from indexer.parse import parse_block
from indexer.source.base import Event, Extend, Fork
from indexer.source.rpc import DaemonRpc, Endpoint
from indexer.state.apply import ChainState
from indexer.state.delta import Delta
from indexer.store.base import Document
from indexer.store.commit import commit
from indexer.store.read import StoreReader
from indexer.store.rewind import recover, rewind
from tests.memory_store import MemoryStore

NOW = 1_790_000_000
MEMORY = 1 << 30


def begin(folder: Path, seed: int = 1) -> Builder:
    """A builder on a new chain with nothing but its genesis block."""
    network = demo_network()
    chain = DemoChain(network, BlockFile(folder / FILE_NAME, network.magic))
    chain.append(blocks.genesis(network))
    return Builder(chain, seed)


def copy_of(first_chain: Path, folder: Path) -> Path:
    """A folder of one's own with the first chain in it."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(first_chain / FILE_NAME, folder)
    return folder


class DemoIndex:
    """The indexer's loop on a demo chain, with the store in memory."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.tip: Document = recover(self.store, "demo")
        self.state = self._state()

    def _state(self) -> ChainState:
        return ChainState(demo_network(), StoreReader(self.store), MEMORY)

    def extend(self, raws: Iterable[bytes]) -> Delta:
        """One commit with these blocks."""
        delta = self.state.apply([parse_block(raw, full_ids=True) for raw in raws])
        self.tip = commit(self.store, delta, self.tip, delta.tip.height - 100)
        self.state.committed()
        return delta

    def rewind(self, height: int) -> None:
        """Go back to a height."""
        self.tip = rewind(self.store, self.tip, height, "reorg")
        self.state = self._state()

    def take(self, event: Event) -> None:
        """Do what a source says."""
        if isinstance(event, Extend):
            self.extend(block.raw for block in event.blocks)
        elif isinstance(event, Fork):
            self.rewind(event.height)


def facts(node: Node) -> tuple[object, ...]:
    """All that is known of a node."""
    return tuple(getattr(node, name) for name in Node.__slots__)


def lists_of(queue: Iterable[Node]) -> dict[bytes, tuple[object, ...]]:
    """The records on the lists, by collateral."""
    return {node.outpoint: facts(node) for node in queue}


def orders(index: ChainState, chain: DemoChain) -> tuple[list[list[bytes]], list[list[bytes]]]:
    """The payment order of each tier, in the index and in the demo daemon."""
    both = (index.nodes.queue, chain.queue)
    first, second = ([[node.outpoint for node in queue.order(tier)] for tier in TIERS] for queue in both)
    return first, second


def settings(folder: Path) -> Settings:
    """Of a daemon with a chain in this folder, that lives fast."""
    return Settings(demo_network(), folder, block_seconds=0.05)


def client_of(daemon: DemoDaemon) -> DaemonRpc:
    """A client with the daemon's login."""
    return DaemonRpc([Endpoint(daemon.url, daemon.settings.user, daemon.settings.password)], timeout=20)
