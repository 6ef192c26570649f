"""The processes of ``serve --workers``: who looks after them, and the real thing."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from indexer.commands import workers
from indexer.commands.workers import Worker
from tests import recorded

PATIENCE = 60.0


def until(what: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def starter(*scripts: str) -> Callable[[int, int], Popen[bytes]]:
    """Starts a script of the shell after the other, the last one again and again; ``$T`` is where to tell."""
    left = list(scripts)

    def start(number: int, tells: int) -> Popen[bytes]:
        script = left.pop(0) if len(left) > 1 else left[0]
        return Popen(["sh", "-c", f"T=/dev/fd/{tells}; {script}"], pass_fds=(tells,))

    return start


SERVES = "echo >$T; exec sleep 60"


def test_a_worker_serves_when_it_says_so_and_is_replaced_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(3, starter("sleep 0.2; echo >$T; sleep 0.2; exit 4", SERVES))
    try:
        assert (worker.look(), worker.serves) == (None, False)
        until(lambda: worker.look() is None and worker.serves)
        until(lambda: worker.look() is None and not worker.serves)
        until(lambda: worker.look() is None and worker.serves)
    finally:
        worker.stop()
    assert [record.message for record in caplog.records] == [
        "worker 3 ended with code 4: another one is started now"
    ]


def test_one_that_never_serves_is_told_and_tried_again_more_and_more_slowly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(workers, "PAUSES", (0.0, 0.01, 0.02))
    worker = Worker(0, starter("exit 2"))
    codes: list[int] = []

    def ended() -> bool:
        codes.extend(code for code in (worker.look(),) if code is not None)
        return len(codes) == 4

    until(ended)
    worker.stop()
    assert codes == [2] * 4
    assert "in 0 s" in caplog.text


def test_who_is_asked_to_leave_is_replaced_without_a_word(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(workers, "STOP_SECONDS", 0.2)
    worker = Worker(0, starter("trap '' TERM; echo >$T; while :; do sleep 0.05; done", SERVES))
    try:
        until(lambda: worker.look() is None and worker.serves)
        worker.leave()
        assert not worker.serves
        until(lambda: worker.look() is None and worker.serves)
    finally:
        worker.stop()
    assert caplog.text == ""


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    return {int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@contextmanager
def site(database: tuple[str, str], count: int, **more: str) -> Iterator[tuple[Popen[str], str]]:
    """``flux-explorer serve --workers`` of the recorded chain, and its address."""
    environ = os.environ | {
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DATABASE_URI": database[0],
        "FLUX_DATABASE_NAME": database[1],
        "FLUX_EXPLORER_PORT": "0",
        "FLUX_GUARD_RATE": "0",
        "HOME": "/nonexistent",
        **more,
    }
    command = [sys.executable, "-m", "indexer.cli", "serve", "--workers", str(count)]
    with Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.kill()


def answers(url: str) -> bool:
    """Whether the site answers on a new connection."""
    try:
        return httpx.get(f"{url}healthz", trust_env=False, timeout=PATIENCE).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_all_workers_serve_and_one_that_dies_returns(recorded_index: tuple[str, str]) -> None:
    with site(recorded_index, 2) as (process, url):
        until(lambda: answers(url))
        first = children(process.pid)
        assert len(first) == 2
        for halted in first:  # the other one serves; before that, both have to
            until(lambda: all(answers(url) for _ in range(20)))
            os.kill(halted, signal.SIGSTOP)
            try:
                assert all(answers(url) for _ in range(5))
            finally:
                os.kill(halted, signal.SIGCONT)
        dead = first.pop()
        os.kill(dead, signal.SIGKILL)
        until(lambda: len(children(process.pid) - {dead}) == 2)
        assert all(answers(url) for _ in range(20))
        total = httpx.get(f"{url}metrics", trust_env=False).text
        assert 'flux_explorer_requests_total{endpoint="healthz",status="200"}' in total
        second = children(process.pid)
        os.kill(process.pid, signal.SIGHUP)
        until(lambda: answers(url) and not children(process.pid) & second and len(children(process.pid)) == 2)
        last = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in last | second)
        assert process.stderr is not None
        told = process.stderr.read()
        assert "ended by signal 9: another one is started now" in told
        assert "Traceback" not in told


@pytest.mark.slow
def test_workers_that_cannot_serve_end_it_all_with_the_reason(recorded_index: tuple[str, str]) -> None:
    with site(recorded_index, 2, FLUX_EXPLORER_LABELS_FILE="/nonexistent") as (process, _):
        assert process.wait(PATIENCE) == 2
        assert process.stderr is not None
        told = process.stderr.read()
        assert "/nonexistent" in told
        assert "no worker could serve" in told
