"""What a watch list comes to: balances, the last credits to its addresses, its nodes with what is to happen to them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from explorer.db import View
from explorer.queries.balances import address_keys
from explorer.queries.blocks import reference_at
from explorer.queries.results import BlockReference
from explorer.queries.roster import MOST_NODES, Roster, roster
from explorer.queries.units import Address, Height, Seconds, Zatoshi
from explorer.queries.watch import SOON
from indexer.store.codec import Document, ledger_id

ROWS: Final = 6  # newest ledger rows of an address that are looked through for credits
MOST_CREDITS: Final = 20
SHOWN_NODES: Final = 100


@dataclass(frozen=True, slots=True)
class WatchedAddress:
    """An address of a watch list; ``last_height`` is the last block that touched it, null when none did."""

    address: Address
    balance: Zatoshi
    received: Zatoshi
    last_height: Height | None


@dataclass(frozen=True, slots=True)
class WatchedCredit:
    """What the outputs of one block brought to an address."""

    address: Address
    height: Height
    time: Seconds
    value: Zatoshi


@dataclass(frozen=True, slots=True)
class Watched:
    """A watch list at the tip: addresses in its order, the newest credits to them, nodes by their next payout.

    ``expiring`` counts the nodes that leave the list of confirmed ones within 60 blocks unless they confirm.
    """

    at: BlockReference
    addresses: tuple[WatchedAddress, ...]
    credits: tuple[WatchedCredit, ...]
    nodes: Roster
    expiring: int


async def watched(
    view: View, addresses: Sequence[str], nodes: Sequence[str], *, limit: int = SHOWN_NODES
) -> Watched:
    """What addresses have and lately got, and the nodes that ``nodes`` (collaterals and payout addresses) name."""
    keys = address_keys(view, addresses)
    reference, found, rows = await asyncio.gather(
        reference_at(view, view.tip.height), roster(view, nodes, limit=MOST_NODES), _newest(view, keys)
    )
    credits = sorted(_credits(addresses, rows), key=lambda credit: (-credit[1], credit[0]))[:MOST_CREDITS]
    times = await _times(view, {height for _, height, _ in credits})
    soon = sum(n.expires_height is not None and n.expires_height <= view.tip.height + SOON for n in found.items)
    return Watched(
        at=reference,
        addresses=tuple(_address(text, rows.get(n, [])) for n, text in enumerate(addresses)),
        credits=tuple(WatchedCredit(text, height, times[height], value) for text, height, value in credits),
        nodes=Roster(found.at, found.entries, found.tiers, found.total, found.items[:limit]),
        expiring=soon,
    )


async def _newest(view: View, keys: Sequence[bytes]) -> dict[int, list[Document]]:
    """For each address key, by its ordinal, its newest ledger rows, the newest first; one round trip."""
    if not keys:
        return {}
    bounds = [{"n": n, "lo": ledger_id(k, 0), "hi": ledger_id(k, view.tip.height)} for n, k in enumerate(keys)]
    between = {"$and": [{"$gte": ["$_id", "$$lo"]}, {"$lte": ["$_id", "$$hi"]}]}
    newest = [{"$match": {"$expr": between}}, {"$sort": {"_id": -1}}, {"$limit": ROWS}, {"$project": {"x": 0}}]
    lookup = {"from": "ledger", "let": {"lo": "$lo", "hi": "$hi"}, "pipeline": newest, "as": "rows"}
    pipeline: list[dict[str, Any]] = [{"$documents": bounds}, {"$lookup": lookup}, {"$project": {"n": 1, "rows": 1}}]
    return {document["n"]: document["rows"] for document in await view.aggregate(None, pipeline)}


def _credits(addresses: Sequence[str], rows: dict[int, list[Document]]) -> Iterable[tuple[str, int, int]]:
    """Address, height and value of what came in, by what was received before and after each block."""
    for n, newest in rows.items():
        befores = [row["r"] for row in newest[1:]]
        if len(newest) < ROWS:
            befores.append(0)  # the first block that touched the address is among them
        for row, before in zip(newest, befores, strict=False):
            if row["r"] > before:
                yield addresses[n], _height(row), row["r"] - before


def _address(text: str, newest: Sequence[Document]) -> WatchedAddress:
    if not newest:
        return WatchedAddress(text, 0, 0, None)
    return WatchedAddress(text, newest[0]["b"], newest[0]["r"], _height(newest[0]))


def _height(row: Document) -> int:
    return int.from_bytes(bytes(row["_id"])[-4:], "big")


async def _times(view: View, heights: Iterable[int]) -> dict[int, int]:
    wanted = {"_id": {"$in": sorted(heights)}}
    return {row["_id"]: row["time"] for row in await view.many("blocks", wanted, fields=("time",))}
