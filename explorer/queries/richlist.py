"""The rich list and the distribution of coins, as the indexer made them for one block."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from explorer.db import View
from explorer.errors import Reorganised, Syncing
from explorer.labels import Labels
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.addresses import is_following
from explorer.queries.pinned import mark, require_mark, require_pinned
from explorer.queries.results import BlockReference, TierCounts
from explorer.queries.units import Address, Zatoshi
from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text
from indexer.chain.nodes import Status
from indexer.chain.tiers import TIERS
from indexer.store.codec import RichList, rich_list

LIST = Cursor("the richest addresses", 3)
HEADS = (10, 100, 1000)  # how many of the richest a concentration counts


@dataclass(frozen=True, slots=True)
class Holder:
    """An address on the rich list; ``share`` of all transparent coins, 0 to 1; ``nodes`` confirmed for it now.

    ``nodes`` is None while the index catches up.
    """

    rank: int
    address: Address
    balance: Zatoshi
    share: float
    label: str | None
    nodes: TierCounts | None


@dataclass(frozen=True, slots=True)
class Holders:
    """Some of the richest addresses after block ``at``; ``holders`` is how many addresses have a balance in all."""

    at: BlockReference
    transparent: Zatoshi
    holders: int
    items: tuple[Holder, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Band:
    """The addresses with at least ``from`` and less than ``to``, and their share of all transparent coins, 0 to 1."""

    from_: Zatoshi
    to: Zatoshi
    addresses: int
    sum: Zatoshi
    share: float


@dataclass(frozen=True, slots=True)
class Concentration:
    """What the ``richest`` so many addresses have together, and its share of all transparent coins, 0 to 1."""

    richest: int
    sum: Zatoshi
    share: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """How the transparent coins after block ``at`` are distributed: by powers of ten, the smallest balances first.

    The bands and ``without_address``, outputs that show none, add up to ``transparent``.
    """

    at: BlockReference
    transparent: Zatoshi
    holders: int
    without_address: Zatoshi
    items: tuple[Band, ...]
    concentration: tuple[Concentration, ...]


class Made(NamedTuple):
    """A rich list and the transparent coins of its block."""

    list: RichList
    transparent: int

    @property
    def at(self) -> BlockReference:
        """The block that it is true for."""
        return BlockReference(self.list.height, hash_text(self.list.hash))

    def share(self, amount: int) -> float:
        """The part of all transparent coins, 0 to 1."""
        return round(amount / self.transparent, 10) if self.transparent else 0.0


async def holders(view: View, labels: Labels, *, cursor: str | None = None, limit: int) -> Holders:
    """The richest addresses, the richest first; a cursor stays with its list while newer ones are made."""
    if cursor is None:
        return await _holders(view, labels, await newest(view), 0, limit)
    pinned, known, rank = LIST.decode(cursor)
    require_pinned(view, pinned)
    found, _ = await asyncio.gather(_newest(view, pinned), require_mark(view, pinned, known))
    if found is None:
        raise Reorganised(
            Phrase("the rich list of block %(pinned)s is not kept any more: begin the list again", pinned=pinned)
        )
    return await _holders(view, labels, found, rank, limit)


async def _holders(view: View, labels: Labels, made: Made, rank: int, limit: int) -> Holders:
    keys = made.list.addresses[rank : rank + limit]
    nodes = await _nodes_of(view, keys)
    items = tuple(
        Holder(
            rank=number,
            address=encode_address(key, view.network),
            balance=balance,
            share=made.share(balance),
            label=None if (label := labels.of(key)) is None else label.text,
            nodes=None if nodes is None else nodes.get(key, TierCounts(0, 0, 0)),
        )
        for number, (key, balance) in enumerate(zip(keys, made.list.balances[rank:], strict=False), start=rank + 1)
    )
    end = rank + len(items)
    more = end < len(made.list.addresses)
    height = made.list.height
    after = LIST.encode(height, mark(made.list.hash), end) if more else None
    return Holders(made.at, made.transparent, made.list.holders, items, after)


async def distribution(view: View) -> Distribution:
    """How many addresses have how much, by powers of ten of the smallest unit."""
    return _distribution(await newest(view))


def _distribution(made: Made) -> Distribution:
    balances = made.list.balances
    heads = [(number, sum(balances[:number])) for number in HEADS if number <= len(balances)]
    return Distribution(
        at=made.at,
        transparent=made.transparent,
        holders=made.list.holders,
        without_address=made.list.without,
        items=tuple(_bands(made)),
        concentration=tuple(Concentration(number, total, made.share(total)) for number, total in heads),
    )


async def newest(view: View) -> Made:
    """The newest list of a block of this chain; Syncing while there is none."""
    found = await _newest(view, None)
    if found is None:
        raise Syncing(Phrase(
            "there is no rich list yet: the indexer makes one as soon as it follows the chain, unless its setting "
            "indexer.richlist_blocks is 0; ask again later",
        ))  # fmt: skip
    return found


async def _newest(view: View, pinned: int | None) -> Made | None:
    """The newest list of a block of this chain, or that of height ``pinned``; None when there is none."""
    rows = await view.aggregate("richlist", [
        {"$match": {"_id": {"$lte": view.tip.height} if pinned is None else pinned}},
        {"$sort": {"_id": -1}},
        {"$lookup": {"from": "blocks", "localField": "_id", "foreignField": "_id", "as": "block"}},
        {"$unwind": "$block"},
        {"$match": {"$expr": {"$eq": ["$hash", "$block.hash"]}}},
        {"$limit": 1},
    ])  # fmt: skip
    if not rows:
        return None
    view.shown["richlist"] = rows[0]["_id"]
    return Made(rich_list(rows[0]), rows[0]["block"]["transparent"])


def _bands(made: Made) -> Iterator[Band]:
    """Every power of ten from the smallest to the largest balance, those that nobody has too."""
    found = {power: (count, total) for power, count, total in zip(
        made.list.powers, made.list.counts, made.list.sums, strict=True)}  # fmt: skip
    power = min(found, default=1)
    while power <= max(found, default=0):
        count, total = found.get(power, (0, 0))
        yield Band(power, 10 * power, count, total, made.share(total))
        power *= 10


async def _nodes_of(view: View, keys: Sequence[bytes]) -> Mapping[bytes, TierCounts] | None:
    """The confirmed nodes that pay each of these addresses now; None while the index catches up."""
    if not is_following(view):
        return None
    stages = [
        {"$match": {"payee": {"$in": list(keys)}, "status": int(Status.CONFIRMED)}},
        {"$group": {"_id": {"payee": "$payee", "tier": "$tier"}, "nodes": {"$sum": 1}}},
    ]
    counted: dict[bytes, Counter[int]] = {}
    for row in await view.aggregate("nodes", stages):
        counted.setdefault(bytes(row["_id"]["payee"]), Counter())[row["_id"]["tier"]] = row["nodes"]
    return {key: TierCounts(*(tiers[tier] for tier in TIERS)) for key, tiers in counted.items()}


async def rich_page(
    view: View, labels: Labels, *, cursor: str | None, limit: int
) -> tuple[Holders, Distribution | None]:
    """One page of the rich list; the distribution beside the first one."""
    if cursor is not None:
        return await holders(view, labels, cursor=cursor, limit=limit), None
    made = await newest(view)
    return await _holders(view, labels, made, 0, limit), _distribution(made)
