"""How Proof of Node blocks came about: who, in which slot, after how many that nobody used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from explorer.queries.results import Production
from explorer.queries.text import address_text, tier_name
from indexer.chain.nodes import Status
from indexer.chain.params import Network
from indexer.chain.pon import skipped_slots, slot
from indexer.store.codec import Document

LISTS: Final[Mapping[int, Literal["started", "confirmed", "dos"]]] = {
    Status.STARTED: "started",
    Status.CONFIRMED: "confirmed",
    Status.DOS: "dos",
}


def production_of(
    network: Network, row: Document, parent: Document | None, starts: Mapping[int, Document]
) -> Production | None:
    """How the block of a row of ``blocks`` was produced, given its parent's row; None for Proof of Work.

    ``starts``: the first START of the producer, by txkey, if there is one.
    """
    if "producer" not in row:
        return None
    node = _producer(row, starts)
    return Production(
        slot=slot(network, row["time"]),
        skipped_slots=skipped_slots(network, parent["time"], row["time"])
        if parent is not None and "producer" in parent
        else None,
        status=LISTS.get(row.get("producer_status", 0)),
        tier=tier_name(node["tier"]) if node else None,
        address=address_text(bytes(node["payee"]), network) if node else None,
    )


def _producer(row: Document, starts: Mapping[int, Document]) -> Document | None:
    """The first START of the producing node; None when an orphaned block's went with its branch."""
    start = starts.get(row["producer_node"]) if "producer_node" in row else None
    return start if start is not None and start["outpoint"] == row["producer"] else None
