"""Waiting for a daemon: how long, how loudly, and never after we were asked to stop."""

from __future__ import annotations

import logging
from threading import Event, Timer
from time import monotonic

import pytest

from indexer.errors import ConfigError, Garbled, Stopped, Unreachable, WarmingUp, WrongCredentials
from indexer.source.retry import Retry
from indexer.source.window import MAX_BLOCKS, Window


class Clock:
    """A clock that is set by hand, in seconds."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_delays_double_up_to_the_cap_and_start_again_after_success() -> None:
    retry = Retry(Event(), first=0.25, cap=3.0)
    assert [retry.failed(Unreachable("x")) for _ in range(6)] == [0.25, 0.5, 1.0, 2.0, 3.0, 3.0]
    retry.succeeded()
    assert retry.failed(WarmingUp("x")) == 0.25


def test_told_at_most_once_a_minute_and_restored_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    retry = Retry(Event(), clock=clock)
    for _ in range(130):  # 130 failures in 130 seconds
        retry.failed(Unreachable("no daemon"))
        clock.now += 1.0
    retry.succeeded("http://a:1/")
    retry.succeeded("http://a:1/")
    assert caplog.messages == ["no daemon"] * 3 + ["connection restored (http://a:1/)"]


def test_a_flapping_daemon_is_told_at_most_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    retry = Retry(Event(), clock=clock)
    for _ in range(59):
        retry.failed(Unreachable("no daemon"))
        retry.succeeded()
        clock.now += 1.0
    assert caplog.messages == ["no daemon", "connection restored"]


def test_temporary_failures_are_repeated_others_are_not() -> None:
    failures = [Unreachable("a"), WarmingUp("b"), Garbled("c")]

    def attempt() -> str:
        if failures:
            raise failures.pop()
        return "answer"

    assert Retry(Event(), first=0.001).until_answered(attempt) == "answer"
    for error in (WrongCredentials("no"), ConfigError("no")):

        def fails(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            Retry(Event()).until_answered(fails)


def test_stop_ends_the_wait_at_once() -> None:
    stop = Event()

    def fails() -> None:
        raise Unreachable("no daemon")

    Timer(0.05, stop.set).start()
    started = monotonic()
    with pytest.raises(Stopped):
        Retry(stop, first=30.0, cap=30.0).until_answered(fails)
    assert monotonic() - started < 5


def test_batches_grow_with_small_blocks_and_shrink_with_large_ones() -> None:
    window = Window(size=16, target=8_000_000)
    for _ in range(5):
        window.note([1000] * window.size)
    assert window.size == MAX_BLOCKS
    window.note([2_000_000] * 100)
    assert window.size == 4
    window.shrink()
    window.note([])
    assert window.size == 2
    window.note([20_000_000])
    assert window.size == 1
    window.shrink()
    assert window.size == 1
