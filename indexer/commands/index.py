"""The commands that write: ``index`` and ``rewind``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event, Thread

from indexer.commands.daemon import require_daemon
from indexer.commands.database import start_embedded, writable
from indexer.commands.supervise import stop_on_signals
from indexer.config import Config
from indexer.errors import Unavailable
from indexer.progress import Progress
from indexer.store.embedded import EmbeddedServer
from indexer.store.lease import Lease, new_owner
from indexer.store.mongo import MongoStore
from indexer.store.rewind import recover, rewind
from indexer.store.setup import prepare
from indexer.sync import run_indexer

LOOK_SECONDS = 0.5


@contextmanager
def watched(server: EmbeddedServer, stop: Event) -> Iterator[None]:
    """Set ``stop`` when the embedded server dies, and raise what it died of at the end."""
    ended = Event()
    died: list[Unavailable] = []

    def look() -> None:
        while not ended.wait(LOOK_SECONDS):
            try:
                server.check()
            except Unavailable as error:
                died.append(error)
                stop.set()
                return

    thread = Thread(target=look, name="mongod watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    if died:
        raise died[0]


def run(config: Config) -> int:
    """Follow the daemon until told to stop."""
    require_daemon(config)
    stop = stop_on_signals()
    progress = Progress(sys.stdout)
    try:
        if config.database.uri:
            run_indexer(config, config.database.uri, stop, progress)
            return 0
        with start_embedded(config) as server, watched(server, stop):
            run_indexer(config, server.uri, stop, progress, exclusive=True)
        return 0
    finally:
        progress.end()


def rewind_to(config: Config, height: int) -> int:
    """Go back to ``height`` as the only writer; the next start indexes on from there."""
    stop = stop_on_signals()
    with writable(config) as uri, closing(MongoStore(uri, config.database_name)) as store:
        prepare(store, config.network)
        lease = Lease(store, new_owner(), stop)
        lease.acquire(exclusive=not config.database.uri)
        try:
            tip = recover(store, lease.owner)
            if height >= tip["height"]:
                print(f"nothing to do: the index ends at block {tip['height']:,}")
                return 0
            rewind(store, tip, height, "operator")
        finally:
            lease.release()
    print(f"went back from block {tip['height']:,} to block {height:,}")
    return 0
