"""One unbroken run of the loop: source -> parse -> apply -> commit.

Two threads joined by one slot: this one reads, parses and applies, the other commits, so that one core is
ours and one the database's. The state overlays the batch that is being committed; when a commit fails the
state is thrown away, the database is brought to its invariant, and the loop begins again at its tip.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from indexer.chain.keys import hash_text, parse_hash
from indexer.chain.params import Network, undo_depth
from indexer.config import Indexer as Settings
from indexer.errors import ChainError, ParseError
from indexer.interpreter import quick_turns, rare_collections
from indexer.parse import parse_block
from indexer.parse.columns import ParsedBlock
from indexer.source.base import DaemonStatus, Extend, Fork, Idle, RawBlock, Source
from indexer.source.follow import follow
from indexer.state.apply import ChainState
from indexer.state.delta import Delta
from indexer.store.base import Document, Store
from indexer.store.commit import commit
from indexer.store.read import StoreReader
from indexer.store.rewind import recover, rewind

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the indexer is: heights, and what the source says; ``problem`` is why it waits, else empty."""

    height: int
    transactions: int
    status: DaemonStatus | None
    at_tip: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What an indexer works with; ``report`` is told of every step, ``check`` may raise to end the run.

    ``wait`` pauses between two polls for at most so many seconds, by default until told to stop.
    """

    network: Network
    store: Store
    source: Source
    owner: str
    settings: Settings
    stop: Event
    report: Callable[[Progress], Any] = field(default=lambda progress: None)
    check: Callable[[], Any] = field(default=lambda: None)
    wait: Callable[[float], object] | None = None


class Committer(Thread):
    """Commits batches in order; holds at most one that waits."""

    def __init__(self, store: Store, tip: Document) -> None:
        super().__init__(name="commit", daemon=True)
        self.tip = tip
        self._store = store
        self._slot: queue.Queue[tuple[Delta, int] | None] = queue.Queue(1)
        self._failure: Exception | None = None
        self.done = 0

    def put(self, delta: Delta, keep_from: int) -> int:
        """Hand over a batch, waiting for room; blocks from ``keep_from`` on must stay undoable.

        Returns how many batches are ``done``. Raises what made an earlier commit fail.
        """
        self._check()
        self._slot.put((delta, keep_from))
        return self.done

    def drain(self) -> Document:
        """Wait until everything handed over is committed; returns the tip document."""
        self._slot.join()
        self._check()
        return self.tip

    def close(self) -> None:
        """End the thread after the batch in hand."""
        self._slot.put(None)
        self.join()

    def run(self) -> None:
        """Commit until closed; after a failure let batches pass, they are worthless."""
        while (item := self._slot.get()) is not None:
            try:
                if self._failure is None:
                    delta, keep_from = item
                    self.tip = commit(self._store, delta, self.tip, min(keep_from, delta.tip.height))
                    self.done += 1
            except Exception as error:  # carried to the thread that hands over
                self._failure = error
            finally:
                self._slot.task_done()
        self._slot.task_done()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


class Batch:
    """Parsed blocks that wait to be applied together."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.blocks: list[ParsedBlock] = []
        self.transactions = 0
        self.coins = 0  # inputs and outputs: what a commit spends its time on

    def add(self, block: ParsedBlock) -> None:
        """One block more."""
        self.blocks.append(block)
        self.transactions += block.tx_count
        self.coins += len(block.prevouts) // 36 + len(block.forms)

    @property
    def full(self) -> bool:
        """Whether the limits of a commit are reached."""
        limits = self._settings
        most = limits.batch_transactions
        return len(self.blocks) >= limits.batch_blocks or self.transactions >= most or self.coins >= most

    def take(self) -> list[ParsedBlock]:
        """The blocks, leaving none."""
        blocks, self.blocks, self.transactions, self.coins = self.blocks, [], 0, 0
        return blocks


def parse_checked(block: RawBlock) -> ParsedBlock:
    """Parse a block that the source gave under a hash; ParseError and ChainError name height and hash."""
    where = f"block {block.height} ({hash_text(block.hash)})"
    try:
        parsed = parse_block(block.raw, full_ids=True)
    except ParseError as error:
        error.args = (f"{where}: {error.args[0]}; nothing of it was stored. Is the daemon of this network?",)
        raise
    except ChainError as error:
        raise type(error)(f"{where}: {error}; nothing of it was stored") from error
    if parsed.hash != block.hash:
        raise ChainError(f"{where}: its bytes hash to {hash_text(parsed.hash)}; nothing of it was stored")
    return parsed


class Session:
    """One unbroken run from the committed tip: until told to stop, or until something fails."""

    def __init__(self, job: Job) -> None:
        self._job = job
        store = job.store
        tip = recover(store, job.owner)
        self._reader = StoreReader(store)
        self._state = self._new_state()
        self._batch = Batch(job.settings)
        self._committer = Committer(store, tip)
        self._counted = 0

    def _new_state(self) -> ChainState:
        return ChainState(self._job.network, self._reader, self._job.settings.memory_bytes)

    def run(self) -> None:
        """Follow the source."""
        with rare_collections(), quick_turns():
            self._run()

    def _run(self) -> None:
        job = self._job
        self._committer.start()
        try:
            for event in follow(
                job.source,
                self._state.tip.height,
                self._reader.hash_at,
                job.stop,
                genesis=parse_hash(job.network.genesis_hash),
                poll_seconds=job.settings.poll_seconds,
                wait=job.wait,
            ):
                self._take(event)
                job.check()
            self._committer.drain()
        finally:
            self._committer.close()

    def _take(self, event: Extend | Fork | Idle) -> None:
        if isinstance(event, Extend):
            for block in event.blocks:
                self._batch.add(parse_checked(block))
                single = block.height >= self._keep_from(event.status)
                if single or self._batch.full:
                    self._apply(self._batch.take(), event.status)
            return
        if isinstance(event, Fork):
            self._fork(event)
        elif event.status is not None:
            self._apply(self._batch.take(), event.status)
        if isinstance(event, Idle):
            self._report(event.status, at_tip=event.at_tip, problem=event.problem)

    def _apply(self, blocks: Sequence[ParsedBlock], status: DaemonStatus) -> None:
        if blocks:
            done = self._committer.put(self._state.apply(blocks), self._keep_from(status))
            for _ in range(done - self._counted):
                self._state.committed()
            self._counted = done
            self._report(status, at_tip=self._state.tip.height >= status.height)

    def _keep_from(self, status: DaemonStatus) -> int:
        """The first height that a reorganisation of the daemon, or the operator, may want undone alone."""
        job = self._job
        return status.height - max(job.settings.undo_depth, undo_depth(job.network, status.height))

    def _fork(self, event: Fork) -> None:
        """Commit what is under way, go back, begin anew from there."""
        self._apply(self._batch.take(), event.status)
        tip = self._committer.drain()
        log.info("reorganisation: back from block %d to block %d", tip["height"], event.height)
        self._committer.tip = rewind(self._job.store, tip, event.height, "reorg")
        self._state = self._new_state()
        self._counted = self._committer.done

    def _report(self, status: DaemonStatus | None, *, at_tip: bool, problem: str = "") -> None:
        state = self._state
        self._job.report(Progress(state.tip.height, state.totals.txs_total, status, at_tip, problem))
