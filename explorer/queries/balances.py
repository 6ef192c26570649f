"""Balances of many addresses at one height."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.db import View
from explorer.errors import BadRequest
from explorer.queries.addresses import at_height
from explorer.queries.blocks import reference_at
from explorer.queries.results import BlockReference
from explorer.queries.text import address_key
from explorer.queries.units import Address, Zatoshi
from indexer.store.codec import Document, ledger_id

MOST = 1000


@dataclass(frozen=True, slots=True)
class Balance:
    """The balance of one of many addresses."""

    address: Address
    balance: Zatoshi
    received: Zatoshi
    sent: Zatoshi
    transaction_count: int


@dataclass(frozen=True, slots=True)
class Balances:
    """The balances of many addresses at one block, in the order asked."""

    at: BlockReference
    items: tuple[Balance, ...]


async def balances(
    view: View, addresses: Sequence[str], *, at: int | None = None, depth: int | None = None
) -> Balances:
    """The balances of up to 1000 addresses in the order asked; one invalid address refuses all and is named."""
    keys = address_keys(view, addresses)
    height = at_height(view, at, depth)
    reference, rows = await asyncio.gather(reference_at(view, height), floors(view, keys, height))
    return Balances(reference, tuple(_balance(text, rows.get(n)) for n, text in enumerate(addresses)))


def address_keys(view: View, addresses: Sequence[str]) -> list[bytes]:
    """The keys of up to 1000 addresses; BadRequest for more, or naming the first that is none of this network."""
    if len(addresses) > MOST:
        raise BadRequest(f"{len(addresses)} addresses are too many: ask for at most {MOST} at once")
    return [_key(view, text) for text in addresses]


def _key(view: View, text: str) -> bytes:
    try:
        return address_key(text, view.network)
    except BadRequest as error:
        raise BadRequest(f"{text[:100]!r}: {error}") from error


async def floors(view: View, keys: Sequence[bytes], height: int) -> dict[int, Document]:
    """For each address key, by its ordinal, the newest ledger row at or below ``height``: all in one ``$lookup``."""
    return await newest_rows(view, [(key, height) for key in keys])


async def newest_rows(view: View, wanted: Sequence[tuple[bytes, int]]) -> dict[int, Document]:
    """For each address key and height, by its ordinal, the newest ledger row at or below it; one round trip."""
    if not wanted:
        return {}
    bounds = [{"n": n, "lo": ledger_id(key, 0), "hi": ledger_id(key, at)} for n, (key, at) in enumerate(wanted)]
    between = {"$and": [{"$gte": ["$_id", "$$lo"]}, {"$lte": ["$_id", "$$hi"]}]}
    floor = [{"$match": {"$expr": between}}, {"$sort": {"_id": -1}}, {"$limit": 1}, {"$project": {"x": 0}}]
    lookup = {"from": "ledger", "let": {"lo": "$lo", "hi": "$hi"}, "pipeline": floor, "as": "row"}
    found = await view.aggregate(
        None, [{"$documents": bounds}, {"$lookup": lookup}, {"$project": {"n": 1, "row": 1}}, {"$unwind": "$row"}]
    )
    return {document["n"]: document["row"] for document in found}


def _balance(text: str, row: Document | None) -> Balance:
    if row is None:
        return Balance(text, 0, 0, 0, 0)
    return Balance(text, row["b"], row["r"], row["r"] - row["b"], row["n"])
