"""Follow a source's active chain by polling: what extends ours, and where ours left it.

A round asks for the daemon's status, for its hash at our tip and for the next blocks, in a background thread; the
next round is under way while the caller works on the blocks of this one. Nothing is yielded that does not link to
our tip, whatever the daemon's chain does between two questions (``main.cpp:ActivateBestChain``).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from functools import partial
from itertools import count
from threading import Event as Flag
from threading import Thread
from typing import TypeVar

from indexer.errors import ChainError, ConfigError, Garbled, SourceError, Stopped, WarmingUp
from indexer.source.base import NO_PARENT, DaemonStatus, Event, Extend, Fork, Idle, RawBlock, Source
from indexer.source.retry import TEMPORARY, Retry

T = TypeVar("T")

SINGLE_BLOCKS = 100
"""This near to the daemon's tip blocks are yielded one by one, so that each can be undone."""

_REMEMBERED = 10_000
"""Hashes yielded and perhaps not yet committed; far more than a batch in flight holds."""

_STOP_CHECK = 0.1
"""Seconds between two looks at the stop flag while an answer is awaited."""

_CHECKS_PER_IDLE = 10
"""Looks between two Idle events while an answer is awaited: one a second."""


def fork_search(top: int) -> Generator[int, bool, int]:
    """Find the last height below ``top`` where two chains agree: by doubling steps back, then by halving.

    Yields a height, is sent whether both chains have the same block there, and returns the last common height,
    -1 if there is none. The chains differ at ``top``.
    """
    differs, step = top, 1
    common = -1
    while differs > 0:
        candidate = max(top - step, 0)
        if (yield candidate):
            common = candidate
            break
        differs, step = candidate, step * 2
    while common >= 0 and differs - common > 1:
        middle = (common + differs) // 2
        if (yield middle):
            common = middle
        else:
            differs = middle
    return common


def follow(
    source: Source,
    tip: int,
    hash_at: Callable[[int], bytes | None],
    stop: Flag,
    *,
    genesis: bytes,
    poll_seconds: float = 0.3,
    wait: Callable[[float], object] | None = None,
    retry: Retry | None = None,
) -> Iterator[Event]:
    """The events that lead from our ``tip`` (-1: an empty index) along the source's active chain, until ``stop``.

    ``hash_at`` gives our block hashes at and below the tip with which we start; ``genesis`` is our network's.
    ``wait`` sleeps at most so many seconds when there is nothing to do (default: until ``stop``). Temporary
    failures of the source are waited out, told by Idle events; a ConfigError means another network's daemon.
    """
    chain = _OurChain(tip, hash_at, genesis)
    follower = _Follower(source, chain, stop, retry or Retry(stop))
    pause = wait or stop.wait
    while not stop.is_set():
        seconds = poll_seconds
        try:
            if (yield from follower.round()):
                continue
        except Stopped:
            return
        except TEMPORARY as error:
            seconds = follower.failed(error)
        yield follower.idle()
        pause(seconds)


class _OurChain:
    """The hashes of the chain as yielded so far."""

    def __init__(self, tip: int, hash_at: Callable[[int], bytes | None], genesis: bytes) -> None:
        self.tip = tip
        self.genesis = genesis
        self._stored = hash_at
        self._yielded: dict[int, bytes] = {}

    def hash_at(self, height: int) -> bytes:
        """Our hash at a height at or below the tip; below genesis, no parent."""
        if height < 0:
            return NO_PARENT
        known = self._yielded.get(height) or self._stored(height)
        if known is None:
            raise ChainError(f"the index has no block at height {height} below its tip {self.tip}: run verify")
        return known

    def extend(self, blocks: Sequence[RawBlock]) -> None:
        """Put linked blocks on the tip."""
        for block in blocks:
            self._yielded[block.height] = block.hash
            self._yielded.pop(block.height - _REMEMBERED, None)
        self.tip = blocks[-1].height

    def rewind(self, height: int) -> None:
        """Forget the blocks above ``height``."""
        for above in range(height + 1, self.tip + 1):
            self._yielded.pop(above, None)
        self.tip = height


@dataclass(frozen=True, slots=True)
class _Round:
    """What the source answered: hashes at height 0 and at ``probe`` (our tip, or its own when lower)."""

    status: DaemonStatus
    genesis: bytes | None
    probe: int
    probe_hash: bytes | None
    blocks: Sequence[RawBlock]


def _ask(source: Source, tip: int, tip_hash: bytes) -> _Round:
    status = source.status()
    probe = min(tip, status.height)
    genesis, probe_hash = source.hashes([0, max(probe, 0)])
    if probe < 0:
        probe_hash = NO_PARENT
    extends = status.height > tip and probe_hash == tip_hash
    return _Round(status, genesis, probe, probe_hash, source.blocks(tip + 1, status.height) if extends else ())


def _linked(parent: bytes, blocks: Sequence[RawBlock]) -> list[RawBlock]:
    """The blocks up to the first that is not the child of the one before it."""
    chain: list[RawBlock] = []
    for block in blocks:
        if block.prev_hash != parent:
            break
        chain.append(block)
        parent = block.hash
    return chain


def _in_background(job: Callable[[], T]) -> Future[T]:
    """Run ``job`` in a thread of its own that no exit has to wait for."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(job())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=run, name="fetch", daemon=True).start()
    return future


class _Follower:
    """One round after the other; at most one question is in flight."""

    def __init__(self, source: Source, chain: _OurChain, stop: Flag, retry: Retry) -> None:
        self._source, self._chain, self._stop, self._retry = source, chain, stop, retry
        self._ahead: Future[_Round] | None = None
        self._status: DaemonStatus | None = None
        self._problem = ""

    def idle(self) -> Idle:
        """Where we stand while nothing happens."""
        status = self._status
        at_tip = status is not None and status.best_hash == self._chain.hash_at(self._chain.tip)
        return Idle(status, at_tip and not self._problem, self._problem)

    def failed(self, error: SourceError) -> float:
        """Note a temporary failure; returns the seconds to wait."""
        self._problem = str(error)
        return self._retry.failed(error)

    def round(self) -> Generator[Event, None, bool]:
        """The events of one round; returns whether anything happened."""
        pending, self._ahead = self._ahead or self._start(), None
        answer = yield from self._await(pending)
        self._status = answer.status
        self._refuse_another_network(answer)
        self._refuse_daemon_below(answer)
        if answer.probe_hash is None:  # its tip fell between two questions: no word yet about a fork
            raise WarmingUp(
                f"the daemon at {answer.status.url} no longer has block {answer.probe}, which it had a moment ago: "
                "asking again"
            )
        if answer.probe_hash != self._chain.hash_at(answer.probe):
            fork = yield from self._fork(answer)
            self._succeeded(answer)
            yield fork
            return True
        if answer.status.height == self._chain.tip:
            self._succeeded(answer)
            return False
        blocks = _linked(self._chain.hash_at(self._chain.tip), answer.blocks)
        if not blocks:
            raise Garbled(
                f"the daemon at {answer.status.url} is at height {answer.status.height} but gave no block that follows "
                f"our tip {self._chain.tip} (its chain moved meanwhile, or it serves wrong blocks): asking again"
            )
        self._succeeded(answer)
        yield from self._extend(blocks, answer.status)
        return True

    def _succeeded(self, answer: _Round) -> None:
        self._retry.succeeded(answer.status.url)
        self._problem = ""

    def _start(self) -> Future[_Round]:
        tip = self._chain.tip
        return _in_background(partial(_ask, self._source, tip, self._chain.hash_at(tip)))

    def _await(self, pending: Future[T]) -> Generator[Event, None, T]:
        for checks in count(1):
            if wait_for((pending,), _STOP_CHECK).done:
                break
            if self._stop.is_set():
                raise Stopped("stopped while waiting for the daemon")
            if checks % _CHECKS_PER_IDLE == 0:
                yield self.idle()
        return pending.result()

    def _refuse_another_network(self, answer: _Round) -> None:
        if answer.genesis != self._chain.genesis:
            theirs = answer.genesis[::-1].hex() if answer.genesis else "none"
            raise ConfigError(
                f"the daemon at {answer.status.url} is on another network ({answer.status.chain}): its block 0 is "
                f"{theirs}, ours {self._chain.genesis[::-1].hex()}; set daemon.url or network.name to match"
            )

    def _refuse_daemon_below(self, answer: _Round) -> None:
        """A daemon below our tip is waited for while it is on our chain or knows of more headers."""
        status, tip = answer.status, self._chain.tip
        same = answer.probe_hash == self._chain.hash_at(answer.probe)
        if status.height < tip and (same or status.headers > status.height):
            raise WarmingUp(
                f"the daemon at {status.url} is at height {status.height}, below our tip {tip} (still syncing, or "
                "restored from a backup): waiting until it has caught up"
            )

    def _fork(self, answer: _Round) -> Generator[Event, None, Fork]:
        search = fork_search(answer.probe)
        try:
            height = next(search)
            while True:
                (found,) = yield from self._await(_in_background(partial(self._source.hashes, [height])))
                height = search.send(found == self._chain.hash_at(height))
        except StopIteration as done:
            common: int = done.value
        if common < 0:
            raise WarmingUp(f"the daemon at {answer.status.url} changed while its fork was searched: asking again")
        self._chain.rewind(common)
        return Fork(common, self._chain.hash_at(common), answer.status)

    def _extend(self, blocks: Sequence[RawBlock], status: DaemonStatus) -> Iterator[Event]:
        self._chain.extend(blocks)
        if status.height > self._chain.tip:
            self._ahead = self._start()
        bulk = tuple(block for block in blocks if block.height <= status.height - SINGLE_BLOCKS)
        if bulk:
            yield Extend(bulk, status)
        for block in blocks[len(bulk) :]:
            yield Extend((block,), status)
