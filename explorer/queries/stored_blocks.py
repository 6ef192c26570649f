"""A block of the chain as it is stored, with the rows beside it: all that is told of it, in one question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from explorer.queries.block_rows import no_block_at
from indexer.chain.keys import MAX_TRANSACTIONS, hash_text
from indexer.store.codec import Document


def _join(collection: str, field: str, name: str) -> dict[str, Any]:
    """The rows of a collection whose ``_id`` a field names or, if it is a list, holds."""
    return {"$lookup": {"from": collection, "localField": field, "foreignField": "_id", "as": name}}


_BESIDE: Final = (
    {"$set": {
        "heights": [{"$subtract": ["$_id", 1]}, {"$add": ["$_id", 1]}],
        "first": {"$multiply": ["$_id", MAX_TRANSACTIONS]},  # the txkey of the coinbase
    }},
    _join("blocks", "heights", "beside"),
    _join("transactions", "first", "coinbase"),
    _join("payouts", "_id", "judged"),
    {"$set": {"nodes": {"$concatArrays": [{"$ifNull": [{"$first": "$judged.nodes"}, []]}, ["$producer_node"]]}}},
    _join("node_starts", "nodes", "node_starts"),
)  # fmt: skip
_CONFIRMS: Final = (_join("node_confirms", "_id", "node_confirms"),)


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A row of ``blocks`` and the rows of its parent and child, its coinbase and its payouts.

    ``starts`` are the first STARTs of the nodes that were to be paid and of the producer, by txkey.
    """

    row: Document
    parent: Document | None
    child: Document | None
    coinbase: Document
    judged: Document
    starts: Mapping[int, Document]


async def stored_block(view: View, reference: int | bytes) -> StoredBlock | None:
    """The block at a height or with a hash (wire order); None when no block of the chain has that hash.

    AboveTip, or NotFound when a part of it is absent.
    """
    row = await _row(view, reference, _BESIDE)
    if row is None:
        return None
    height = row["_id"]
    if not row["coinbase"] or not row["judged"]:
        raise no_block_at(height)
    beside = {other["_id"]: other for other in row["beside"] if other["_id"] <= view.tip.height}
    starts = {start["_id"]: start for start in row["node_starts"]}
    return StoredBlock(
        row, beside.get(height - 1), beside.get(height + 1), row["coinbase"][0], row["judged"][0], starts
    )


async def stored_confirms(view: View, reference: int | bytes) -> tuple[Document, Document | None]:
    """The rows of ``blocks`` and of ``node_confirms`` of a block of the chain; AboveTip or NotFound without it."""
    row = await _row(view, reference, _CONFIRMS)
    if row is not None:
        return row, next(iter(row["node_confirms"]), None)
    assert isinstance(reference, bytes)
    raise NotFound(Phrase("no block with hash %(hash)s is on the active chain", hash=hash_text(reference)))


async def _row(view: View, reference: int | bytes, joins: tuple[Mapping[str, Any], ...]) -> Document | None:
    """The row of a block up to the tip with what is joined to it; None when none has that hash."""
    if isinstance(reference, int):
        view.require_height(reference)
    where = {"_id" if isinstance(reference, int) else "hash": reference}
    rows = await view.aggregate("blocks", [{"$match": where}, *joins])
    if rows and rows[0]["_id"] <= view.tip.height:
        return rows[0]
    if isinstance(reference, int):
        raise no_block_at(reference)
    return None
