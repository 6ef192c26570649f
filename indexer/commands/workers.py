"""``serve --workers N``: processes that serve from one listening socket, and one that looks after them.

A worker that ends is replaced. SIGHUP replaces them all, one after the other, so that somebody always serves.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from subprocess import Popen
from threading import Event
from typing import Final

from indexer.children import start_child, stop_child
from indexer.commands.site import GOODBYE_SECONDS, address
from indexer.commands.supervise import stop_on_signals

LOOK_SECONDS: Final = 0.1
STOP_SECONDS: Final = GOODBYE_SECONDS + 5.0
PAUSES: Final = (0.0, 1.0, 5.0, 30.0)  # seconds before a worker that never served is started once more
FAILED: Final = 1

Start = Callable[[int, int], "Popen[bytes]"]

log = logging.getLogger(__name__)


class Worker:
    """The place of a worker: the process that has it, whether that serves, and how often in a row one never did."""

    def __init__(self, number: int, start: Start) -> None:
        self._number, self._start_process = number, start
        self._failures = 0
        self._again_at = 0.0
        self._leaves_by: float | None = None
        self._start()

    def _start(self) -> None:
        self.serves = False
        self._told, tells = os.pipe()
        os.set_blocking(self._told, False)
        try:
            self._process = self._start_process(self._number, tells)
        finally:
            os.close(tells)

    def look(self) -> int | None:
        """Note whether it serves, and replace a process that has ended; the exit code of one that never served."""
        if self._told >= 0 and not self.serves:
            self.serves = _told_anything(self._told)
        code = self._process.poll()
        if code is None:
            if self._leaves_by is not None and time.monotonic() > self._leaves_by:
                self._process.kill()
            return None
        if self._told >= 0:
            return self._has_ended(code)
        if time.monotonic() >= self._again_at:
            self._start()
        return None

    def _has_ended(self, code: int) -> int | None:
        served, asked = self.serves, self._leaves_by is not None
        self._failures = 0 if served or asked else self._failures + 1
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._again_at = time.monotonic() + pause
        self._forget()
        if not asked:
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            when = f"in {pause:.0f} s" if pause else "now"
            log.warning("worker %d ended %s: another one is started %s", self._number, how, when)
        return None if served or asked else code

    def _forget(self) -> None:
        os.close(self._told)
        self._told, self.serves, self._leaves_by = -1, False, None

    def leave(self) -> None:
        """Let the process answer what it was asked, and end: ``look`` replaces it."""
        if self._process.poll() is None:
            self._leaves_by, self.serves = time.monotonic() + STOP_SECONDS, False
            self._process.terminate()

    def stop(self) -> None:
        """Have the process ended, by force if it does not end by itself."""
        stop_child(self._process, STOP_SECONDS)
        if self._told >= 0:
            self._forget()


def serve(count: int, command: Sequence[str], uri: str, listener: socket.socket) -> int:
    """Serve with so many processes of ``command`` until SIGINT or SIGTERM; the exit code.

    They are told their number, the descriptors of the socket, of a pipe to say that they serve, and of memory that they
    share. When none of them ever serves, all is over.
    """
    stop, renew = stop_on_signals(), Event()
    signal.signal(signal.SIGHUP, lambda *_: renew.set())
    environ = os.environ | {"FLUX_DATABASE_URI": uri, "FLUX_EXPLORER_WORKERS": str(count)}
    shared = os.memfd_create("flux-explorer")

    def start(number: int, tells: int) -> Popen[bytes]:
        files = (listener.fileno(), tells, shared)
        told = [str(part) for part in (number, *files)]
        return start_child([*command, "--as-worker", *told], environ=environ, own_session=True, files=files)

    print(f"Flux Explorer: {address(listener)}", flush=True)
    workers: list[Worker] = []
    try:
        workers += [Worker(number, start) for number in range(count)]
        return _watch(workers, stop, renew)
    finally:
        for worker in workers:
            worker.leave()
        for worker in workers:
            worker.stop()
        os.close(shared)


def _watch(workers: list[Worker], stop: Event, renew: Event) -> int:
    have_served = False
    to_renew: list[Worker] = []
    while not stop.wait(LOOK_SECONDS):
        for worker in workers:
            code = worker.look()
            if code is not None and not have_served:
                print("flux-explorer: no worker could serve; the lines above say why", file=sys.stderr)
                return code if code > 0 else FAILED
        have_served = have_served or any(worker.serves for worker in workers)
        if renew.is_set():
            renew.clear()
            to_renew = list(workers)
            log.info("all %d workers are replaced, one after the other", len(workers))
        if to_renew and all(worker.serves for worker in workers):
            to_renew.pop().leave()
    return 0


def _told_anything(pipe: int) -> bool:
    try:
        return bool(os.read(pipe, 1))
    except BlockingIOError:
        return False
