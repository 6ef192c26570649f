"""Making a database ready: indexes, late indexes with their progress, and what is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from threading import Event

import pytest

from indexer.errors import ConfigError, WrongDatabase
from indexer.store.mongo import MongoStore
from indexer.store.schema import COLLECTIONS, late_indexes
from indexer.store.setup import IndexBuilder, prepare
from tests.indexed import network


@pytest.fixture
def store(mongod: str, database_name: str) -> Iterator[MongoStore]:
    """A database made ready."""
    with closing(MongoStore(mongod, database_name)) as store:
        prepare(store, network())
        yield store


def test_every_index_but_the_late_ones_is_there_from_the_start(store: MongoStore) -> None:
    for collection in COLLECTIONS:
        made = set(store.database[collection.name].index_information()) - {"_id_"}
        assert made == {index.name for index in collection.indexes if not index.late}, collection.name


def test_rows_that_are_written_once_are_compressed_with_zstd(store: MongoStore) -> None:
    def compressor(name: str) -> str:
        settings = store.database.command("collStats", name)["wiredTiger"]["creationString"]
        return str(settings.partition("block_compressor=")[2].partition(",")[0])

    assert {name: compressor(name) for name in ("transactions", "ledger", "node_confirms", "utxos", "nodes")} == {
        "transactions": "zstd", "ledger": "zstd", "node_confirms": "zstd", "utxos": "snappy", "nodes": "snappy",
    }  # fmt: skip


def test_a_server_that_cannot_compress_is_refused(store: MongoStore) -> None:
    with pytest.raises(ConfigError, match="cannot compress another with nonsense"):
        store.create("another", "nonsense")


def test_late_indexes_are_built_once_and_told(store: MongoStore, mongod: str, database_name: str) -> None:
    assert store.meta("indexes") == {"_id": "indexes", "ready": [], "building": {}}
    builder = IndexBuilder(mongod, database_name, store, Event())
    builder.begin()
    builder.begin()
    names = [f"{collection.name}.{index.name}" for collection, index in late_indexes()]
    deadline = time.monotonic() + 20
    while store.meta("indexes") != {"_id": "indexes", "ready": names, "building": {}}:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for collection, index in late_indexes():
        assert index.name in store.database[collection.name].index_information()
    builder.end()


def test_an_interrupted_build_is_repeated(store: MongoStore, mongod: str, database_name: str) -> None:
    stop = Event()
    stop.set()
    interrupted = IndexBuilder(mongod, database_name, store, stop)
    interrupted.begin()
    interrupted.end()
    assert store.meta("indexes")["ready"] == []  # type: ignore[index]
    prepare(store, network())
    again = IndexBuilder(mongod, database_name, store, Event())
    again.begin()
    deadline = time.monotonic() + 20
    while len(store.meta("indexes")["ready"]) < len(late_indexes()):  # type: ignore[index]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    again.end()


def test_a_server_that_is_too_old_is_refused(store: MongoStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MongoStore, "server_version", lambda self: "5.0.14")
    with pytest.raises(ConfigError, match=r"MongoDB 5\.0\.14 is too old: version 6\.0 or later"):
        prepare(store, network())


def test_another_schema_is_refused(store: MongoStore) -> None:
    store.put_meta("schema", {"version": 99})
    with pytest.raises(WrongDatabase, match=r"has schema 99, this version writes schema \d+; use another"):
        prepare(store, network())


def test_the_first_parameter_that_differs_is_named(store: MongoStore) -> None:
    other = replace(network(), upgrades=replace(network().upgrades, flux=601))
    with pytest.raises(WrongDatabase, match=r"its upgrades\.flux is 600, that of network regtest is 601"):
        prepare(store, other)
