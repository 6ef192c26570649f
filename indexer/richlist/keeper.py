"""The thread that makes rich lists: when, and what becomes of trouble."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread

from indexer.config import Config
from indexer.errors import FluxError
from indexer.richlist.made import last_made, make
from indexer.store.commit import TIP
from indexer.store.mongo import MongoStore
from indexer.store.read import StoreReader
from indexer.store.schedule import Pinned, Schedule

LOOK_SECONDS, LONGEST_PAUSE = 1.0, 60.0
END_SECONDS = 5.0
MISSED, HELD_TRIES = 2, 3  # attempts between commits before the commits are held, and attempts then
PATIENCE_SECONDS = 0.2

log = logging.getLogger(__name__)


class RichListKeeper:
    """Looks every second whether a list is due, until closed.

    It changes nothing but its lists. Trouble with the database is the session's to decide about; here it only makes
    the pauses longer. Where the server is so slow that blocks keep coming while it adds up, the session waits for it.
    """

    def __init__(self, store: MongoStore, every: int, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._store, self._every, self._look_seconds = store, every, look_seconds
        self._schedule: Schedule | None = None
        self._missed = 0
        self._open = Event()
        self._open.set()
        self._ended = Event()
        self._thread = Thread(target=self._run, name="richlist", daemon=True)
        self._thread.start()

    def wait(self, stop: Event) -> None:
        """Wait, before a block is taken, until commits are not held any more, or until ``stop``."""
        while not self._open.wait(PATIENCE_SECONDS) and not stop.is_set():
            pass

    def close(self) -> None:
        """End the thread; waits a while for a list under way, which the process may end without."""
        self._ended.set()
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        pause = self._look_seconds
        while not self._ended.wait(pause):
            pause = self._look_seconds if self._attempt() else min(2 * pause, LONGEST_PAUSE)

    def _attempt(self) -> bool:
        """Make a list if one is due; whether there was no trouble."""
        try:
            return self._look()
        except FluxError as error:
            log.debug("no rich list: %s", error)
            return False

    def _look(self) -> bool:
        hash_at = StoreReader(self._store).hash_at
        if self._schedule is None:
            self._schedule = Schedule(self._every, last_made(self._store, hash_at))
        tip = self._store.meta(TIP)
        if tip is None or not self._following() or not self._schedule.due(tip, hash_at):
            return True
        begun = time.monotonic()
        made = make(self._store) if self._missed < MISSED else self._make_held()
        self._missed = 0 if made else self._missed + 1
        if made is None:
            return False
        self._schedule.last = made
        log.debug("the rich list of block %d took %.1f seconds", made.height, time.monotonic() - begun)
        return True

    def _make_held(self) -> Pinned | None:
        """A list made while no new commit begins; the one under way when this is called costs an attempt."""
        self._open.clear()
        try:
            return next((made for _ in range(HELD_TRIES) if (made := make(self._store)) is not None), None)
        finally:
            self._open.set()

    def _following(self) -> bool:
        """Whether the index keeps up: while it catches up, no list would ever be finished."""
        source = self._store.meta("source") or {}
        return bool(source.get("rates", {}).get("state") == "following")


def open_richlist(config: Config, store: MongoStore) -> RichListKeeper | None:
    """A keeper at work; None when the settings want no lists."""
    every = config.indexer.richlist_blocks
    return RichListKeeper(store, every) if every else None
