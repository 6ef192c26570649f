"""``flux-explorer run`` on a machine without a daemon: the demo network, from the daemon to the API."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.commands import demo
from indexer.config import load_config
from indexer.demo.builder import FIRST_BLOCKS
from tests.demo.chains import copy_of

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0


def environ(home: Path, port: int) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    return bare | {
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "FLUX_DATA_DIR": str(home / "data"),
        "FLUX_EXPLORER_PORT": str(port),
        "FLUX_DATABASE_CACHE_MIB": "256",
        "FLUX_DEMO_BLOCK_SECONDS": "1",
    }


@contextmanager
def started(variables: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "indexer.cli", "run"], env=variables, cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE)


def ask(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        body = response.read()
    return json.loads(body) if path.startswith("/api/") else body.decode()


def status_above(port: int, height: int, child: subprocess.Popen[str]) -> Any:
    """The status once the index is above a height and was compared with the daemon."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and child.poll() is None:
        try:
            status = ask(port, "/api/v1/status")
            if status["tip"]["height"] > height and status["checks"]["supply_matches_daemon"] is not None:
                return status
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"nothing compared above block {height}; exit code {child.poll()}")


@pytest.mark.usefixtures("mongod")
@pytest.mark.slow
def test_a_machine_without_a_daemon_shows_the_demo_and_resumes_it(first_chain: Path, tmp_path: Path) -> None:
    port = demo.free_port()
    variables = environ(tmp_path, port)
    copy_of(first_chain, tmp_path / "data" / "demo-1")
    with started(variables, tmp_path) as child:
        status = status_above(port, FIRST_BLOCKS, child)
        assert (status["network"], status["simulated"]) == ("demo", True)
        assert status["checks"]["payouts_mismatched"] == 0
        assert status["checks"]["queue_matches_daemon"] is status["checks"]["supply_matches_daemon"] is True
        assert "<strong>simulated</strong>" in ask(port, "/")
    assert child.returncode == 0
    with started(variables, tmp_path) as child:
        again = status_above(port, status["tip"]["height"], child)
        assert again["checks"]["payouts_mismatched"] == 0
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"FLUX_NETWORK_NAME": "demo"}, True),
        ({"FLUX_NETWORK_NAME": "test"}, False),
        ({"FLUX_DAEMON_URL": "http://127.0.0.1:1"}, False),
        ({"FLUX_NETWORK_NAME": "demo", "FLUX_DAEMON_URL": "http://127.0.0.1:1"}, False),
        ({"FLUX_DAEMON_GATEWAY": "https://gateway.invalid"}, False),
    ],
)
def test_when_the_demo_stands_in(
    variables: dict[str, str], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert demo.stands_in(load_config(environ=variables)) is expected


def test_a_daemon_of_this_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".flux").mkdir()
    (tmp_path / ".flux" / "flux.conf").write_text("rpcuser=a\nrpcpassword=b\n")
    assert not demo.stands_in(load_config(environ={}))


def test_the_processes_of_the_demo_find_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = load_config(environ=demo.environment(load_config(environ={"FLUX_DATABASE_NAME": "flux_main"})))
    assert (first.network.name, first.database_name) == ("demo", "flux_demo")
    assert first.daemon.url.startswith("http://127.0.0.1:")
    assert first.daemon.zmq.startswith("tcp://127.0.0.1:")
    named = {"FLUX_DATABASE_NAME": "mine", "FLUX_NETWORK_NAME": "demo"}
    assert demo.environment(load_config(environ=named))["FLUX_DATABASE_NAME"] == "mine"
