"""What the definition of the database is written in: collections, fields, indexes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a document: its name, its type in the schema's grammar, and what it means."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index and the query that needs it.

    ``late`` indexes are built when the first catch-up ends; until then their queries answer 503 ``syncing``.
    """

    name: str
    keys: tuple[tuple[str, int], ...]
    query: str
    unique: bool = False
    sparse: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection: what its ``_id`` is, what it holds, who reads it."""

    name: str
    id: str
    holds: str
    readers: str
    fields: tuple[Field, ...]
    indexes: tuple[Index, ...] = ()
