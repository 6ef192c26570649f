"""One writer: who may begin, who has to wait, who loses the right to write."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from threading import Event, Timer

import pytest

from indexer.errors import Locked, TipMoved
from indexer.store.commit import first_tip
from indexer.store.lease import Lease, new_owner
from indexer.store.mongo import MongoStore
from indexer.store.rewind import recover

SHORT = 0.6
ELSEWHERE = "another-host/1/abcd"


@pytest.fixture
def store(mongod: str, database_name: str) -> Iterator[MongoStore]:
    """An empty database."""
    store = MongoStore(mongod, database_name)
    yield store
    store.close()


def test_released_it_is_free_at_once(store: MongoStore) -> None:
    first = Lease(store, new_owner(), Event(), seconds=60)
    first.acquire()
    first.release()
    second = Lease(store, ELSEWHERE, Event(), seconds=60)
    second.acquire()
    assert store.meta("writer")["owner"] == ELSEWHERE  # type: ignore[index]
    second.release()


def test_of_a_dead_process_on_this_machine_it_is_free_at_once(store: MongoStore) -> None:
    dead = os.fork()
    if dead == 0:
        os._exit(0)
    os.waitpid(dead, 0)
    store.put_meta("writer", {"owner": f"{socket.gethostname()}/{dead}/x", "beat": 7})
    lease = Lease(store, new_owner(), Event(), seconds=60)
    lease.acquire()
    assert store.meta("writer") == {"_id": "writer", "owner": lease.owner, "beat": 8}
    lease.release()


def test_of_a_silent_process_elsewhere_it_is_free_after_its_time(store: MongoStore) -> None:
    store.put_meta("writer", {"owner": ELSEWHERE, "beat": 7})
    lease = Lease(store, new_owner(), Event(), seconds=SHORT)
    began = time.monotonic()
    lease.acquire()
    assert time.monotonic() - began >= SHORT
    lease.release()


def test_of_a_living_process_it_is_refused_by_name(store: MongoStore) -> None:
    living = Lease(store, ELSEWHERE, Event(), seconds=SHORT)
    living.acquire()
    with pytest.raises(Locked, match=f"another indexer \\({ELSEWHERE}\\) is writing"):
        Lease(store, new_owner(), Event(), seconds=SHORT).acquire()
    living.release()


def test_the_embedded_servers_owner_waits_for_nobody(store: MongoStore) -> None:
    store.put_meta("writer", {"owner": ELSEWHERE, "beat": 7})
    lease = Lease(store, new_owner(), Event(), seconds=60)
    lease.acquire(exclusive=True)
    lease.release()


def test_waiting_ends_when_told_to_stop(store: MongoStore) -> None:
    store.put_meta("writer", {"owner": ELSEWHERE, "beat": 7})
    stop = Event()
    Timer(0.2, stop.set).start()
    with pytest.raises(Locked, match="stopped while waiting"):
        Lease(store, new_owner(), stop, seconds=60).acquire()


def test_a_right_taken_over_is_noticed_and_its_commits_fail(store: MongoStore) -> None:
    mine = Lease(store, new_owner(), Event(), seconds=SHORT)
    mine.acquire()
    tip = recover(store, mine.owner)
    assert tip == first_tip(mine.owner)
    store.put_meta("writer", {"owner": ELSEWHERE})
    recover(store, ELSEWHERE)
    assert mine.lost.wait(5)
    with pytest.raises(TipMoved, match="another indexer writes to this database"):
        store.move_tip(tip, {**tip, "height": 0})
    mine.release()
    assert store.meta("writer")["owner"] == ELSEWHERE  # type: ignore[index]
