"""``make run`` on a machine without a daemon, as a newcomer uses it: it lives, it ends, it is killed, it resumes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from indexer.commands.demo import free_port
from indexer.demo.builder import FIRST_BLOCKS
from indexer.store.embedded import FolderLock, socket_path
from tests.conftest import absent
from tests.demo.chains import copy_of

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))
PATIENCE = 90.0
YOUNG_SECONDS = 60

PARTS = {"demo daemon": b"\0--daemon-only\0", "indexer": b"\0index\0", "site": b"\0serve\0", "notifier": b"\0notify\0",
         "mongod": b"\0--dbpath\0"}  # fmt: skip
"""The processes below the one that make starts, and what of their command lines is telling."""

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("mongod")]


class Network:
    """A demo network in a home of its own, started again and again."""

    def __init__(self, home: Path) -> None:
        self.home, self.data = home, home / "data"
        self.port = free_port()
        self.log = home / "log"
        (home / "installed").touch()  # what make would otherwise install is what these tests run with
        self._make = ["make", "-C", str(ROOT), "run", f"BIN={SCRIPTS}", f"STAMP={home / 'installed'}"]
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("FLUX_", "MAKE"))}
        self._environ = bare | {
            "HOME": str(home),
            "FLUX_DATA_DIR": str(self.data),
            "FLUX_EXPLORER_PORT": str(self.port),
            "FLUX_DATABASE_CACHE_MIB": "256",
            "FLUX_DEMO_BLOCK_SECONDS": "1",
        }
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """``make run`` in a session of its own, as in a terminal."""
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                self._make, env=self._environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    @property
    def make(self) -> subprocess.Popen[bytes]:
        """The process of make."""
        assert self._child is not None
        return self._child

    def ask(self, path: str) -> Any:
        """An answer of the site; None while there is none."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as response:
            body = response.read()
            return json.loads(body) if path.startswith("/api/") else body.decode()
        return None

    def living(self, above: int) -> Any:
        """The status once the index is above a height, at a young block, and was compared with the daemon."""

        def told() -> Any:
            status = self.ask("/api/v1/status")
            assert self.make.poll() is None, self.log.read_text()
            if not status or status["tip"]["height"] <= above or status["index"]["state"] != "following":
                return None
            return status if status["checks"]["queue_matches_daemon"] is not None else None

        status = eventually(told)
        assert time.time() - status["tip"]["time"] < YOUNG_SECONDS
        assert (status["network"], status["simulated"]) == ("demo", True)
        assert (status["checks"]["payouts_mismatched"], status["checks"]["queue_matches_daemon"]) == (0, True)
        return status

    def processes(self) -> dict[str, int]:
        """The processes of this network by name; ``flux-explorer`` is the one that make started."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"HOME={self.home}\0".encode() in (process / "environ").read_bytes():
                    found[name_of((process / "cmdline").read_bytes())] = int(process.name)
        return found

    def said(self) -> str:
        """The last words of the process that make started."""
        return next(line for line in reversed(self.log.read_text().splitlines()) if line.startswith("flux-explorer: "))

    def kill(self, *names: str) -> None:
        """SIGKILL to some of the processes, none of them earlier than the others can notice."""
        running = self.processes()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for name in names:
                os.kill(running[name], number)

    def until_gone(self) -> int:
        """Wait until nothing runs any more; the exit code of make."""
        code = self.make.wait(PATIENCE)
        eventually(lambda: not self.processes())
        return code


def name_of(command_line: bytes) -> str:
    if command_line.startswith(b"make\0"):
        return "make"
    return next((name for name, telling in PARTS.items() if telling in command_line), "flux-explorer")


def eventually(told: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := told()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


@pytest.fixture
def network(first_chain: Path, tmp_path: Path) -> Iterator[Network]:
    """A network with the first chain, so that it need not be made."""
    for program in ("make", SCRIPTS / "flux-explorer"):
        if shutil.which(program) is None:
            absent(str(program), "apt-get install make; pip install --editable .")
    found = Network(tmp_path)
    copy_of(first_chain, found.data / "demo-1")
    yield found
    for process in found.processes().values():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def nothing_left(network: Network) -> None:
    """No process, no socket, no lock."""
    assert network.processes() == {}
    assert not socket_path(network.data).parent.exists()
    FolderLock(network.data).release()


def test_it_lives_ends_with_ctrl_c_and_resumes(network: Network) -> None:
    network.start()
    status = network.living(FIRST_BLOCKS)
    first = network.ask("/api/v1/blocks/1")["hash"]
    assert "<strong>simulated</strong>" in network.ask("/")
    assert set(network.processes()) == {"make", "flux-explorer", *PARTS}
    os.killpg(network.make.pid, signal.SIGINT)  # as a terminal does
    network.until_gone()
    nothing_left(network)

    network.start()
    network.living(status["tip"]["height"])
    assert network.ask("/api/v1/blocks/1")["hash"] == first
    os.kill(network.processes()["flux-explorer"], signal.SIGTERM)
    assert network.until_gone() == 0
    nothing_left(network)
    assert "Traceback" not in network.log.read_text()


def test_killed_part_by_part_and_all_at_once_it_resumes(network: Network) -> None:
    height = FIRST_BLOCKS
    for victims in (*((part,) for part in PARTS), ("flux-explorer",), ("make", "flux-explorer", *PARTS)):
        network.start()
        height = network.living(height)["tip"]["height"]
        network.kill(*victims)
        assert network.until_gone() != 0, victims
        if victims[0] in PARTS:
            assert f"{victims[0]} " in network.said() and "signal 9" in network.said()
    network.start()
    network.living(height)
    os.killpg(network.make.pid, signal.SIGINT)
    network.until_gone()
    nothing_left(network)
    assert "Traceback" not in network.log.read_text()


def test_without_its_chain_it_begins_anew(network: Network) -> None:
    network.start()
    network.living(FIRST_BLOCKS)
    first = network.ask("/api/v1/blocks/1")["hash"]
    os.killpg(network.make.pid, signal.SIGINT)
    network.until_gone()
    shutil.rmtree(network.data / "demo-1")
    network.start()
    network.living(FIRST_BLOCKS)
    assert network.ask("/api/v1/blocks/1")["hash"] != first
    assert "begins with an empty database: the database is of another chain" in network.log.read_text()
    os.killpg(network.make.pid, signal.SIGINT)
    network.until_gone()
