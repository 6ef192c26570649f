"""Make a database ready, or refuse it: server version, schema, network, indexes."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from indexer.chain.params import Network, flatten
from indexer.errors import ConfigError, StoreError, WrongDatabase
from indexer.store.base import Document
from indexer.store.grammar import Collection, Index
from indexer.store.mongo import MongoStore
from indexer.store.schema import (
    CHAIN_DERIVED,
    COLLECTIONS,
    NODES,
    SCHEMA_VERSION,
    UTXOS,
    late_indexes,
)

MINIMUM_SERVER = (6, 0)
BUILDER_NAME = "flux-index-builder"
END_SECONDS = 5.0

REWRITTEN = (NODES, UTXOS)  # at every checkpoint: these keep the server's own, faster compression

log = logging.getLogger(__name__)


def prepare(store: MongoStore, network: Network) -> None:
    """Create what is missing; refuse a server or a database that is not ours.

    Errors: ConfigError for an old server, WrongDatabase with the first difference and the remedy.
    """
    version = store.server_version()
    if tuple(map(int, version.split(".")[:2])) < MINIMUM_SERVER:
        raise ConfigError(f"MongoDB {version} is too old: version 6.0 or later is needed; upgrade the server")
    _check_schema(store.meta("schema"), network, store)
    _create_compressed(store)
    for collection in COLLECTIONS:
        for index in collection.indexes:
            if not index.late:
                create_index(store.database, collection, index)
    if store.meta("indexes") is None:
        store.put_meta("indexes", {"ready": [], "building": {}})


def _create_compressed(store: MongoStore) -> None:
    """Create the collections of rows that are written once, compressed with zstd (docs/decisions)."""
    for collection in CHAIN_DERIVED:
        if collection not in REWRITTEN:
            store.create(collection.name, "zstd")


def _check_schema(stored: Document | None, network: Network, store: MongoStore) -> None:
    ours = flatten(network)
    if stored is None:
        store.put_meta("schema", {"version": SCHEMA_VERSION, "network": network.name, "params": ours})
        return
    remedy = "use another database.name, or drop this database and index again"
    if stored["version"] != SCHEMA_VERSION:
        raise WrongDatabase(
            f"the database has schema {stored['version']}, this version writes schema {SCHEMA_VERSION}; {remedy}"
        )
    theirs = stored["params"]
    for key in sorted({*ours, *theirs}):
        if ours.get(key) != theirs.get(key):
            raise WrongDatabase(
                f"the database was made for network {stored['network']}: its {key} is {theirs.get(key)!r}, "
                f"that of network {network.name} is {ours.get(key)!r}; {remedy}"
            )


def create_index(database: Any, collection: Collection, index: Index) -> None:
    """Create one index, if it is not there; returns when it is built."""
    options = {name: True for name in ("unique", "sparse") if getattr(index, name)}
    database[collection.name].create_index(list(index.keys), name=index.name, **options)


class IndexBuilder:
    """Builds the late indexes one after the other while following goes on; repeated after an interruption."""

    def __init__(self, uri: str, name: str, store: MongoStore, stop: Event) -> None:
        self._uri, self._name = uri, name
        self._store = store
        self._stop = stop
        self._built = Event()
        self._thread: Thread | None = None

    def begin(self) -> None:
        """Start building, once."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="index builder", daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Wait until the build under way ends or the server refuses to go on with it."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(END_SECONDS)

    def _run(self) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(self._uri, appname=BUILDER_NAME)
        watcher = Thread(target=self._watch, args=(client,), name="index progress", daemon=True)
        watcher.start()
        try:
            self._build(client[self._name])
        except (PyMongoError, StoreError) as error:
            if not self._stop.is_set():
                log.warning("building indexes was interrupted and is repeated on the next start: %s", error)
        finally:
            self._built.set()
            watcher.join()
            client.close()

    def _build(self, database: Any) -> None:
        ready: list[str] = []
        for collection, index in late_indexes():
            if self._stop.is_set():
                return
            name = f"{collection.name}.{index.name}"
            self._store.put_meta("indexes", {"ready": ready, "building": {name: 0}})
            create_index(database, collection, index)
            ready.append(name)
        self._store.put_meta("indexes", {"ready": ready, "building": {}})

    def _watch(self, client: MongoClient[dict[str, Any]]) -> None:
        """Publish the percentage of the build under way, once a second."""
        while not self._built.wait(1.0):
            try:
                self._publish(client)
            except (PyMongoError, StoreError) as error:
                log.debug("no progress to tell: %s", error)

    def _publish(self, client: MongoClient[dict[str, Any]]) -> None:
        stages: list[dict[str, Any]] = [{"$currentOp": {}}, {"$match": {"progress.total": {"$gt": 0}}}]
        for operation in client.admin.aggregate(stages):
            command = operation.get("command", {})
            if "createIndexes" in command and command.get("$db", self._name) == self._name:
                name = f"{command['createIndexes']}.{command['indexes'][0]['name']}"
                percent = round(100 * operation["progress"]["done"] / operation["progress"]["total"])
                self._store.swap_meta("indexes", {f"building.{name}": {"$exists": True}}, {"building": {name: percent}})
