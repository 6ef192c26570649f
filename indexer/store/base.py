"""The few verbs that the indexer needs of a database.

Commit and rewind are written against these; ``mongo.py`` is the real one. A store with fault injection in
the tests fails at every verb in turn: that is how crash safety is proved.

Documents are mappings as ``codec`` and ``encode`` make them. Writes return when acknowledged, in order: what
a later acknowledged write survives, an earlier one survives too. ``move_tip`` is durable when it returns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

Document = Mapping[str, Any]
Id = int | bytes | str


class Store(Protocol):
    """A database of the collections in ``schema``."""

    def insert(self, collection: str, documents: Sequence[Document]) -> None:
        """Add rows, in any order. DuplicateKey when one exists."""

    def replace(self, collection: str, documents: Sequence[Document]) -> None:
        """Make these rows be exactly this, whether or not they existed."""

    def update(self, collection: str, changes: Sequence[tuple[Sequence[Id], Document]]) -> None:
        """Set these fields of the rows with these ids, where they exist; a row is in one change at most."""

    def delete(self, collection: str, ids: Sequence[Id]) -> None:
        """Remove these rows, where they exist."""

    def delete_from(self, collection: str, low: int) -> None:
        """Remove all rows with an integer ``_id`` of at least ``low``."""

    def delete_below(self, collection: str, high: int) -> None:
        """Remove all rows with an integer ``_id`` below ``high``."""

    def find(self, collection: str, field: str, values: Sequence[Any]) -> Iterator[Document]:
        """The rows whose ``field`` is one of the values."""

    def scan(
        self, collection: str, low: Any = None, high: Any = None, *, descending: bool = False
    ) -> Iterator[Document]:
        """The rows with ``low <= _id < high``, in the order of ``_id``."""

    def ids(self, collection: str, low: int | None = None, high: int | None = None) -> Iterator[int]:
        """The integer ``_id`` of the rows with ``low <= _id < high``, in order, without the rows."""

    def along(self, collection: str, fields: Sequence[str]) -> Iterator[Document]:
        """All rows in the order of a secondary index, named by its ascending fields; absent fields come first."""

    def floors(self, collection: str, bounds: Iterable[tuple[bytes, bytes]]) -> Iterator[Document]:
        """For each pair of keys the row with the greatest ``_id`` between them, both included, if any."""

    def meta(self, name: str) -> Document | None:
        """A document of ``meta``."""

    def put_meta(self, name: str, fields: Document) -> None:
        """Set fields of a document of ``meta``; creates it."""

    def move_tip(self, old: Document, new: Document) -> None:
        """Replace ``meta.tip``, durably, if it still has the owner, height and hash of ``old``; else TipMoved."""

    def settle(self) -> None:
        """After an error: end our operations on the server and wait until none of them runs."""

    def close(self) -> None:
        """Let go of the connection."""
