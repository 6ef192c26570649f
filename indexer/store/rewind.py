"""Rewind: one procedure for a crash, a reorganisation and the operator.

Everything above a height goes, whether it was committed or is garbage of a batch that was not; from the top
downwards, batch by batch, absolute values only, so that every step can be repeated after a crash in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from indexer.chain.keys import VOUT_BITS, eventkey, txkey
from indexer.errors import StoreError, TooDeep
from indexer.store.base import Document, Store
from indexer.store.codec import slices, transaction_outputs
from indexer.store.commit import TIP, first_tip, undo_heads

# Collections of immutable rows and how their _id begins at a height.
BY_HEIGHT = ("blocks", "txids", "node_confirms", "payouts", "queue_snapshots")
BY_TXKEY = ("transactions", "node_starts")
BY_EVENTKEY = ("node_events",)


def recover(store: Store, owner: str) -> dict[str, Any]:
    """Bring the database to what the invariant demands: on every start and after every store error.

    Makes ``owner`` the only writer whose commits succeed and removes whatever a batch without a commit, or a
    rewind that was cut short, left behind. Returns the tip document.
    """
    tip = store.meta(TIP)
    if tip is None:
        store.put_meta(TIP, first_tip(owner))
        return first_tip(owner)
    if tip["owner"] != owner:
        tip = _moved(store, tip, {"owner": owner, "epoch": tip["epoch"] + 1})
    store.delete_from("reorgs", (tip["reorgs"] + 1) << 16)
    return _remove_above(store, tip)


def rewind(store: Store, tip: Document, to: int, cause: str) -> dict[str, Any]:
    """Go back to height ``to`` (-1: nothing left) because of ``cause`` (reorg, operator); returns the new tip.

    The epoch rises and the tip falls before the first row goes: whoever reads below the new tip is not
    touched by what follows, and whoever read above it notices. Errors: TooDeep when no undo record begins
    right above ``to``.
    """
    if to >= tip["height"]:
        return _remove_above(store, tip)
    mark = _undo_head(store, to)["tip"]
    _record_reorg(store, tip, to, cause)
    change = {**mark, "reorgs": tip["reorgs"] + 1, "epoch": tip["epoch"] + 1, "dirty": True}
    return _remove_above(store, _moved(store, tip, change))


def _moved(store: Store, tip: Document, change: Document) -> dict[str, Any]:
    new = {**tip, **change}
    store.move_tip(tip, new)
    return new


def _undo_head(store: Store, to: int) -> Document:
    """The undo record of the batch that begins right above ``to``."""
    for head in store.scan("undo", (to + 1) << 16, ((to + 1) << 16) + 1):
        return head
    reach = next((id >> 16 for id in undo_heads(store)), None)
    possible = "there are no undo records" if reach is None else f"undo records begin at block {reach}"
    raise TooDeep(
        f"cannot go back to block {to}: {possible}, and batches written in catch-up go back only as a whole; "
        "index from the start with an empty database"
    )


def _remove_above(store: Store, tip: Document) -> dict[str, Any]:
    """Undo every batch above the tip; a database with nothing above it is left as it is."""
    above = (tip["height"] + 1) << 16
    ids = reversed(list(undo_heads(store, above)))
    heads = [head for id in ids for head in store.scan("undo", id, id + 1)]
    if heads and not tip["dirty"]:
        tip = _moved(store, tip, {"epoch": tip["epoch"] + 1, "dirty": True})
    for head in heads:
        _undo_batch(store, head)
    if tip["dirty"]:
        # A reader that began before the batch and ends after this must not find the tip it began with.
        tip = _moved(store, tip, {"dirty": False, "epoch": tip["epoch"] + 1})
    for head in heads:  # from the top: a record may be applied again only after all above it
        store.delete("undo", [head["_id"]])
    store.delete_from("undo", above)
    return dict(tip)


def _undo_batch(store: Store, head: Document) -> None:
    """Remove what one batch wrote and restore what it changed."""
    first = head["_id"] >> 16
    parts = list(store.scan("undo", head["_id"] + 1, head["_id"] + head["parts"] + 1))
    if len(parts) != head["parts"]:
        raise StoreError(
            f"the undo record of block {first} has {len(parts)} of {head['parts']} parts: the database was changed "
            "by somebody else; index from the start with an empty database"
        )
    for part in parts:
        store.replace("utxos", part.get("spent", []))
        store.delete("utxos", slices(part.get("made", b""), 36))
        store.replace("nodes", part.get("nodes", []))
        store.delete("nodes", part.get("made_nodes", []))
        store.delete("ledger", slices(part.get("ledger", b""), 25))
    for collection in BY_TXKEY:
        store.delete_from(collection, txkey(first, 0))
    for collection in BY_EVENTKEY:
        store.delete_from(collection, eventkey(first, 0))
    for collection in BY_HEIGHT:
        store.delete_from(collection, first)


def _record_reorg(store: Store, tip: Document, to: int, cause: str) -> None:
    """Write what the chain loses into the journal before it is lost."""
    base = (tip["reorgs"] + 1) << 16
    old = {"height": tip["height"], "hash": tip["hash"], "time": tip["time"]}
    head = {"_id": base, "fork": to, "old_tip": old, "cause": cause, "seen": int(time.time())}
    orphans = [
        {"_id": base + ordinal, "height": block["_id"], "hash": block["hash"], "block": block, **_losses(store, block)}
        for ordinal, block in enumerate(store.scan("blocks", to + 1, tip["height"] + 1, descending=True), start=1)
    ]
    store.replace("reorgs", [*orphans, head])


def _losses(store: Store, block: Document) -> dict[str, Any]:
    height = block["_id"]
    (payouts,) = store.scan("payouts", height, height + 1)
    return {"payouts": payouts, "credits": list(_credits(store, height))}


def _credits(store: Store, height: int) -> Iterator[dict[str, Any]]:
    """What the outputs of a block gave to addresses."""
    for transaction in store.scan("transactions", txkey(height, 0), txkey(height + 1, 0)):
        base = transaction["_id"] << VOUT_BITS
        for vout, output in enumerate(transaction_outputs(transaction)):
            if any(output.address):
                point = bytes(transaction["txid"]) + vout.to_bytes(4, "big")
                yield {"outpoint": point, "address": output.address, "key": base | vout, "value": output.value}
