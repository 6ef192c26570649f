"""The row of a node, also together with the newest rows of other collections that name it: in one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from indexer.chain.keys import outpoint_text
from indexer.store.codec import Document

Join = Mapping[str, Any]
"""A stage that adds rows of another collection, under its name, to the row of a node."""


async def node_row(view: View, outpoint: bytes, *joins: Join) -> Document:
    """The row of ``nodes`` of a collateral; NotFound when no node was started with it up to the tip."""
    if joins:
        row = next(iter(await view.aggregate("nodes", [{"$match": {"outpoint": outpoint}}, *joins])), None)
    else:
        row = await view.one("nodes", {"outpoint": outpoint})
    if row is None:
        raise NotFound(
            Phrase("no node was ever started with the collateral %(collateral)s", collateral=outpoint_text(outpoint))
        )
    return row


async def node_id(view: View, outpoint: bytes) -> int:
    """The txkey of a node's first START; NotFound when there was none up to the tip."""
    id: int = (await node_row(view, outpoint))["_id"]
    return id


def newest(collection: str, field: str, where: Mapping[str, Any], count: int, fields: Sequence[str]) -> Join:
    """The ``count`` newest rows whose ``field`` names the node, by the index on it and ``_id``; a thousand small ones.

    What is joined has to fit into one document of the server, 16 MB.
    """
    pipeline = [
        {"$match": where},
        {"$sort": {"_id": -1}},
        {"$limit": count},
        {"$project": dict.fromkeys(("_id", *fields), 1)},
    ]
    return {"$lookup": {
        "from": collection, "localField": "_id", "foreignField": field, "pipeline": pipeline, "as": collection,
    }}  # fmt: skip
