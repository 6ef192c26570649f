"""One writer: who may move the tip.

The owner raises a beat while it lives; who wants to take over waits until the beat has stood still for the
whole lease by its own clock, so that clocks need not agree. Taking over gives the tip a new owner, and no
commit of the former one can succeed any more (``Store.move_tip``).
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import time
from threading import Event, Thread

from indexer.errors import Locked, StoreError, TipMoved
from indexer.store.base import Document
from indexer.store.mongo import MongoStore

SECONDS = 30.0
NAME = "writer"

log = logging.getLogger(__name__)


def new_owner() -> str:
    """A name for this process that no other one has."""
    return f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"


class Lease:
    """The right to write, held until ``release``. ``lost`` is set when it can no longer be relied on."""

    def __init__(self, store: MongoStore, owner: str, stop: Event, *, seconds: float = SECONDS) -> None:
        self.owner = owner
        self.lost = Event()
        self._store = store
        self._stop = stop
        self._seconds = seconds
        self._released = Event()
        self._beating = Thread(target=self._beat, name="lease", daemon=True)

    def acquire(self, *, exclusive: bool = False) -> None:
        """Wait until no other indexer writes. ``exclusive``: nobody else can (a lock on the data folder).

        Errors: Locked when asked to stop while waiting.
        """
        while True:
            seen = self._store.meta(NAME)
            if not (exclusive or _free(seen)) and not self._stood_still(seen):
                continue
            condition = {"beat": seen["beat"], "owner": seen["owner"]} if seen else {"beat": {"$exists": False}}
            beat = seen["beat"] + 1 if seen else 0
            if self._store.swap_meta(NAME, condition, {"owner": self.owner, "beat": beat}):
                self._beating.start()
                return

    def _stood_still(self, seen: Document | None) -> bool:
        assert seen is not None
        log.warning(
            "another indexer (%s) wrote to this database; waiting up to %.0f seconds to see whether it still lives",
            seen["owner"],
            self._seconds,
        )
        deadline = time.monotonic() + self._seconds
        while time.monotonic() < deadline:
            if self._stop.wait(min(1.0, self._seconds / 10)):
                raise Locked(f"stopped while waiting for the indexer {seen['owner']}")
            now = self._store.meta(NAME)
            if now != seen:
                if now is not None and not _free(now):
                    raise Locked(
                        f"another indexer ({now['owner']}) is writing to this database; stop it, or use another "
                        "database.name"
                    )
                return False
        return True

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._released.wait(self._seconds / 3):
            try:
                if not self._renew():
                    raise TipMoved("another indexer has taken over this database")
                last = time.monotonic()
            except StoreError as error:
                if isinstance(error, TipMoved) or time.monotonic() - last > self._seconds / 2:
                    log.error("the right to write is lost: %s", error)
                    self.lost.set()
                    return

    def _renew(self) -> bool:
        seen = self._store.meta(NAME)
        return seen is not None and self._store.swap_meta(
            NAME, {"owner": self.owner, "beat": seen["beat"]}, {"beat": seen["beat"] + 1}
        )

    def release(self) -> None:
        """Let the next indexer begin at once."""
        self._released.set()
        if self._beating.is_alive():
            self._beating.join()
        try:
            self._store.swap_meta(NAME, {"owner": self.owner}, {"owner": ""})
        except StoreError as error:
            log.warning("the right to write was not given back and runs out by itself: %s", error)


def _free(seen: Document | None) -> bool:
    """Whether nobody holds the lease: never taken, released, or its process on this machine is dead."""
    if seen is None or not seen["owner"]:
        return True
    host, pid, _ = seen["owner"].split("/")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return int(pid) == os.getpid()
