"""Which MongoDB a command works on: the configured one, else the embedded one, ours or the running one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from indexer.config import Config
from indexer.errors import Locked, Unavailable
from indexer.store import embedded

RETRY_SECONDS = 0.1


def start_embedded(config: Config) -> embedded.EmbeddedServer:
    """Start the embedded server of the data folder; Locked when another process runs it."""
    return embedded.start(config.data.path, cache_mib=config.database.cache_mib, program=config.database.mongod)


@contextmanager
def writable(config: Config) -> Iterator[str]:
    """The URI of a database that this process may write: the embedded one is started and stopped with us."""
    if config.database.uri:
        yield config.database.uri
        return
    with start_embedded(config) as server:
        yield server.uri


@contextmanager
def readable(config: Config) -> Iterator[str]:
    """The URI of a database to read: of the embedded one that is running, else one started for the while."""
    uri = config.database.uri or embedded.attach(config.data.path)
    if uri is not None:
        yield uri
        return
    if not (config.data.path / "db").is_dir():
        raise Unavailable(f"there is no database in {config.data.path} yet: flux-explorer run makes one")
    found = _running_or_started(config)
    if isinstance(found, str):
        yield found
        return
    with found:
        yield found.uri


def _running_or_started(config: Config) -> embedded.EmbeddedServer | str:
    """The embedded server, started, or the URI of the one that another process is starting just now."""
    deadline = time.monotonic() + embedded.START_SECONDS
    while True:
        try:
            return start_embedded(config)
        except Locked:
            if uri := embedded.attach(config.data.path):
                return uri
            if time.monotonic() > deadline:
                raise
            time.sleep(RETRY_SECONDS)


def with_uri(config: Config, uri: str) -> Config:
    """The same settings with the database at ``uri``."""
    return replace(config, database=replace(config.database, uri=uri))
