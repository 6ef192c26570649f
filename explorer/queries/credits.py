"""The feed of credits: every output to some addresses in the order of the chain, taken back when it is orphaned.

Nothing is stored for it. What is new is read from the chain; what a reorganisation took is in its record. A reader
keeps a cursor: it says which reorganisations were told and up to which output, so that exactly those of the orphaned
credits are taken back that were told before, the newest first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from explorer.db import View
from explorer.errors import BadRequest, NotFound
from explorer.queries.balances import MOST, address_keys
from explorer.queries.block_rows import block_rows
from explorer.queries.blocks import confirmations
from explorer.queries.feed import Place, parse_place, place_at, resume
from explorer.queries.forks import Forks, last_outkey, mark, read_forks
from explorer.queries.units import Address, Height, Outpoint, Zatoshi
from indexer.chain.address import encode_address
from indexer.chain.keys import (
    VOUT_BITS,
    is_coinbase,
    outkey_height,
    outkey_txkey,
    outpoint,
    outpoint_text,
    txkey,
    txkey_height,
)
from indexer.parse.columns import ints
from indexer.store.codec import Document, ledger_id, transaction_outputs

_Touched = tuple[list[int], int]
"""Some txkeys in rising order, and up to which block they are all that there are."""

ORPHANED: Final = -1  # confirmations of what is in no block of the chain
LEAST_ROWS: Final = 8  # rows of the ledger that are read at once of each of many addresses
MOST_ROWS: Final = 20_000  # of all those together that have more
LEAST_TRANSACTIONS: Final = 100
ROUNDS: Final = 5  # times that addresses which only spent are looked at again in one answer


@dataclass(frozen=True, slots=True)
class Credit:
    """An output to an address, or, after its block was orphaned, that it is taken back.

    ``seq`` sorts in the order of the feed, and names this item for as long as the block stays. ``reverses`` is the
    seq of the credit that a reversal takes back. Orphaned ones have confirmations -1.
    """

    seq: str
    kind: Literal["credit", "reversal"]
    address: Address
    outpoint: Outpoint
    value: Zatoshi
    height: Height
    confirmations: int
    coinbase: bool
    reverses: str | None


@dataclass(frozen=True, slots=True)
class Credits:
    """Some of a feed; ``next`` is where to go on, always, and ``more`` whether there may be more already."""

    items: tuple[Credit, ...]
    next: str
    more: bool


@dataclass(frozen=True, slots=True)
class _Coin:
    """An output to one of the addresses, in the chain or in an orphaned block."""

    key: int
    outpoint: bytes
    address: bytes
    value: int
    mark: bytes


async def credits(
    view: View, addresses: Sequence[str], *, cursor: str | None = None, limit: int, min_confirmations: int | None = None
) -> Credits:
    """What came to some addresses after ``cursor``, oldest first: reversals of what reorganisations took, then credits.

    ``min_confirmations`` keeps credits back until they have so many; reversals are told at once.
    """
    depth = 1 if min_confirmations is None else min_confirmations
    if not addresses or depth < 1:
        what = "min_confirmations is 0: expected at least 1" if addresses else f"addresses: expected 1 to {MOST}"
        raise BadRequest(what)
    keys = tuple(set(address_keys(view, addresses)))
    last = view.tip.height + 1 - depth
    after = 0 if cursor is None else parse_place(cursor).key
    forks, found, _ = await asyncio.gather(
        read_forks(view),
        _touched(view, keys, after, last, limit),
        view.row("blocks", outkey_height(after)),  # kept: the place of a cursor is compared with it
    )
    items, place = await _reversals(view, keys, forks, await resume(view, forks, cursor), limit)
    if len(items) == limit:
        return Credits(tuple(items), str(place), True)
    ahead = found if place.key == after else None
    coins, reached = await _forward(view, keys, place.key, last, limit - len(items), ahead)
    items += [_credit(view, forks, coin) for coin in coins]
    if reached != place.key:
        place = await place_at(view, forks, len(forks), reached)
    return Credits(tuple(items), str(place), reached < last_outkey(last))


# --- what was taken back ------------------------------------------------------------------------------------


async def _reversals(
    view: View, keys: Sequence[bytes], forks: Forks, place: Place, limit: int
) -> tuple[list[Credit], Place]:
    """What reorganisations took of that which was told up to a place, and the place after that."""
    items: list[Credit] = []
    while len(items) < limit:
        number = forks.took(place.height, place.reorgs) if place.forward else place.reorgs
        if number is None:
            return items, Place(len(forks), True, place.key, place.mark)
        lost = await _lost(view, keys, number, place.key if place.forward else place.key - 1)
        told = lost[: limit - len(items)]
        items += [_reversal(view, forks, number, coin) for coin in told]
        if len(told) < len(lost):
            return items, Place(number, False, told[-1].key, told[-1].mark)
        place = await place_at(view, forks, number, last_outkey(forks.fork(number)))
    return items, place


async def _lost(view: View, keys: Sequence[bytes], number: int, upto: int) -> list[_Coin]:
    """What reorganisation ``number`` took from the addresses at outkeys up to ``upto``, newest first."""
    wanted = list(keys)
    ours = {"$filter": {"input": "$credits", "cond": {"$in": ["$$this.address", wanted]}}}
    rows = await view.aggregate(
        "reorgs",
        [
            {"$match": {"_id": {"$gt": number << 16, "$lt": (number + 1) << 16}, "credits.address": {"$in": wanted}}},
            {"$project": {"height": 1, "hash": 1, "credits": ours}},
        ],
    )
    coins = (
        _Coin(c["key"], bytes(c["outpoint"]), bytes(c["address"]), c["value"], mark(row["hash"]))
        for row in rows
        if row["height"]  # the output of block 0 belongs to nobody
        for c in row["credits"]
        if c["key"] <= upto
    )
    return sorted(coins, key=lambda coin: coin.key, reverse=True)


def _reversal(view: View, forks: Forks, number: int, coin: _Coin) -> Credit:
    place = Place(number, False, coin.key, coin.mark)
    told = Place(forks.made(outkey_height(coin.key), number - 1), True, coin.key, coin.mark)
    return _item(view, "reversal", coin, str(place), str(told))


# --- what is new --------------------------------------------------------------------------------------------


async def _forward(
    view: View, keys: Sequence[bytes], after: int, last: int, limit: int, found: _Touched | None
) -> tuple[list[_Coin], int]:
    """Up to ``limit`` outputs to the addresses above an outkey, up to block ``last``, and the outkey reached.

    ``found``: what touched the addresses above that outkey, if that has been read.
    """
    end = last_outkey(last)
    for _ in range(ROUNDS):
        if after >= end:
            break
        found = found or await _touched(view, keys, after, last, limit)
        coins, after = await _next_coins(view, keys, after, found, limit)
        if coins:
            return coins, after
        found = None
    return [], after


async def _next_coins(
    view: View, keys: Sequence[bytes], after: int, found: _Touched, limit: int
) -> tuple[list[_Coin], int]:
    """The outputs in the next transactions that touch the addresses: maybe none, if they only spent."""
    touched, whole = found
    ahead = [key for key in touched if key >= outkey_txkey(after)]
    chosen = ahead[: max(limit, LEAST_TRANSACTIONS)]
    reached = last_outkey(whole) if len(chosen) == len(ahead) else ((chosen[-1] + 1) << VOUT_BITS) - 1
    heights = {outkey_height(reached), *map(txkey_height, chosen)}
    rows, blocks = await asyncio.gather(view.rows("transactions", chosen), block_rows(view, heights, "hash"))
    if len(rows) != len(chosen):
        raise NotFound(f"up to block {whole} transactions are absent: the index is not whole; run flux-explorer verify")
    marks = {height: mark(block["hash"]) for height, block in blocks.items()}
    wanted = frozenset(keys)
    coins = [coin for key in chosen for coin in _coins(rows[key], wanted, marks) if coin.key > after]
    if len(coins) > limit:
        return coins[:limit], coins[limit - 1].key
    return coins, reached


async def _touched(view: View, keys: Sequence[bytes], after: int, last: int, limit: int) -> _Touched:
    """The txkeys in which one of the addresses received, from the block of the next outkey on to block ``last``.

    Most addresses of many have little to tell: a few rows of each are read, and more of those that have more.
    """
    if after >= last_outkey(last):
        return [], last
    first = outkey_height(after + 1)
    most = max(LEAST_ROWS, 2 * limit // len(keys))
    found = await _ledger(view, keys, first, last, most)
    busy = [key for key, rows in found.items() if len(rows) == most]
    if 0 < len(busy) < len(keys):
        most = max(most, min(2 * limit, MOST_ROWS // len(busy)))
        found |= await _ledger(view, busy, first, last, most)
    whole = min((_height(found[key][-1]) for key in busy if len(found[key]) == most), default=last)
    touched = {key for rows in found.values() for key in _received(rows) if txkey_height(key) <= whole}
    return sorted(touched), whole


async def _ledger(
    view: View, keys: Sequence[bytes], first: int, last: int, most: int
) -> dict[bytes, list[Document]]:
    """The first ledger rows of each address in a span of blocks: all of them in one ``$lookup``."""
    bounds = [{"n": n, "lo": ledger_id(key, first), "hi": ledger_id(key, last)} for n, key in enumerate(keys)]
    between = {"$and": [{"$gte": ["$_id", "$$lo"]}, {"$lte": ["$_id", "$$hi"]}]}
    ahead = [{"$match": {"$expr": between}}, {"$sort": {"_id": 1}}, {"$limit": most}, {"$project": {"r": 1, "x": 1}}]
    lookup = {"from": "ledger", "let": {"lo": "$lo", "hi": "$hi"}, "pipeline": ahead, "as": "rows"}
    stages: list[dict[str, Any]] = [{"$documents": bounds}, {"$lookup": lookup}, {"$match": {"rows": {"$ne": []}}}]
    found = await view.aggregate(None, [*stages, {"$project": {"n": 1, "rows": 1}}])
    return {keys[document["n"]]: document["rows"] for document in found}


def _received(rows: Sequence[Document]) -> Iterator[int]:
    """The txkeys of the ledger rows of an address in which it received; all of the first, where that is unknown."""
    before = None
    for row in rows:
        if row["r"] != before:
            yield from (txkey(_height(row), position) for position in ints(row["x"], "H"))
        before = row["r"]


def _height(row: Document) -> int:
    return int.from_bytes(row["_id"][21:], "big")


def _coins(row: Document, keys: Collection[bytes], marks: dict[int, bytes]) -> Iterator[_Coin]:
    for vout, output in enumerate(transaction_outputs(row)):
        if output.address in keys:
            point = outpoint(bytes(row["txid"]), vout)
            key: int = row["_id"] << VOUT_BITS | vout
            yield _Coin(key, point, output.address, output.value, marks[outkey_height(key)])


def _credit(view: View, forks: Forks, coin: _Coin) -> Credit:
    place = Place(forks.made(outkey_height(coin.key), len(forks)), True, coin.key, coin.mark)
    return _item(view, "credit", coin, str(place), None)


def _item(view: View, kind: Literal["credit", "reversal"], coin: _Coin, seq: str, reverses: str | None) -> Credit:
    height = outkey_height(coin.key)
    return Credit(
        seq=seq,
        kind=kind,
        address=encode_address(coin.address, view.network),
        outpoint=outpoint_text(coin.outpoint),
        value=coin.value,
        height=height,
        confirmations=ORPHANED if kind == "reversal" else confirmations(view, height),
        coinbase=is_coinbase(coin.key),
        reverses=reverses,
    )
