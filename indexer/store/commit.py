"""Commit: a batch becomes part of the chain in the database, or leaves no trace that rewind cannot remove.

The order is the whole point:

1. the undo record, its head last: from here on rewind knows what to remove;
2. immutable rows, all above the tip that readers see;
3. ``dirty`` on the tip, then the mutable rows, absolute values;
4. one durable update of ``meta.tip``, filtered on owner, height and hash. That is the commit;
5. undo records that no reorganisation can need are dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.state.delta import Delta, TipMark
from indexer.store.base import Document, Store
from indexer.store.encode import coin_document, immutable_rows, node_changes, node_document, undo_documents

TIP = "tip"

# blocks come last: a reader that finds a block row finds everything of the block.
INSERT_ORDER = (
    "transactions", "node_starts", "node_confirms", "node_events", "queue_snapshots", "txids", "payouts", "ledger",
    "blocks",
)  # fmt: skip


def first_tip(owner: str) -> dict[str, Any]:
    """The tip of an empty database."""
    return {
        "_id": TIP, "height": -1, "hash": bytes(32), "time": 0, "epoch": 0, "dirty": False, "reorgs": 0, "owner": owner,
    }  # fmt: skip


def commit(store: Store, delta: Delta, tip: Document, keep_from: int) -> dict[str, Any]:
    """Write a batch on top of ``tip``; drop undo records of batches that end below ``keep_from``.

    Returns the new tip document. Errors: StoreError; then the batch is not committed, or its commit is not
    known, and ``rewind`` has to look at the tip again.
    """
    undo = undo_documents(delta)
    store.replace("undo", undo[:-1])
    store.replace("undo", undo[-1:])
    rows = immutable_rows(delta)
    for collection in INSERT_ORDER:
        store.insert(collection, rows[collection])
    dirty = {**tip, "dirty": True}
    store.move_tip(tip, dirty)
    store.delete("utxos", list(delta.spent))
    store.insert("utxos", [coin_document(*item) for item in delta.made.items()])
    made = set(delta.made_nodes)
    store.insert("nodes", [node_document(row) for row in delta.nodes if row.id in made])
    store.update("nodes", node_changes(delta))
    new = {**tip, **mark(delta.tip), "dirty": False}
    store.move_tip(dirty, new)
    drop_undo(store, keep_from)
    return new


def mark(tip: TipMark) -> dict[str, Any]:
    """The fields of a block mark as stored."""
    return {"height": tip.height, "hash": tip.hash, "time": tip.time}


def drop_undo(store: Store, keep_from: int) -> None:
    """Drop the undo records of batches that end below ``keep_from``.

    The first batch to keep is the last one that begins at or below ``keep_from``. Heads go first, for a
    record without its head does not count, and the oldest of them first, for what stays must have no gap.
    """
    heads = list(undo_heads(store, None, (keep_from << 16) + 1))
    if heads:
        for older in heads[:-1]:
            store.delete("undo", [older])
        store.delete_below("undo", heads[-1])


def undo_heads(store: Store, low: int | None = None, high: int | None = None) -> Iterator[int]:
    """The ids, in order, of those rows of ``undo`` that are the head of a record: its part 0."""
    return (id for id in store.ids("undo", low, high) if id & 0xFFFF == 0)
