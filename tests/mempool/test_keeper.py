"""The thread: it compares when woken, waits trouble out, says when it cannot compare, and ends at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from indexer.mempool import MempoolKeeper, keeper
from indexer.mempool.ask import DaemonPool
from tests.indexed import network
from tests.memory_store import MemoryStore
from tests.mempool.pool import Pool, pool_at, rpc, waiting

POLL = 0.02


@contextmanager
def kept(pool: Pool, poll_seconds: float = POLL) -> Iterator[MempoolKeeper]:
    """A keeper of the pool's store."""
    with closing(MempoolKeeper(network(), pool.store, DaemonPool(rpc(pool.daemon)), poll_seconds)) as running:
        yield running


@pytest.fixture
def pool() -> Iterator[Pool]:
    """Block 238 of the recorded chain, with one transaction waiting."""
    with pool_at(238) as at_238:
        at_238.daemon.chain.mempool = dict(list(waiting(239).items())[:1])
        yield at_238


def until(done: Callable[[], object], seconds: float = 5) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_what_comes_and_goes_is_seen_at_the_next_poll(pool: Pool) -> None:
    with kept(pool):
        until(lambda: pool.txids() == set(pool.daemon.chain.mempool) != set())
        pool.daemon.chain.mempool = waiting(239)
        until(lambda: pool.txids() == set(waiting(239)))
        pool.daemon.chain.mempool = {}
        until(lambda: not pool.txids())


def test_woken_it_does_not_wait_for_the_poll(pool: Pool) -> None:
    with kept(pool, poll_seconds=60) as running:
        until(lambda: len(pool.txids()) == 1)
        pool.daemon.chain.mempool = waiting(239)
        running.wake(b"a transaction")
        until(lambda: pool.txids() == set(waiting(239)), seconds=2)


@pytest.mark.parametrize("kind", ["warming_up", "html", "broken_json", "drop", "refusing", "unauthorized"])
def test_trouble_keeps_the_set_and_passes(kind: str, pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "STALE_SECONDS", 1)
    monkeypatch.setattr(keeper, "LONGEST_PAUSE", 0.1)
    with kept(pool):
        until(lambda: len(pool.txids()) == 1)
        held = pool.rows()
        pool.daemon.misbehave(kind)
        pool.daemon.chain.mempool = waiting(239)
        until(lambda: pool.meta["stale_since"] is not None)
        assert pool.rows() == held
        assert pool.meta["stale_since"] == pool.meta["updated_at"]
        pool.daemon.behave()
        until(lambda: pool.txids() == set(waiting(239)) and pool.meta["stale_since"] is None)


def test_after_a_failure_of_the_database_the_copy_is_made_anew(pool: Pool) -> None:
    store = pool.store
    assert isinstance(store, MemoryStore)
    with kept(pool):
        until(lambda: len(pool.txids()) == 1)
        store.fail_at = store.writes + 1
        pool.daemon.chain.mempool = waiting(239)
        time.sleep(0.2)
        assert pool.meta["count"] == 1
        store.fail_at = None
        until(lambda: pool.meta["count"] == len(waiting(239)))
        assert pool.txids() == set(waiting(239))


def test_it_ends_at_once_and_the_daemon_is_asked_no_more(pool: Pool) -> None:
    with kept(pool, poll_seconds=60):
        until(lambda: len(pool.txids()) == 1)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    asked = pool.daemon.requests
    time.sleep(0.1)
    assert pool.daemon.requests == asked
