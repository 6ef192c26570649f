"""The verbs on a real MongoDB behave as those of the store in memory, and errors come in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from pymongo.errors import BulkWriteError

from indexer.errors import ConfigError, DuplicateKey, TipMoved, Unavailable
from indexer.store.base import Store
from indexer.store.commit import first_tip
from indexer.store.mongo import MongoStore, _translated
from tests.memory_store import MemoryStore

A, B = b"\x01" + bytes(20), b"\x02" + bytes(20)


def key(address: bytes, height: int) -> bytes:
    """A ledger key."""
    return address + height.to_bytes(4, "big")


@pytest.fixture(params=["memory", "mongo"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each kind of store, empty."""
    if request.param == "memory":
        yield MemoryStore()
        return
    uri, name = request.getfixturevalue("mongod"), request.getfixturevalue("database_name")
    with closing(MongoStore(uri, name)) as store:
        yield store


def ids(documents: Iterator[Any]) -> list[Any]:
    """Their ``_id``."""
    return [document["_id"] for document in documents]


def test_inserted_rows_are_found_again(store: Store) -> None:
    store.insert("utxos", [{"_id": b"b", "v": 1, "a": A}, {"_id": b"a", "v": 2, "a": B}])
    assert ids(store.scan("utxos")) == [b"a", b"b"]
    assert ids(store.scan("utxos", descending=True)) == [b"b", b"a"]
    assert sorted(ids(store.find("utxos", "_id", [b"a", b"b", b"c"]))) == [b"a", b"b"]
    assert ids(store.find("utxos", "a", [B])) == [b"a"]


def test_an_immutable_row_is_not_overwritten(store: Store) -> None:
    store.insert("blocks", [{"_id": 1, "hash": b"x"}])
    with pytest.raises(DuplicateKey):
        store.insert("blocks", [{"_id": 1, "hash": b"y"}])
    assert list(store.scan("blocks")) == [{"_id": 1, "hash": b"x"}]


def test_replaced_rows_are_exactly_what_was_given(store: Store) -> None:
    store.replace("nodes", [{"_id": 1, "status": 1, "ip": "x"}])
    store.replace("nodes", [{"_id": 1, "status": 2}])
    assert list(store.scan("nodes")) == [{"_id": 1, "status": 2}]


def test_rows_go_by_id_and_by_range(store: Store) -> None:
    store.insert("blocks", [{"_id": height} for height in range(10)])
    store.delete("blocks", [3, 99])
    store.delete_from("blocks", 8)
    store.delete_below("blocks", 2)
    assert ids(store.scan("blocks")) == [2, 4, 5, 6, 7]
    assert ids(store.scan("blocks", 4, 6)) == [4, 5]


def test_the_floor_of_each_pair_of_keys(store: Store) -> None:
    store.insert("ledger", [{"_id": key(A, height)} for height in (1, 5, 9)])
    store.insert("ledger", [{"_id": key(B, 4)}])
    pairs = [(key(A, 0), key(A, 6)), (key(B, 0), key(B, 3)), (key(B, 0), key(B, 9))]
    assert sorted(ids(store.floors("ledger", pairs))) == [key(A, 5), key(B, 4)]


def test_nothing_to_write_is_no_call(store: Store) -> None:
    for write in (store.insert, store.replace, store.delete):
        write("blocks", [])
    assert list(store.scan("blocks")) == []


def test_the_tip_moves_from_where_it_is_only(store: Store) -> None:
    tip = first_tip("me")
    store.put_meta("tip", tip)
    store.move_tip(tip, {**tip, "height": 5})
    with pytest.raises(TipMoved):
        store.move_tip(tip, {**tip, "height": 6})
    with pytest.raises(TipMoved):
        store.move_tip({**tip, "height": 5, "owner": "you"}, tip)
    assert store.meta("tip")["height"] == 5  # type: ignore[index]
    assert store.meta("nothing") is None


FAILURES: dict[str, tuple[Callable[[], Exception], str]] = {
    "disk": (lambda: _bulk(14031, "No space left on device"), "the database's disk is full: No space left on device"),
    "other": (lambda: _bulk(121, "Document failed validation"), "the database refused a write"),
    "concern": (lambda: BulkWriteError({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}), "refused a write"),
}


def _bulk(code: int, message: str) -> BulkWriteError:
    return BulkWriteError({"writeErrors": [{"index": 0, "code": code, "errmsg": message}]})


@pytest.mark.parametrize("name", FAILURES)
def test_refused_writes_are_told(name: str) -> None:
    make, words = FAILURES[name]
    with pytest.raises(Unavailable, match=words), _translated():
        raise make()


@pytest.mark.parametrize("uri", ["mongodb://[::1", "mongodb://user:a:b@host"])
def test_a_uri_that_cannot_be_used_is_told(uri: str) -> None:
    with pytest.raises(ConfigError, match=r"database\.uri cannot be used"):
        MongoStore(uri, "x")


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(Unavailable, match=r"start it or mend database\.uri"):
        MongoStore("mongodb://127.0.0.1:9/?directConnection=true", "x", timeout=0.2)
