"""The thread: when it checks, what it makes of trouble, and the whole of it beside a real indexer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from indexer.chain.keys import hash_text
from indexer.config import Indexer, load_config
from indexer.selfcheck import SelfCheckKeeper, keeper, open_selfcheck
from indexer.store.schedule import Pinned, Schedule
from tests.indexed import branch, chain, network
from tests.replay_daemon import ReplayDaemon
from tests.selfcheck.conftest import HEIGHT, Bench
from tests.test_sync import config_for, running

LAST = Pinned(1000, b"h" * 32)


def tip(height: int, epoch: int = 1) -> dict[str, Any]:
    return {"height": height, "epoch": epoch}


@pytest.mark.parametrize(
    ("every", "last", "height", "due"),
    [
        (0, None, 5000, False),
        (0, LAST, 5000, False),
        (100, None, 0, True),
        (100, LAST, 1000, False),
        (100, LAST, 1099, False),
        (100, LAST, 1100, True),
        (100, LAST, 999, True),  # gone back below it
        (1, LAST, 1000, False),
        (1, LAST, 1001, True),
    ],
)
def test_due_by_height(every: int, last: Pinned | None, height: int, due: bool) -> None:
    assert Schedule(every, last).due(tip(height), lambda height: LAST.hash) is due


def test_due_when_its_block_has_lost_a_reorganisation_and_asked_once_an_epoch() -> None:
    asked = []

    def ours(height: int) -> bytes:
        asked.append(height)
        return LAST.hash

    schedule = Schedule(100, LAST)
    assert not any(schedule.due(tip(1001, epoch), ours) for epoch in (1, 1, 2, 2))
    assert asked == [1000, 1000]
    assert schedule.due(tip(1001, 3), lambda height: b"x" * 32)
    assert schedule.due(tip(1001, 3), lambda height: None)


def settings(**changes: int) -> Indexer:
    return replace(load_config(environ={}).indexer, **changes)


@contextmanager
def kept(bench: Bench, **changes: int) -> Iterator[SelfCheckKeeper]:
    """A keeper of the bench that looks every 10 ms."""
    chosen = settings(**changes)
    with closing(SelfCheckKeeper(network(), bench.store, bench.client(), chosen, look_seconds=0.01)) as thread:
        yield thread


def until(done: Callable[[], object], seconds: float = 10) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def checked(bench: Bench, name: str) -> int | None:
    """The height of a verdict, as stored."""
    return ((bench.store.meta("checks") or {}).get("checks") or {}).get(f"{name}_checked_height")


def test_once_at_the_start_then_every_so_many_blocks(bench: Bench) -> None:
    bench.at(HEIGHT)
    with kept(bench, check_blocks=3, check_supply_blocks=5):
        until(lambda: checked(bench, "queue") == checked(bench, "supply") == HEIGHT)
        for height in range(HEIGHT + 1, HEIGHT + 7):
            bench.at(height)
            expected = HEIGHT + 3 * ((height - HEIGHT) // 3), HEIGHT + 5 * ((height - HEIGHT) // 5)
            until(lambda: (checked(bench, "queue"), checked(bench, "supply")) == expected)  # noqa: B023
    assert bench.daemon.calls["getfluxnodesnapshot"] == 3
    assert bench.daemon.calls["gettxoutsetinfo"] == 2


def test_again_when_the_checked_block_was_reorganised_away(bench: Bench) -> None:
    bench.at(branch("R2")[0])
    bench.lose("R2")
    with kept(bench, check_blocks=100, check_supply_blocks=0):
        until(lambda: checked(bench, "queue") == bench.daemon.chain.height)
        bench.win("R2")
        until(lambda: checked(bench, "queue") == bench.daemon.chain.height)
    assert bench.said["queue_checked_hash"] == bytes.fromhex(bench.daemon.chain.active[-1])[::-1]
    assert bench.said["queue_matches_daemon"] is True
    assert bench.daemon.calls["gettxoutsetinfo"] == 0


def test_a_restart_compares_the_lists_anew_but_not_the_supply(bench: Bench) -> None:
    bench.at(HEIGHT)
    for starts in (1, 2):
        with kept(bench):
            until(lambda: bench.daemon.calls["getfluxnodesnapshot"] == starts)  # noqa: B023
            until(lambda: checked(bench, "supply") == HEIGHT)
    assert bench.daemon.calls["gettxoutsetinfo"] == 1


@pytest.mark.parametrize("kind", ["warming_up", "html", "drop", "refusing"])
def test_trouble_with_the_daemon_is_waited_out(bench: Bench, kind: str) -> None:
    bench.at(HEIGHT)
    bench.daemon.misbehave(kind)
    with kept(bench):
        until(lambda: bench.daemon.requests >= 2)
        assert bench.store.meta("checks") is None
        bench.daemon.behave()
        until(lambda: checked(bench, "queue") == HEIGHT)


def test_an_answer_that_will_not_change_is_told_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.daemon.chain.unknown = {"getfluxnodesnapshot", "viewdeterministicfluxnodelist"}
    bench.at(HEIGHT)
    with kept(bench):
        until(lambda: bench.daemon.calls["viewdeterministicfluxnodelist"] >= 3)
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1 and "refused viewdeterministicfluxnodelist" in told[0].getMessage()
    assert bench.daemon.password not in caplog.text


def test_it_ends_while_the_daemon_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "END_SECONDS", 0.1)
    bench.at(HEIGHT)
    bench.daemon.misbehave("hang")
    with kept(bench):
        until(lambda: bench.daemon.requests)
        begun = time.monotonic()
    assert time.monotonic() - begun < 2
    bench.daemon.behave()


def test_no_thread_without_a_daemon_or_anything_to_check(bench: Bench) -> None:
    off = {"FLUX_INDEXER_CHECK_BLOCKS": "0", "FLUX_INDEXER_CHECK_SUPPLY_BLOCKS": "0", "FLUX_DAEMON_URL": "http://a:1"}
    for environ in (off, {"FLUX_DAEMON_GATEWAY": "https://gateway.invalid"}):
        assert open_selfcheck(load_config("/dev/null", environ), bench.store) is None


def test_beside_a_real_indexer_through_a_reorganisation(
    mongod: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.05)
    with ReplayDaemon() as daemon:
        fork, stale = branch("R2")
        daemon.chain.set_tip(fork)
        config = config_for(daemon, database_name)
        config = replace(config, indexer=replace(config.indexer, check_blocks=1, check_supply_blocks=1))
        with running(config, mongod) as indexer:

            def agreed() -> bool:
                said = (indexer.store.meta("checks") or {}).get("checks", {})
                best = daemon.chain.active[-1]
                return all(
                    name in said and (hash_text(said[name]), said[verdict]) == (best, True)
                    for name, verdict in (
                        ("queue_checked_hash", "queue_matches_daemon"),
                        ("supply_checked_hash", "supply_matches_daemon"),
                    )
                )

            indexer.until(agreed)
            daemon.chain.set_tip(stale[-1])
            indexer.until(agreed)
            daemon.chain.reorg("R2")
            indexer.until(agreed)
            assert daemon.chain.active[-1] != chain()[-1]
            assert indexer.store.meta("tip")["reorgs"] == 1  # type: ignore[index]
