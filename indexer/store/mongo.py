"""The store on a real MongoDB (6.0 or later), by PyMongo.

On a standalone server every write is acknowledged before the next one begins and the tip is written with
``j: true``: WiredTiger's log is sequential, so a durable tip implies everything before it. On a replica set
every write waits for a durable majority and our own reads are linearizable where they decide something.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bson import Binary
from pymongo import ASCENDING, DESCENDING, DeleteMany, MongoClient, ReplaceOne, UpdateMany
from pymongo.errors import BulkWriteError, ConfigurationError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from indexer.errors import ConfigError, DuplicateKey, StoreError, TipMoved, Unavailable
from indexer.store.base import Document, Id

APP_NAME = "flux-indexer"
DUPLICATE_KEY = 11000
NAMESPACE_EXISTS = 48
NO_SPACE = 14031  # OutOfDiskSpace
LOOKUP_CHUNK = 1000
FIND_CHUNK = 20_000
BULK_CHUNK = 20_000
DELETE_CHUNK = 5_000
SETTLE_SECONDS = 60.0


class MongoStore:
    """The collections of ``schema`` in one database."""

    def __init__(self, uri: str, name: str, *, timeout: float = 2.0) -> None:
        try:
            self._client: MongoClient[dict[str, Any]] = MongoClient(
                uri,
                appname=APP_NAME,
                serverSelectionTimeoutMS=int(timeout * 1000),
                retryWrites=False,
            )
        except (ConfigurationError, ValueError) as error:
            raise ConfigError(f"database.uri cannot be used: {error}; mend it in the configuration") from error
        try:
            with _translated():
                self._replicated = "setName" in self._client.admin.command("hello")
        except StoreError:
            self._client.close()
            raise
        majority = {"w": "majority", "j": True} if self._replicated else {"w": 1}
        self._db = self._client.get_database(
            name,
            write_concern=WriteConcern(**majority),
            read_concern=ReadConcern("majority") if self._replicated else None,
        )
        self._durable = self._db.get_collection(
            "meta",
            write_concern=WriteConcern(w="majority" if self._replicated else 1, j=True),
            read_concern=ReadConcern("linearizable") if self._replicated else None,
        )

    @property
    def database(self) -> Any:
        """The PyMongo database, for the schema's set-up and index builds."""
        return self._db

    def server_version(self) -> str:
        """The server's version, such as ``6.0.5``."""
        with _translated():
            return str(self._client.server_info()["version"])

    def create(self, collection: str, compressor: str) -> None:
        """Create a collection whose blocks are compressed with ``compressor``, unless it exists.

        Errors: ConfigError on a server that cannot.
        """
        engine = {"wiredTiger": {"configString": f"block_compressor={compressor}"}}
        with _translated():
            try:
                self._db.command("create", collection, storageEngine=engine)
            except OperationFailure as error:
                if error.code != NAMESPACE_EXISTS:
                    raise ConfigError(
                        f"the server cannot compress {collection} with {compressor} ({error.details}): use a MongoDB "
                        "with the storage engine WiredTiger"
                    ) from error

    def insert(self, collection: str, documents: Sequence[Document]) -> None:
        """Add rows, in any order."""
        for chunk in _chunks(documents, BULK_CHUNK):
            with _translated():
                self._db[collection].insert_many(chunk, ordered=False)

    def replace(self, collection: str, documents: Sequence[Document]) -> None:
        """Make these rows be exactly this."""
        for chunk in _chunks(documents, BULK_CHUNK):
            self._bulk(collection, [ReplaceOne({"_id": d["_id"]}, dict(d), upsert=True) for d in chunk])

    def update(self, collection: str, changes: Sequence[tuple[Sequence[Id], Document]]) -> None:
        """Set fields of existing rows."""
        for chunk in _chunks(changes, BULK_CHUNK):
            self._bulk(collection, [UpdateMany({"_id": {"$in": list(ids)}}, {"$set": d}) for ids, d in chunk])

    def delete(self, collection: str, ids: Sequence[Id]) -> None:
        """Remove these rows."""
        # One statement for many: a statement for each costs the server half as much again.
        for chunk in _chunks(ids, DELETE_CHUNK):
            self._bulk(collection, [DeleteMany({"_id": {"$in": list(chunk)}})])

    def delete_from(self, collection: str, low: int) -> None:
        """Remove all rows with an ``_id`` of at least ``low``."""
        self._bulk(collection, [DeleteMany({"_id": {"$gte": low}})])

    def delete_below(self, collection: str, high: int) -> None:
        """Remove all rows with an ``_id`` below ``high``."""
        self._bulk(collection, [DeleteMany({"_id": {"$lt": high}})])

    def find(self, collection: str, field: str, values: Sequence[Any]) -> Iterator[Document]:
        """The rows whose field is one of the values."""
        for chunk in _chunks(values, FIND_CHUNK):
            with _translated():
                yield from self._db[collection].find({field: {"$in": list(chunk)}})

    def scan(
        self, collection: str, low: Any = None, high: Any = None, *, descending: bool = False
    ) -> Iterator[Document]:
        """The rows in a range of ``_id``, in its order."""
        order = DESCENDING if descending else ASCENDING
        with _translated():
            yield from self._db[collection].find(_between(low, high)).sort("_id", order)

    def ids(self, collection: str, low: int | None = None, high: int | None = None) -> Iterator[int]:
        """The integer ``_id`` of the rows in a range of it."""
        with _translated():
            for row in self._db[collection].find(_between(low, high), {"_id": 1}).sort("_id", ASCENDING):
                yield row["_id"]

    def along(self, collection: str, fields: Sequence[str]) -> Iterator[Document]:
        """All rows in the order of a secondary index."""
        keys = [(field, ASCENDING) for field in fields]
        with _translated():
            # A sparse index serves only when hinted: the server does not know that every row is in it.
            yield from self._db[collection].find().sort(keys).hint(keys)

    def floors(self, collection: str, bounds: Iterable[tuple[bytes, bytes]]) -> Iterator[Document]:
        """The greatest row between each pair of keys: one ``$lookup`` a thousand of them."""
        for chunk in _chunks(list(bounds), LOOKUP_CHUNK):
            pairs = [{"low": Binary(low), "high": Binary(high)} for low, high in chunk]
            between = {"$and": [{"$gte": ["$_id", "$$low"]}, {"$lte": ["$_id", "$$high"]}]}
            floor = [{"$match": {"$expr": between}}, {"$sort": {"_id": -1}}, {"$limit": 1}]
            lookup = {"from": collection, "let": {"low": "$low", "high": "$high"}, "pipeline": floor, "as": "row"}
            with _translated():
                for found in self._db.aggregate([{"$documents": pairs}, {"$lookup": lookup}]):
                    yield from found["row"]

    def aggregate(self, collection: str, stages: Sequence[Document]) -> Iterator[Document]:
        """What a pipeline makes of a collection; the server may use its disk for it."""
        with _translated():
            yield from self._db[collection].aggregate(list(stages), allowDiskUse=True)

    def meta(self, name: str) -> Document | None:
        """A document of ``meta``."""
        with _translated():
            return self._durable.find_one({"_id": name})

    def put_meta(self, name: str, fields: Document) -> None:
        """Set fields of a document of ``meta``."""
        values = {key: value for key, value in fields.items() if key != "_id"}
        with _translated():
            self._durable.update_one({"_id": name}, {"$set": values}, upsert=True)

    def swap_meta(self, name: str, condition: Document, fields: Document) -> bool:
        """Set fields of a document of ``meta`` that meets a condition; whether it did. Creates a missing one."""
        try:
            with _translated():
                result = self._durable.update_one({"_id": name, **condition}, {"$set": dict(fields)}, upsert=True)
        except DuplicateKey:
            return False
        return result.matched_count == 1 or result.upserted_id is not None

    def move_tip(self, old: Document, new: Document) -> None:
        """Replace ``meta.tip``, durably, if nobody else has."""
        expected = {key: old[key] for key in ("_id", "owner", "height", "hash")}
        with _translated():
            result = self._durable.replace_one(expected, dict(new))
        if not result.matched_count:
            raise TipMoved(
                f"the tip is no longer at block {old['height']} of this indexer: another indexer writes to this "
                "database; stop one of the two"
            )

    def settle(self) -> None:
        """End our operations on the server and wait until none of them runs."""
        deadline = time.monotonic() + SETTLE_SECONDS
        with _translated():
            while operations := self._running():
                for operation in operations:
                    self._client.admin.command("killOp", op=operation["opid"])
                if time.monotonic() > deadline:
                    raise Unavailable("an earlier write of this indexer does not end; restart the database")
                time.sleep(0.1)

    def _running(self) -> list[dict[str, Any]]:
        ours = {"appName": APP_NAME, "op": {"$in": ["insert", "update", "remove", "command"]}, "ns": self._namespace()}
        stages: list[dict[str, Any]] = [{"$currentOp": {"allUsers": False}}, {"$match": {**ours, "active": True}}]
        found = self._client.admin.aggregate(stages)
        return [o for o in found if "currentOp" not in str(o.get("command", {}).get("pipeline", ""))]

    def _namespace(self) -> dict[str, str]:
        return {"$regex": f"^{re.escape(self._db.name)}[.]"}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _bulk(self, collection: str, operations: list[Any]) -> None:
        if operations:
            with _translated():
                self._db[collection].bulk_write(operations, ordered=False)


def _between(low: Any, high: Any) -> dict[str, Any]:
    bounds = {operator: bound for operator, bound in (("$gte", low), ("$lt", high)) if bound is not None}
    return {"_id": bounds} if bounds else {}


def _chunks(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[i : i + size] for i in range(0, len(items), size))


@contextmanager
def _translated() -> Iterator[None]:
    """PyMongo's errors in our words."""
    try:
        yield
    except DuplicateKeyError as error:
        raise DuplicateKey(f"a row exists already: {error.details}") from error
    except BulkWriteError as error:
        raise _bulk_error(error) from error
    except PyMongoError as error:
        raise Unavailable(f"the database does not answer: {error}; start it or mend database.uri") from error


def _bulk_error(error: BulkWriteError) -> StoreError:
    failures = error.details.get("writeErrors", [])
    if failures and failures[0]["code"] == DUPLICATE_KEY:
        return DuplicateKey(f"a row exists already: {failures[0]['errmsg']}")
    if failures and failures[0]["code"] == NO_SPACE:
        return Unavailable(f"the database's disk is full: {failures[0]['errmsg']}; make room and start again")
    return Unavailable(f"the database refused a write: {failures[:1] or error.details}")
