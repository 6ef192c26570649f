"""Make a database ready, or refuse it: server version, schema, network, indexes."""

from __future__ import annotations

import logging
from threading import Event, Thread
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from indexer.chain.params import Network, flatten
from indexer.errors import ConfigError, WrongDatabase
from indexer.store.base import Document
from indexer.store.mongo import MongoStore
from indexer.store.schema import COLLECTIONS, SCHEMA_VERSION, Collection, Index, late_indexes

MINIMUM_SERVER = (6, 0)
BUILDER_NAME = "flux-index-builder"

log = logging.getLogger(__name__)


def prepare(store: MongoStore, network: Network) -> None:
    """Create what is missing; refuse a server or a database that is not ours.

    Errors: ConfigError for an old server, WrongDatabase with the first difference and the remedy.
    """
    version = store.server_version()
    if tuple(map(int, version.split(".")[:2])) < MINIMUM_SERVER:
        raise ConfigError(f"MongoDB {version} is too old: version 6.0 or later is needed; upgrade the server")
    _check_schema(store.meta("schema"), network, store)
    for collection in COLLECTIONS:
        for index in collection.indexes:
            if not index.late:
                create_index(store.database, collection, index)
    if store.meta("indexes") is None:
        store.put_meta("indexes", {"ready": [], "building": {}})


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


class IndexBuilder(Thread):
    """Builds the late indexes one after the other while following goes on; repeated after an interruption."""

    def __init__(self, uri: str, name: str, store: MongoStore, stop: Event) -> None:
        super().__init__(name="index builder", daemon=True)
        self._client: MongoClient[dict[str, Any]] = MongoClient(uri, appname=BUILDER_NAME)
        self._database = self._client[name]
        self._store = store
        self._stopping = stop

    def run(self) -> None:
        """Build what is not there, telling ``meta`` how far it is."""
        ready: list[str] = []
        watcher = Thread(target=self._watch, daemon=True)
        watcher.start()
        try:
            for collection, index in late_indexes():
                if self._stopping.is_set():
                    return
                name = f"{collection.name}.{index.name}"
                self._store.put_meta("indexes", {"ready": ready, "building": {name: 0}})
                create_index(self._database, collection, index)
                ready.append(name)
            self._store.put_meta("indexes", {"ready": ready, "building": {}})
        except PyMongoError as error:
            if not self._stopping.is_set():
                log.warning("building indexes was interrupted and will be repeated on the next start: %s", error)
        finally:
            self._client.close()

    def _watch(self) -> None:
        """Publish the percentage of the build under way, once a second."""
        while self.is_alive() and not self._stopping.wait(1.0):
            try:
                self._publish()
            except PyMongoError:
                return

    def _publish(self) -> None:
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"idleConnections": False}},
            {"$match": {"progress.total": {"$gt": 0}}},
        ]
        for operation in self._client.admin.aggregate(stages):
            command = operation.get("command", {})
            if "createIndexes" not in command or command.get("$db", self._database.name) != self._database.name:
                continue
            progress = operation["progress"]
            name = f"{command['createIndexes']}.{command['indexes'][0]['name']}"
            percent = round(100 * progress["done"] / progress["total"])
            self._store.swap_meta(
                "indexes", {f"building.{name}": {"$exists": True}}, {"building": {name: min(percent, 99)}}
            )
