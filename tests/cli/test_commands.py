"""The command line, as its users run it: real processes, a real MongoDB, the recorded daemon over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from indexer.cli import main
from indexer.store import embedded
from tests.recorded import NETWORK_FILE, blocks
from tests.replay_daemon import ReplayDaemon

ROOT = Path(__file__).parents[2]
HEIGHT = 210
PATIENCE = 60.0

pytestmark = pytest.mark.usefixtures("mongod")  # skips, or fails, where there is none


@pytest.fixture(scope="module")
def daemon() -> Iterator[ReplayDaemon]:
    """The recorded daemon at a low height."""
    with ReplayDaemon(HEIGHT) as replay:
        yield replay


@pytest.fixture(scope="module")
def environ(daemon: ReplayDaemon, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of an installation in a folder of its own, without a database yet."""
    return os.environ | {
        "HOME": str(tmp_path_factory.mktemp("home")),
        "PYTHONPATH": str(ROOT),
        "FLUX_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "FLUX_DAEMON_URL": daemon.url,
        "FLUX_DAEMON_USER": daemon.user,
        "FLUX_DAEMON_PASSWORD": daemon.password,
        "FLUX_NETWORK_PARAMS_FILE": str(NETWORK_FILE),
        "FLUX_EXPLORER_PORT": str(free_port()),
        "FLUX_DATABASE_CACHE_MIB": "256",
    }


@pytest.fixture(scope="module")
def indexed(environ: dict[str, str]) -> dict[str, str]:
    """The same, once ``run`` has indexed everything and was stopped."""
    with started(environ, "run") as child:
        wait_for_tip(environ, HEIGHT)
        eventually(lambda: run(environ, "status").returncode == 0)
        status = run(environ, "status")
        child.send_signal(signal.SIGTERM)
        assert child.wait(PATIENCE) == 0
    assert (status.returncode, status.stderr) == (0, "")
    assert f"tip:        block {HEIGHT} {blocks()[HEIGHT]['hash']}" in status.stdout
    assert "indexer:    following" in status.stdout
    return environ


@pytest.fixture(scope="class")
def kept(indexed: dict[str, str]) -> Iterator[dict[str, str]]:
    """The same with its server running, so that commands which only read find it."""
    with embedded.start(Path(indexed["FLUX_DATA_DIR"]), cache_mib=256):
        yield indexed


Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(kept: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """Run a command in this process: exit code, output, errors."""
    for name, value in kept.items():
        monkeypatch.setenv(name, value)

    def run_here(*arguments: str) -> tuple[int, str, str]:
        return main(arguments), *capsys.readouterr()

    return run_here


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def command(*arguments: str) -> list[str]:
    """The command line of a flux-explorer."""
    return [sys.executable, "-m", "indexer.cli", *arguments]


def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run to the end."""
    return subprocess.run(
        command(*arguments), env=environ, cwd=environ["HOME"], capture_output=True, text=True, timeout=PATIENCE
    )


@contextmanager
def started(environ: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Start, with both outputs in one pipe; a test that fails ends what it started, or it would wait for it."""
    with subprocess.Popen(
        command(*arguments),
        env=environ,
        cwd=environ["HOME"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as child:
        try:
            yield child
        except BaseException:
            child.terminate()
            raise


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def get_json(environ: dict[str, str], path: str) -> Any:
    """What the site answers, None while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{environ['FLUX_EXPLORER_PORT']}{path}", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None


def wait_for_tip(environ: dict[str, str], height: int) -> None:
    """Wait until the site shows this height."""
    eventually(lambda: (get_json(environ, "/api/v1/status") or {"tip": {}})["tip"].get("height") == height)


def processes(environ: dict[str, str]) -> list[int]:
    """The processes that run in an installation: by the data folder in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            try:
                text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if environ["FLUX_DATA_DIR"].encode() in text:
                found.append(int(entry.name))
    return found


def child_of(child: subprocess.Popen[str], word: str) -> int | None:
    """The process below ``child`` whose command line ends with ``word``."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == child.pid and (entry / "cmdline").read_bytes().endswith(f"{word}\0".encode()):
                    return int(entry.name)
            except OSError:
                continue
    return None


def test_run_leaves_nothing_behind(indexed: dict[str, str]) -> None:
    assert processes(indexed) == []


class TestReading:
    """Commands that only read, in this process."""

    def test_status_without_an_indexer(self, here: Here) -> None:
        code, output, _ = here("status")
        assert code == 1
        assert f"daemon:     block {HEIGHT}," in output
        assert "indexer:    not running: last seen" in output

    def test_show(self, here: Here) -> None:
        recorded = blocks()[HEIGHT]
        _, shown, _ = here("show", "block", str(HEIGHT))
        assert shown == here("show", "block", recorded["hash"])[1]
        assert f"block {HEIGHT}\n  hash                 {recorded['hash']}\n" in shown
        assert f"  tx_count             {len(recorded['block']['tx'])}\n" in shown
        coinbase = recorded["block"]["tx"][0]
        _, transaction, _ = here("show", "tx", coinbase["txid"])
        assert f"coinbase at 0 in block {HEIGHT}\n" in transaction
        output = coinbase["vout"][0]
        [owner] = output["scriptPubKey"]["addresses"]
        assert f"  output 0             {owner} {output['value']} FLUX\n" in transaction
        _, address, _ = here("show", "address", owner)
        assert f"address {owner}\n  balance " in address
        assert f"  block {HEIGHT}            balance " in address
        assert here("show", "block", str(HEIGHT + 1)) == (1, f"there is no block {HEIGHT + 1} in this index\n", "")

    @pytest.mark.parametrize(
        ("arguments", "complaint"),
        [
            (("show", "block", "xyz"), "'xyz' is neither a height nor 64 hexadecimal digits"),
            (("show", "address", "t1nonsense"), "the checksum does not match"),
            (("--config", "/no/such.toml", "status"), "settings file /no/such.toml cannot be read"),
            (("rewind", "1"), "belongs to a running flux-explorer"),
        ],
    )
    def test_an_error_is_one_line_and_code_2(self, here: Here, arguments: tuple[str, ...], complaint: str) -> None:
        code, output, errors = here(*arguments)
        assert (code, output) == (2, "")
        assert errors.startswith("flux-explorer: ")
        assert complaint in errors
        assert errors.count("\n") == 1


def test_rewind_and_index_again(indexed: dict[str, str]) -> None:
    assert "cannot go back to block 1: undo records begin at block " in run(indexed, "rewind", "1").stderr
    assert run(indexed, "rewind", str(HEIGHT - 5)).stdout == f"went back from block {HEIGHT} to block {HEIGHT - 5}\n"
    assert run(indexed, "rewind", str(HEIGHT)).stdout == f"nothing to do: the index ends at block {HEIGHT - 5}\n"
    with started(indexed, "index") as child:
        lock = Path(indexed["FLUX_DATA_DIR"]) / "lock"
        eventually(lambda: lock.read_text().strip() == str(child.pid))
        with started(indexed, "serve") as site:  # the server of the index is still starting
            wait_for_tip(indexed, HEIGHT)
            assert child.stdout is not None
            assert f"block {HEIGHT}\n" in iter(child.stdout.readline, "")
            second = run(indexed, "index")
            assert second.returncode == 2
            assert "belongs to a running flux-explorer" in second.stderr
            site.send_signal(signal.SIGINT)
            assert site.wait(PATIENCE) == 0
        child.send_signal(signal.SIGINT)
        assert child.wait(PATIENCE) == 0
    assert processes(indexed) == []


def test_a_part_that_ends_stops_all(indexed: dict[str, str]) -> None:
    with started(indexed, "run") as child:
        wait_for_tip(indexed, HEIGHT)
        site = child_of(child, "serve")
        assert site is not None
        os.kill(site, signal.SIGKILL)
        assert child.wait(PATIENCE) == 1
        assert child.stdout is not None
        assert "flux-explorer: the site ended by signal 9; everything is stopped" in child.stdout.read()
    assert processes(indexed) == []


@pytest.mark.slow
def test_a_killed_mongod_stops_all_and_is_told(indexed: dict[str, str]) -> None:
    with started(indexed, "run") as child:
        wait_for_tip(indexed, HEIGHT)
        server = embedded.running_pid(Path(indexed["FLUX_DATA_DIR"]))
        assert server is not None
        os.kill(server, signal.SIGKILL)
        assert child.wait(PATIENCE) == 2
        assert child.stdout is not None
        assert f"flux-explorer: mongod in {indexed['FLUX_DATA_DIR']} was ended by signal 9" in child.stdout.read()
    assert processes(indexed) == []


@pytest.mark.slow
def test_a_killed_run_takes_all_with_it(indexed: dict[str, str]) -> None:
    with started(indexed, "run") as child:
        wait_for_tip(indexed, HEIGHT)
        child.kill()
        child.wait()
        eventually(lambda: processes(indexed) == [])


def test_a_taken_port_is_told_before_anything_starts(environ: dict[str, str], tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(environ | {"FLUX_EXPLORER_PORT": str(port), "FLUX_DATA_DIR": str(tmp_path / "data")}, "run")
    assert done.returncode == 2
    assert f"the site cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["run", "index"])
def test_without_a_daemon_it_says_what_to_set(environ: dict[str, str], name: str, tmp_path: Path) -> None:
    done = run(environ | {"FLUX_DAEMON_URL": "", "FLUX_DATA_DIR": str(tmp_path / "data")}, name)
    assert done.returncode == 2
    assert "no daemon is set and no flux.conf" in done.stderr
    assert "FLUX_DAEMON_URL=http://127.0.0.1:16124" in done.stderr
    assert not (tmp_path / "data").exists()


def test_nothing_to_read_yet(environ: dict[str, str], tmp_path: Path) -> None:
    done = run(environ | {"FLUX_DATA_DIR": str(tmp_path)}, "status")
    assert done.returncode == 2
    assert f"there is no database in {tmp_path} yet: flux-explorer run makes one" in done.stderr


def test_a_host_that_is_not_ours(environ: dict[str, str]) -> None:
    done = run(environ | {"FLUX_EXPLORER_HOST": "no.such.invalid"}, "serve")
    assert done.returncode == 2
    assert "explorer.host 'no.such.invalid' is no address of this machine" in done.stderr


def test_a_wrong_password_ends_it_at_once_without_showing_it(environ: dict[str, str], tmp_path: Path) -> None:
    done = run(environ | {"FLUX_DAEMON_PASSWORD": "hunter2", "FLUX_DATA_DIR": str(tmp_path)}, "run")
    assert done.returncode == 2
    assert "refused user and password" in done.stderr
    assert "the indexer ended with code 2; everything is stopped" in done.stderr
    assert "hunter2" not in done.stderr + done.stdout
