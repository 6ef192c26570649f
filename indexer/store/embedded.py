"""The embedded MongoDB: a real ``mongod`` of our own, on a Unix socket, stopped with us.

Its folder belongs to one process at a time: the lock on it is the embedded form of the one-writer rule. Whoever
only reads attaches to the server that the owner runs.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from indexer.children import start_child, stop_child
from indexer.errors import ConfigError, Locked, Unavailable
from indexer.store import mongod

START_SECONDS = 120.0  # recovery after a crash replays the journal first
STOP_SECONDS = 120.0  # the last checkpoint writes what the cache holds
LONGEST_SOCKET_PATH = 107
KEPT_LOGS = 3


class FolderLock:
    """An exclusive lock on a data folder, let go when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "lock"
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise Locked(
                f"the data folder {folder} belongs to a running flux-explorer (process {owner}): "
                "stop that one first, or set data.dir to another folder"
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let the folder go."""
        os.close(self._file)


class EmbeddedServer:
    """A running ``mongod`` that we own; as a context manager it is stopped at the end."""

    def __init__(self, folder: Path, child: subprocess.Popen[bytes], lock: FolderLock) -> None:
        self.folder = folder
        self.uri = socket_uri(socket_path(folder))
        self._child = child
        self._lock = lock

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def check(self) -> None:
        """Raise Unavailable, with the folder and the server's last words, when it has ended."""
        code = self._child.poll()
        if code is not None:
            raise Unavailable(_obituary(self.folder, code))

    def stop(self) -> None:
        """Stop the server cleanly, wait for it, let the folder go."""
        stop_child(self._child, STOP_SECONDS)
        shutil.rmtree(socket_path(self.folder).parent, ignore_errors=True)
        self._lock.release()

    def __enter__(self) -> EmbeddedServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(folder: Path, *, cache_mib: int = 0, program: str = "") -> EmbeddedServer:
    """Start the server of ``folder`` and wait until it answers; call it from the main thread.

    The server ends with the thread that started it. Raises Locked when another process owns the folder,
    ConfigError when there is no usable ``mongod``, Unavailable when it does not come up.
    """
    folder = folder.absolute()
    binary = mongod.find(program)
    mongod.check(binary)
    try:
        (folder / "db").mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FolderLock(folder)
    except OSError as error:
        raise ConfigError(f"data folder {folder} cannot be used: {error.strerror}; set data.dir to another") from error
    try:
        _end_orphan(folder)
        server = EmbeddedServer(folder, _launch(folder, binary, mongod.cache_mib(cache_mib)), lock)
    except BaseException:
        lock.release()
        raise
    try:
        _wait_until_up(server)
    except BaseException:
        server.stop()
        raise
    return server


def attach(folder: Path) -> str | None:
    """The URI of the server that another process runs on ``folder``, or None when none runs."""
    folder = folder.absolute()
    return socket_uri(socket_path(folder)) if running_pid(folder) and socket_path(folder).exists() else None


def drop_database(uri: str, name: str) -> None:
    """Remove the database ``name`` whole."""
    client: MongoClient[dict[str, Any]] = MongoClient(uri)
    with client:
        client.drop_database(name)


def socket_path(folder: Path) -> Path:
    """Where the server of ``folder`` listens: under a short name, for the kernel takes no long ones."""
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        path = Path(runtime) / "flux-explorer" / name / "mongod.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
    return Path("/tmp") / f"flux-explorer-{os.getuid()}" / name / "mongod.sock"


def socket_uri(path: Path) -> str:
    """The URI of a server on a Unix socket."""
    return f"mongodb://{quote(str(path), safe='')}/?directConnection=true"


def _private_folder(path: Path) -> None:
    """Make ``path`` for us alone; somebody else's folder of that name is refused."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{path} must belong to this user and be closed to others: remove it, or chmod 700 it")


def _launch(folder: Path, binary: Path, cache_mib: int) -> subprocess.Popen[bytes]:
    socket = socket_path(folder)
    _private_folder(socket.parent.parent)
    shutil.rmtree(socket.parent, ignore_errors=True)
    _private_folder(socket.parent)
    _rotate(folder / "mongod.log")
    command = [
        str(binary),
        "--dbpath", str(folder / "db"),
        "--bind_ip", str(socket),
        "--port", "0",
        # A second socket of a fixed name is always made; in /tmp two servers would fight over it.
        "--unixSocketPrefix", str(socket.parent),
        # A socket needs no compression, and zlib's has CVE-2025-14847 in 6.0.5.
        "--networkMessageCompressors", "disabled",
        "--wiredTigerCacheSizeGB", f"{cache_mib / 1024:.3f}",
        "--setParameter", "diagnosticDataCollectionEnabled=false",
        "--logpath", str(folder / "mongod.log"),
    ]  # fmt: skip
    # No proxies or allocator tuning of ours: it inherits nothing but where to find things.
    environ = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if key in os.environ}
    with open(folder / "mongod.out", "wb") as output:
        # Ctrl-C on the terminal is for us: the server stops after the last commit.
        return start_child(command, environ=environ, output=output, own_session=True)


def _rotate(log: Path) -> None:
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))


def _wait_until_up(server: EmbeddedServer) -> None:
    deadline = time.monotonic() + START_SECONDS
    client: MongoClient[dict[str, Any]] = MongoClient(server.uri, serverSelectionTimeoutMS=200)
    with client:
        while True:
            server.check()
            try:
                client.admin.command("ping")
                return
            except PyMongoError as error:
                if time.monotonic() > deadline:
                    raise Unavailable(
                        f"mongod in {server.folder} does not answer after {START_SECONDS:.0f} s: "
                        f"see {server.folder / 'mongod.log'}"
                    ) from error
                time.sleep(0.02)


def running_pid(folder: Path) -> int | None:
    """The process that runs, or is starting, on the folder's files: by its command line."""
    wanted = b"\0--dbpath\0" + os.fsencode(folder / "db") + b"\0"
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            # A process may end while we look; a zombie's command line is empty.
            with suppress(OSError):
                if wanted in (entry / "cmdline").read_bytes():
                    return int(entry.name)
    return None


def _end_orphan(folder: Path) -> None:
    """End a server whose owner was killed; we hold the lock, so that nobody owns it."""
    pid = running_pid(folder)
    if pid is None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + STOP_SECONDS
        os.kill(pid, number)
        while time.monotonic() < deadline:
            if running_pid(folder) != pid:
                return
            time.sleep(0.05)
    raise Unavailable(f"mongod (process {pid}) on {folder} cannot be ended: end it, then start again")


def _obituary(folder: Path, code: int) -> str:
    words = last_words(folder)
    if any(os.strerror(errno.ENOSPC) in line for line in words):
        return f"no space left on the disk of {folder}: make room there and start again; nothing committed is lost"
    ended = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
    said = " | ".join(words) or "it said nothing"
    return f"mongod in {folder} {ended}: {said}; see {folder / 'mongod.log'}, then start again"


def last_words(folder: Path, count: int = 3) -> list[str]:
    """The last messages of the folder's server, errors first choice, as plain text."""
    lines = _tail(folder / "mongod.log") or _tail(folder / "mongod.out")
    entries = [_message(line) for line in lines]
    grave = [text for severity, text in entries if severity in ("E", "F")]
    return (grave or [text for _, text in entries])[-count:]


def _tail(path: Path, size: int = 65536) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - size))
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _message(line: str) -> tuple[str, str]:
    """Severity and text of a line of the server's JSON log; a line of another kind is its own text."""
    try:
        entry = json.loads(line)
        attributes = entry.get("attr") or {}
        detail = next((d for d in map(attributes.get, ("message", "error")) if isinstance(d, str)), "")
    except (ValueError, AttributeError):
        return "", line
    return str(entry.get("s", "")), f"{entry.get('msg', '')} {detail}".strip()
