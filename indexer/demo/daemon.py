"""The simulated daemon: it answers over HTTP, its mempool fills, its chain grows and now and then reorganises."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Event, RLock
from typing import Any, Protocol

from indexer.chain.keys import hash_text
from indexer.chain.params import Network
from indexer.demo import blocks
from indexer.demo.answers import BAD_PARAMETER, NOT_FOUND, Answers
from indexer.demo.builder import DEEPEST_REORG, FIRST_BLOCKS, Builder, transactions_of
from indexer.demo.chain import Place, load
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.http import Reply, RpcServer
from indexer.demo.parallel.chains import TokenChain
from indexer.demo.parallel.control import Controls
from indexer.demo.parallel.server import ParallelServer
from indexer.demo.parallel.view import View
from indexer.demo.rules import RpcError
from indexer.demo.serialize import Wire

WARMING_UP = -28
BLOCKS_PER_REORG = 40
LEAST_PAUSE, MOST_PAUSE = 0.1, 0.4  # between two transactions, as a share of the seconds of a block
MINED_SHARE = 0.85
PATIENCE = 8.0  # seconds for which a question to a parallel chain waits until the first blocks are made
BUILT_AT_ONCE = 50  # blocks between two looks at the stop flag
MOST_GENERATED = 1000  # blocks of one request


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the daemon listens and keeps its chain, and how it lives; a port of 0 takes a free one."""

    network: Network
    folder: Path
    seed: int = 1
    host: str = "127.0.0.1"
    port: int = 0
    user: str = "demo"
    password: str = "demo"
    block_seconds: float = 5.0
    first_blocks: int = FIRST_BLOCKS
    parallel_port: int = 0


class Notifier(Protocol):
    """Who is told of transactions and blocks, as by ``indexer.demo.publish``."""

    def transactions(self, raws: Sequence[bytes]) -> None: ...
    def new_tip(self, tip: Place) -> None: ...
    def reorganised(self, old_tip: Place, new_tip: Place, fork: Place) -> None: ...


class Silence:
    """Tells nobody."""

    def transactions(self, raws: Sequence[bytes]) -> None:
        """Say nothing."""

    def new_tip(self, tip: Place) -> None:
        """Say nothing."""

    def reorganised(self, old_tip: Place, new_tip: Place, fork: Place) -> None:
        """Say nothing."""


class DemoDaemon:
    """Answers from the moment it is made, warming up at first; ``load`` it, then let it ``live`` or ``step`` it."""

    def __init__(self, settings: Settings, notifier: Notifier | None = None) -> None:
        """Errors: Locked when another daemon has the folder, OSError when the address is taken."""
        self.settings = settings
        self.lock = RLock()
        self._notifier: Notifier = notifier or Silence()
        self._answers: Answers | None = None
        self._loaded = Event()
        self._coming: deque[Wire] = deque()  # what node owners will send before the next block
        with ExitStack() as stack:
            self._file = BlockFile(settings.folder / FILE_NAME, settings.network.magic)
            stack.callback(self._file.close)
            login = settings.user, settings.password
            self.server = RpcServer(settings.host, settings.port, login, self._answer)
            stack.callback(self.server.stop)
            self.parallel = ParallelServer(settings.host, settings.parallel_port, self._answer_parallel)
            stack.callback(self.parallel.stop)
            self._resources = stack.pop_all()

    def __enter__(self) -> DemoDaemon:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering; the chain stays in its folder."""
        self.parallel.stop()
        self.server.stop()  # while those who wait for the lock can still be answered
        with self.lock:
            self._resources.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.server.url

    def load(self, stop: Event | None = None, now: int | None = None) -> bool:
        """Read the chain of the folder, or make its first blocks, the last of them ``now``; False when stopped."""
        stop = stop or Event()
        chain = load(self.settings.network, self._file)
        if chain.height < 0:
            chain.append(blocks.genesis(self.settings.network))
        builder = Builder(chain, self.settings.seed)
        at = int(time.time()) if now is None else now
        while chain.height < self.settings.first_blocks and not stop.is_set():
            builder.build(self.settings.first_blocks, at, most=BUILT_AT_ONCE)
        if stop.is_set():
            return False
        with self.lock:
            self.builder, self.chain = builder, chain
            control: dict[str, Callable[..., Any]] = {"generate": self.generate, "invalidateblock": self.invalidate}
            control |= Controls(builder, self._offer, self.parallel.conditions).methods()
            self._answers = Answers(builder, lambda raw: self._notifier.transactions([raw]), control)
        self._loaded.set()
        return True

    def _answer(self, method: str, params: Sequence[Any]) -> Any:
        with self.lock:
            if self._answers is None:
                raise RpcError(WARMING_UP, "Loading block index...")
            return self._answers(method, params)

    def _answer_parallel(self, chain: TokenChain, reply: Callable[[View], Reply]) -> Reply | None:
        if not self._loaded.wait(PATIENCE):
            return None
        with self.lock:  # the block and what it does on the parallel chains are seen at one moment
            tip = self.chain.tip
            return reply(View(chain, self.chain.bridge.ledgers, tip.height, tip.time))

    # -- life

    def live(self, stop: Event) -> None:
        """Go on by the clock until told to stop."""
        seconds = self.settings.block_seconds
        random = Random(f"{self.settings.seed}/life")
        block_at = time.monotonic() + seconds
        while True:
            pause = seconds * random.uniform(LEAST_PAUSE, MOST_PAUSE)
            left = block_at - time.monotonic()
            if stop.wait(max(0.0, min(pause, left))):
                return
            if left > pause:
                self.send_something(int(time.time()))
            else:
                self.step(int(time.time()))
                block_at = max(block_at + seconds * random.uniform(0.7, 1.3), time.monotonic())

    def send_something(self, now: int) -> None:
        """Someone sends a transaction: the owner of a node, or a person."""
        with self.lock:
            before = len(self.builder.mempool.entries)
            for _ in range(max(1, len(self._coming) // 3) if self._coming else 0):
                self._offer(self._coming.popleft())
            for wire in self.builder.everyday_traffic(self.builder.random("live", before, now), 1):
                self._offer(wire)

    def step(self, now: int) -> None:
        """The next block, or a reorganisation."""
        with self.lock:
            random = self.builder.random("step")
            self._send_what_is_due(now, random)
            if random.random() * BLOCKS_PER_REORG < 1 and self.chain.undoable > DEEPEST_REORG:
                self.reorganise(random.randint(1, DEEPEST_REORG), now)
            else:
                self.builder.extend(now, share=MINED_SHARE)
                self._tell_of_blocks(1)
                self._notifier.new_tip(self.chain.tip)
            self._coming = deque(self.builder.node_traffic(now))

    def reorganise(self, depth: int, now: int) -> None:
        """Replace the last ``depth`` blocks by a branch that is one longer."""
        with self.lock:
            old, fork = self.chain.tip, self.chain.active[self.chain.height - depth]
            self._tell_of_blocks(depth)
            self.builder.reorganise(depth, now)
            self._tell_of_blocks(depth + 1)
            self._notifier.reorganised(old, self.chain.tip, fork)
            self._notifier.new_tip(self.chain.tip)

    def generate(self, count: int) -> list[str]:
        """Mine ``count`` blocks at once with all that waits; their hashes (``rpc/mining.cpp:generate``)."""
        if not isinstance(count, int) or isinstance(count, bool) or not 0 < count <= MOST_GENERATED:
            raise RpcError(BAD_PARAMETER, f"the number of blocks is between 1 and {MOST_GENERATED}")
        with self.lock:
            for _ in range(count):
                # A block that was taken back is not made again.
                self.builder.extend(int(time.time()), salt=f"generated {len(self.chain.by_hash)}")
            self._tell_of_blocks(count)
            self._notifier.new_tip(self.chain.tip)
            return [hash_text(place.hash) for place in self.chain.active[-count:]]

    def invalidate(self, wanted: str) -> None:
        """Take an active block and all above it back; their transactions wait again.

        A start takes the longest branch for the chain once more (``main.cpp:InvalidateBlock`` remembers).
        """
        with self.lock:
            old, active = self.chain.tip, self.chain.active[-self.chain.undoable :]
            height = next((place.height for place in active if hash_text(place.hash) == wanted), None)
            if height is None:
                raise RpcError(NOT_FOUND, "Block not found")
            self._tell_of_blocks(old.height - height + 1)
            self.builder.take_back(old.height - height + 1)
            self._notifier.reorganised(old, self.chain.tip, self.chain.tip)
            self._notifier.new_tip(self.chain.tip)

    def _send_what_is_due(self, now: int, random: Random) -> None:
        while self._coming:
            self._offer(self._coming.popleft())
        waiting = set(self.builder.mempool.entries)
        self.builder.fill(now, random, 0)
        self._notifier.transactions(
            [entry.tx.raw for txid, entry in self.builder.mempool.entries.items() if txid not in waiting]
        )

    def _offer(self, wire: Wire) -> bool:
        taken = self.builder.offer(wire)
        if taken:
            self._notifier.transactions([wire.raw])
        return taken

    def _tell_of_blocks(self, count: int) -> None:
        for place in self.chain.active[-count:]:
            self._notifier.transactions(transactions_of(self.chain.parsed(place)))
