"""How Proof of Node blocks came about: who, in which slot, after how many that nobody used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from explorer.db import View
from explorer.queries.results import Production
from explorer.queries.text import address_text, tier_name
from indexer.chain.nodes import Status
from indexer.chain.pon import skipped_slots, slot
from indexer.store.codec import Document

LISTS: Final[Mapping[int, Literal["started", "confirmed", "dos"]]] = {
    Status.STARTED: "started",
    Status.CONFIRMED: "confirmed",
    Status.DOS: "dos",
}


async def production_of(view: View, row: Document, parent: Document | None) -> Production | None:
    """How the block of a row of ``blocks`` was produced, given its parent's row; None for Proof of Work."""
    if "producer" not in row:
        return None
    node = await _producer(view, row)
    return Production(
        slot=slot(view.network, row["time"]),
        skipped_slots=skipped_slots(view.network, parent["time"], row["time"])
        if parent is not None and "producer" in parent
        else None,
        status=LISTS.get(row.get("producer_status", 0)),
        tier=tier_name(node["tier"]) if node else None,
        address=address_text(bytes(node["payee"]), view.network) if node else None,
    )


async def _producer(view: View, row: Document) -> Document | None:
    """The first START of the producing node; None when an orphaned block's went with its branch."""
    if "producer_node" not in row:
        return None
    start = await view.one("node_starts", {"_id": row["producer_node"]})
    return start if start is not None and start["outpoint"] == row["producer"] else None
