"""The embedded MongoDB: a real one is started, killed, orphaned, and found unusable in every way we know."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from indexer.errors import ConfigError, Locked, Unavailable
from indexer.store import embedded, mongod

pytestmark = pytest.mark.usefixtures("mongod")  # skips, or fails, where there is none


def connect(uri: str) -> MongoClient[dict[str, Any]]:
    """A client; its use as a context manager closes it."""
    return MongoClient(uri)


def names(uri: str) -> list[str]:
    """The databases of a server."""
    with connect(uri) as client:
        return client.list_database_names()


def write(uri: str, value: int) -> None:
    """Durably write one row."""
    with connect(uri) as client:
        client.test.get_collection("rows").insert_one({"_id": value})
        client.admin.command("fsync")


def rows(uri: str) -> list[int]:
    """The rows written."""
    with connect(uri) as client:
        return sorted(row["_id"] for row in client.test.rows.find())


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def has_ended(server: embedded.EmbeddedServer) -> bool:
    """Whether the server is known to have ended; its last thread may take a moment after the signal."""
    try:
        server.check()
    except Unavailable:
        return True
    return False


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has started the server of ``tmp_path / data`` and says its process id."""
    program = (
        "import sys, time; from pathlib import Path; from indexer.store import embedded\n"
        "with embedded.start(Path(sys.argv[1]), cache_mib=256) as server:\n"
        "    print(server.pid, flush=True); time.sleep(600)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "data")], stdout=subprocess.PIPE, text=True
    )
    with child:
        yield child
        child.kill()


def test_starts_on_a_socket_only_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with embedded.start(folder, cache_mib=256) as server:
        assert "admin" in names(server.uri)
        server.check()
        assert embedded.attach(folder) == server.uri
        sockets = embedded.socket_path(folder).parent
        assert sockets.stat().st_mode & 0o077 == 0
        opened = _opened(server.pid)
        listening = [line.split() for kind in ("tcp", "tcp6") for line in _net(server.pid, kind) if " 0A " in line]
        assert any(name.startswith("socket:") for name in opened)
        assert not [line for line in listening if f"socket:[{line[9]}]" in opened]
        pid = server.pid
    assert not is_alive(pid)
    assert not sockets.exists()
    assert embedded.attach(folder) is None


def _opened(pid: int) -> set[str]:
    """What the descriptors of a process point to; one may be closed while we look."""
    names = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            names.add(os.readlink(descriptor))
    return names


def _net(pid: int, kind: str) -> list[str]:
    return Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()


def test_rows_survive_a_stop_and_logs_are_rotated(tmp_path: Path) -> None:
    for number in range(5):
        with embedded.start(tmp_path, cache_mib=256) as server:
            assert rows(server.uri) == list(range(number))
            write(server.uri, number)
    logs = sorted(path.name for path in tmp_path.glob("mongod.log*"))
    assert logs == ["mongod.log", *(f"mongod.log.{n}" for n in range(1, embedded.KEPT_LOGS + 1))]


def test_one_owner_at_a_time(tmp_path: Path, owner: subprocess.Popen[str]) -> None:
    assert owner.stdout is not None
    assert owner.stdout.readline()
    with pytest.raises(Locked, match=rf"process {owner.pid}\): stop that one first, or set data.dir"):
        embedded.start(tmp_path / "data")
    uri = embedded.attach(tmp_path / "data")
    assert uri is not None
    write(uri, 1)


def test_the_server_ends_with_a_killed_owner_and_a_new_one_starts(tmp_path: Path, owner: subprocess.Popen[str]) -> None:
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    uri = embedded.attach(tmp_path / "data")
    assert uri is not None
    write(uri, 7)
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    with embedded.start(tmp_path / "data", cache_mib=256) as server:
        assert server.pid != pid
        assert rows(server.uri) == [7]
    eventually(lambda: not is_alive(pid))


def test_an_orphan_is_ended_even_while_it_starts(tmp_path: Path) -> None:
    binary = mongod.find()
    (tmp_path / "db").mkdir()
    command = [str(binary), "--dbpath", str(tmp_path / "db"), "--bind_ip", str(tmp_path / "s"), "--port", "0",
               "--unixSocketPrefix", str(tmp_path), "--logpath", str(tmp_path / "log")]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as orphan:
        eventually(lambda: (tmp_path / "s").exists())
        try:
            with embedded.start(tmp_path, cache_mib=256) as server:
                assert "admin" in names(server.uri)
            assert orphan.poll() is not None
        finally:
            orphan.kill()


def test_a_killed_server_is_told_and_its_stale_lock_does_not_matter(tmp_path: Path) -> None:
    server = embedded.start(tmp_path, cache_mib=256)
    write(server.uri, 3)
    os.kill(server.pid, signal.SIGKILL)
    eventually(lambda: has_ended(server))
    with pytest.raises(Unavailable, match=rf"mongod in {tmp_path} was ended by signal 9: .*, then start again"):
        server.check()
    server.stop()
    assert (tmp_path / "db" / "mongod.lock").read_text().strip()
    assert embedded.attach(tmp_path) is None
    with embedded.start(tmp_path, cache_mib=256) as again:
        assert rows(again.uri) == [3]


def test_a_long_folder_name_does_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / "data"
    assert len(os.fsencode(folder)) > embedded.LONGEST_SOCKET_PATH
    with embedded.start(folder, cache_mib=256) as server:
        assert "admin" in names(server.uri)


def test_the_socket_lies_in_the_runtime_folder_unless_its_path_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/")
    assert embedded.socket_path(tmp_path).parent.parent == Path("/flux-explorer")
    long = tmp_path / ("long" * 25)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    assert embedded.socket_path(tmp_path).parent.parent == Path(f"/tmp/flux-explorer-{os.getuid()}")


def test_a_server_that_cannot_come_up_says_why_and_lets_go(tmp_path: Path) -> None:
    (tmp_path / "db" / "mongod.lock").mkdir(parents=True)
    with pytest.raises(Unavailable, match=rf"mongod in {tmp_path} (ended with code|was ended by signal) \d+: \w+"):
        embedded.start(tmp_path, cache_mib=256)
    (tmp_path / "db" / "mongod.lock").rmdir()
    with embedded.start(tmp_path, cache_mib=256):
        pass


def test_a_full_disk_is_told_with_the_folder(tmp_path: Path) -> None:
    entry = '{"s":"E","msg":"WiredTiger error","attr":{"error":28,"message":"[..] write: No space left on device"}}\n'
    (tmp_path / "mongod.log").write_text('{"s":"I","msg":"hello"}\n' + entry + "not JSON\n")
    assert embedded.last_words(tmp_path) == ["WiredTiger error [..] write: No space left on device"]
    assert embedded._obituary(tmp_path, -6) == (
        f"no space left on the disk of {tmp_path}: make room there and start again; nothing committed is lost"
    )


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="data folder .*file cannot be used: Not a directory; set data.dir"):
        embedded.start(tmp_path / "file")


def test_a_runtime_folder_open_to_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:  # its name must be short
        (Path(runtime) / "flux-explorer").mkdir(mode=0o755)
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        with pytest.raises(ConfigError, match="must belong to this user and be closed to others"):
            embedded.start(tmp_path / "data")


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], Path]:
    """A ``mongod`` that does what a shell script says."""

    def make(script: str) -> Path:
        folder = tmp_path / "bin"
        folder.mkdir()
        path = folder / "mongod"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return make


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file' >&2;"
            " exit 127",
            "misses libcurl.so.4: apt-get install libcurl4, or run a MongoDB of your own",
        ),
        (
            "echo 'mongod: error while loading shared libraries: libodd.so.1: cannot open shared object file' >&2;"
            " exit 127",
            "misses libodd.so.1: install it, or",
        ),
        ("echo 'version GLIBC_2.35 not found' >&2; exit 1", "does not run here: version GLIBC_2.35 not found"),
        ("exit 1", "does not run here: it ended without a word"),
        ("echo db version v5.0.9", "is MongoDB 5.0.9, 6.0 or later is needed: install MongoDB 7"),
        ("echo hello", "does not name a version"),
    ],
)
def test_an_unusable_program_is_told(
    program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, complaint: str
) -> None:
    path = program(script)
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
    assert mongod.find() == path
    with pytest.raises(ConfigError, match=complaint):
        embedded.start(tmp_path / "data")


def test_a_real_missing_library_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "\tlibcurl.so.4 => not found\n\tlibssl.so.3 => not found\n\tlibcrypto.so.3 => /lib/libcrypto.so.3 (0x1)\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, listed, ""))
    complaint = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    assert "misses libcurl.so.4, libssl.so.3: apt-get install libcurl4 libssl3" in mongod._why_not(Path("m"), complaint)


def test_which_program_is_taken(program: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = program("echo db version v7.0.1")
    assert mongod.find(str(path)) == path
    assert mongod.check(path) == (7, 0, 1)
    with pytest.raises(ConfigError, match="database.mongod is '/no/such': no such program"):
        mongod.find("/no/such")
    monkeypatch.setenv("PATH", "/nowhere")
    packaged = mongod._packaged()
    if packaged is not None:
        assert mongod.find() == packaged
    monkeypatch.setattr(mongod, "_packaged", lambda: None)
    with pytest.raises(ConfigError, match="no mongod on PATH, and none packaged"):
        mongod.find()


def test_cache_is_a_quarter_of_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mongod.cache_mib(512) == 512
    assert mongod.cache_mib() == max(256, mongod.machine_memory() // 4 >> 20)
    monkeypatch.setattr(mongod, "machine_memory", lambda: 1 << 29)
    assert mongod.cache_mib() == 256


def test_a_database_is_dropped(request: pytest.FixtureRequest) -> None:
    uri: str = request.getfixturevalue("mongod")
    write(uri, 1)
    embedded.drop_database(uri, "test")
    assert "test" not in names(uri)
    embedded.drop_database(uri, "never_was")
