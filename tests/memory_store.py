"""A store in memory that fails on command: how crash safety is proved for every operation in turn.

It keeps documents as the real store would give them back, refuses what the real one refuses, and dies at the
k-th write: an unordered bulk applies a random part of its documents first.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from indexer.errors import DuplicateKey, TipMoved, Unavailable
from indexer.store.base import Document, Id
from indexer.store.schema import CHAIN_DERIVED, COLLECTIONS


class Killed(Unavailable):
    """The injected failure."""


class MemoryStore:
    """Implements ``indexer.store.base.Store``. ``fail_at`` counts writes down; at zero the store dies."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[Any, dict[str, Any]]] = {c.name: {} for c in COLLECTIONS}
        self.writes = 0
        self.fail_at: int | None = None
        self.random = random.Random(0)
        self.of_address: dict[bytes, frozenset[bytes]] = {}  # ids in ledger, for floors

    def snapshot(self) -> MemoryStore:
        """An independent copy that does not fail."""
        twin = MemoryStore()
        twin.adopt(self)
        return twin

    def adopt(self, other: MemoryStore) -> None:
        """Hold what another store holds."""
        self.rows = {name: dict(rows) for name, rows in other.rows.items()}
        self.of_address = dict(other.of_address)

    def chain_derived(self) -> dict[str, dict[Any, dict[str, Any]]]:
        """The collections that must be a function of the chain."""
        return {c.name: self.rows[c.name] for c in CHAIN_DERIVED}

    def _survivors(self, items: Sequence[Any]) -> tuple[Sequence[Any], bool]:
        """What of a bulk is applied, and whether the store dies then."""
        self.writes += 1
        if self.fail_at is None or self.writes < self.fail_at:
            return items, False
        if self.writes > self.fail_at:
            raise Killed("the store is dead")
        return [item for item in items if self.random.random() < 0.5], True

    def _bulk(self, collection: str, items: Sequence[Any], apply: Any) -> None:
        if not items:
            return
        survivors, dies = self._survivors(items)
        for item in survivors:
            apply(self.rows[collection], item)
            if collection == "ledger":
                self.list_of_address(item if isinstance(item, bytes) else item["_id"])
        if dies:
            raise Killed(f"killed at write {self.writes}")

    def list_of_address(self, id: bytes) -> None:
        """Note a ledger row, or that it is gone."""
        others = self.of_address.get(id[:21], frozenset()) - {id}
        self.of_address[id[:21]] = others | {id} if id in self.rows["ledger"] else others

    def insert(self, collection: str, documents: Sequence[Document]) -> None:
        def apply(rows: dict[Any, Any], document: Document) -> None:
            if document["_id"] in rows:
                raise DuplicateKey(f"{collection} has {document['_id']!r} already")
            rows[document["_id"]] = copy.copy(document)

        self._bulk(collection, documents, apply)

    def replace(self, collection: str, documents: Sequence[Document]) -> None:
        self._bulk(collection, documents, lambda rows, d: rows.__setitem__(d["_id"], copy.copy(d)))

    def update(self, collection: str, changes: Sequence[tuple[Sequence[Id], Document]]) -> None:
        def apply(rows: dict[Any, Any], change: tuple[Id, Document]) -> None:
            id, fields = change
            if id in rows:
                rows[id] = {**rows[id], **fields}

        self._bulk(collection, [(id, fields) for ids, fields in changes for id in ids], apply)

    def delete(self, collection: str, ids: Sequence[Id]) -> None:
        self._bulk(collection, ids, lambda rows, id: rows.pop(id, None))

    def delete_from(self, collection: str, low: int) -> None:
        self.delete(collection, [id for id in self.rows[collection] if id >= low])

    def delete_below(self, collection: str, high: int) -> None:
        self.delete(collection, [id for id in self.rows[collection] if id < high])

    def find(self, collection: str, field: str, values: Sequence[Any]) -> Iterator[Document]:
        rows = self.rows[collection]
        if field == "_id":
            return iter([rows[value] for value in values if value in rows])
        wanted = set(values)
        return iter([row for row in rows.values() if row.get(field) in wanted])

    def scan(
        self, collection: str, low: Any = None, high: Any = None, *, descending: bool = False
    ) -> Iterator[Document]:
        rows = self.rows[collection]
        if isinstance(low, int) and isinstance(high, int) and high - low < len(rows):
            ids = [id for id in range(low, high) if id in rows]
        else:
            ids = sorted(id for id in rows if (low is None or id >= low) and (high is None or id < high))
        return iter([rows[id] for id in (reversed(ids) if descending else ids)])

    def ids(self, collection: str, low: int | None = None, high: int | None = None) -> Iterator[int]:
        return (row["_id"] for row in self.scan(collection, low, high))

    def along(self, collection: str, fields: Sequence[str]) -> Iterator[Document]:
        def key(row: Document) -> list[tuple[bool, Any]]:
            return [(field in row, row.get(field)) for field in fields]

        return iter(sorted(self.rows[collection].values(), key=key))

    def floors(self, collection: str, bounds: Iterable[tuple[bytes, bytes]]) -> Iterator[Document]:
        for low, high in bounds:
            found = [id for id in self.of_address.get(low[:21], ()) if low <= id <= high]
            if found:
                yield self.rows[collection][max(found)]

    def meta(self, name: str) -> Document | None:
        return self.rows["meta"].get(name)

    def put_meta(self, name: str, fields: Document) -> None:
        def apply(rows: dict[Any, Any], document: Document) -> None:
            rows[name] = {**rows.get(name, {}), **document, "_id": name}

        self._bulk("meta", [fields], apply)

    def move_tip(self, old: Document, new: Document) -> None:
        tip = self.rows["meta"].get("tip")
        if tip is None or any(tip[key] != old[key] for key in ("owner", "height", "hash")):
            raise TipMoved("the tip has moved")
        self._bulk("meta", [new], lambda rows, document: rows.__setitem__("tip", dict(document)))

    def settle(self) -> None:
        """Nothing runs on after a failure."""

    def close(self) -> None:
        """Nothing to let go of."""
