"""Transactions: one by its id, those of a block, where one was mined."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from explorer.db import View
from explorer.errors import NotFound
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.blocks import block, confirmations
from explorer.queries.results import Block, Page, Place, Position, Spend, Transaction
from explorer.queries.rows import Spends, confirm_transaction, stored_transaction, unconfirmed_transaction
from explorer.queries.stored_blocks import stored_confirms
from explorer.queries.unconfirmed import UnconfirmedSpends, spends_of, unconfirmed
from explorer.tasks import already
from indexer.chain.hashes import sha256d
from indexer.chain.keys import (
    VOUT_BITS,
    hash_text,
    outkey_txkey,
    outkey_vout,
    outpoint,
    parse_hash,
    txkey,
    txkey_height,
    txkey_index,
)
from indexer.parse.columns import NODE_START
from indexer.store.codec import Confirm, Document, confirm_bytes, confirm_rows, transaction_row

T = TypeVar("T")
FullIds = Callable[[str], Awaitable[Sequence[bytes]]]
"""The full-bytes ids of the node transactions of a block, by its hash: what only the daemon's bytes can tell."""

LIST = Cursor("transactions of a block", 2)
PREFIXES, SPENDS = "txids.prefixes", "transactions.spends"
MOST_HINTS = 64
SPENDS_AT_ONCE = 100  # transactions whose spends are looked for in one question

_JOINS = (
    {"$lookup": {"from": "blocks", "localField": "_id", "foreignField": "_id", "as": "block"}},
    {"$lookup": {"from": "node_confirms", "localField": "_id", "foreignField": "_id", "as": "confirms"}},
)


@dataclass(frozen=True, slots=True)
class Hint:
    """A block that may hold the transaction: positions by txid, and ordinals among its node transactions."""

    block: Document
    confirms: Mapping[int, Confirm]  # by position
    positions: tuple[int, ...]
    ordinals: tuple[int, ...]

    def keys(self) -> list[int]:
        """The txkeys of the positions."""
        return [txkey(self.block["_id"], position) for position in self.positions]

    def stored(self) -> list[int]:
        """Those of the txkeys that have a row of their own: they are no confirmations."""
        return [txkey(self.block["_id"], position) for position in self.positions if position not in self.confirms]


async def transaction(view: View, txid: bytes, full_ids: FullIds) -> Transaction:
    """The latest transaction with this txid (wire order), or the node transaction with this full-bytes id.

    One that is in no block is looked for in the mempool. NotFound when it is nowhere; Syncing until the late
    indexes are built.
    """
    view.require_index(PREFIXES)
    view.require_index(SPENDS)
    hints = await _hints(view, txid)
    at_hints, waiting = await asyncio.gather(
        _at_positions(view, hints, spends=True),
        spends_of(view, txid) if any(hint.stored() for hint in hints) else already({}),
    )
    found = [t for t in at_hints if t.txid == hash_text(txid)]
    if not found:
        row, waiting = await asyncio.gather(unconfirmed(view, txid), spends_of(view, txid))
        if row is not None:
            return _with_unconfirmed_spends(unconfirmed_transaction(row, view.network), waiting)
    if not found:
        found = [t for hint in hints if hint.ordinals for t in await _by_full_id(view, hint, txid, full_ids)]
    if not found:
        raise NotFound(Phrase(
            "no transaction with id %(txid)s is in the chain up to height %(height)s",
            txid=hash_text(txid), height=view.tip.height,
        ))  # fmt: skip
    found.sort(key=_position_key)
    also_in = tuple(Position(t.block.height, t.block.index) for t in found[:-1] if t.block)
    return _with_unconfirmed_spends(replace(found[-1], also_in=also_in), waiting)


def _with_unconfirmed_spends(found: Transaction, spends: UnconfirmedSpends) -> Transaction:
    """The transaction with what spends those of its outputs that no block spends."""
    txid = parse_hash(found.txid)
    outputs = tuple(
        replace(o, spent_unconfirmed_by=spends.get(outpoint(txid, o.n)) if o.spent_by is None else None)
        for o in found.outputs
    )
    return replace(found, outputs=outputs)


async def mined(view: View, txids: Collection[bytes], above: int) -> frozenset[bytes]:
    """Which of the txids (wire order) are in blocks above a height."""
    if not txids or above >= view.tip.height:
        return frozenset()
    prefixes = {_prefix(txid) for txid in txids}
    match = {"_id": {"$gt": above, "$lte": view.tip.height}, "prefixes": {"$in": sorted(prefixes)}}
    rows = await view.aggregate("txids", [{"$match": match}, *_JOINS])
    hints = [_hint(row, prefix) for row in rows for prefix in prefixes.intersection(row["prefixes"])]
    found = {parse_hash(t.txid) for t in await _at_positions(view, hints, spends=False)}
    return frozenset(found.intersection(txids))


async def place_of(view: View, txid: bytes, full_ids: FullIds) -> Place | None:
    """Where a transaction was mined last; None while it is unconfirmed."""
    return (await transaction(view, txid, full_ids)).block


async def block_transactions(
    view: View, reference: int | bytes, *, cursor: str | None = None, limit: int
) -> Page[Transaction]:
    """The transactions of a block in block order, their outputs without what spends them."""
    reference, first = (reference, 0) if cursor is None else LIST.decode(cursor)
    block, items = await _stretch(view, reference, first, limit, spends=False)
    end = first + len(items)
    return Page(tuple(items), LIST.encode(block["_id"], end) if end < block["tx_count"] else None)


async def block_with_transactions(
    view: View, reference: int | bytes, *, cursor: str | None = None, limit: int
) -> tuple[Block, Page[Transaction] | None]:
    """A block and some of its transactions; None for those of an orphan, which are not kept."""
    return await _beside_block(view, reference, block_transactions(view, reference, cursor=cursor, limit=limit))


async def block_with_stretch(
    view: View, reference: int | bytes, first: int, limit: int, *, spends: bool
) -> tuple[Block, list[Transaction]]:
    """A block and its transactions from position ``first`` on, with ``spends`` what spends their outputs.

    An orphan has none. Syncing until the late index of spends is built, when they are wanted.
    """
    if spends:
        view.require_index(SPENDS)
    found, stretch = await _beside_block(view, reference, _stretch(view, reference, first, limit, spends=spends))
    return found, [] if stretch is None else stretch[1]


async def _stretch(
    view: View, reference: int | bytes, first: int, limit: int, *, spends: bool
) -> tuple[Document, list[Transaction]]:
    """The row of a block and its transactions from position ``first`` on; two round trips."""
    block, confirms = await stored_confirms(view, reference)
    positions = range(first, min(first + limit, block["tx_count"]))
    hint = Hint(block, _confirms(confirms), tuple(positions), ())
    return block, await _at_positions(view, [hint], spends=spends)


async def _beside_block(view: View, reference: int | bytes, listing: Awaitable[T]) -> tuple[Block, T | None]:
    """A block and what is asked of it at the same time; None for an orphan."""
    found, listed = await asyncio.gather(
        block(view, reference),
        listing,
        return_exceptions=True,  # an orphan is found by its hash, but has no list
    )
    if isinstance(found, BaseException):
        raise found
    if found.confirmations < 0:
        return found, None
    if isinstance(listed, BaseException):
        raise listed
    return found, listed


async def transactions_at(view: View, keys: Sequence[int]) -> list[Transaction]:
    """The coinbases and transfers at these txkeys, in this order, their outputs with what spends them; one round trip.

    Node transactions, which move no coins, are not among them. Syncing until the late index of spends is built.
    """
    view.require_index(SPENDS)
    heights = {txkey_height(key) for key in keys}
    blocks, rows, spends = await asyncio.gather(
        view.rows("blocks", heights), view.rows("transactions", keys), _spends(view, keys)
    )
    hints = {height: Hint(block, {}, (), ()) for height, block in blocks.items()}
    return [_transaction(view, hints[txkey_height(key)], txkey_index(key), rows, [], spends[key]) for key in keys]


def _position_key(transaction: Transaction) -> tuple[int, int]:
    assert transaction.block is not None
    return transaction.block.height, transaction.block.index


async def _hints(view: View, txid: bytes) -> list[Hint]:
    prefix = _prefix(txid)
    rows = await view.aggregate("txids", [{"$match": {"prefixes": prefix}}, {"$limit": MOST_HINTS}, *_JOINS])
    return [_hint(row, prefix) for row in rows if row["_id"] <= view.tip.height]


def _prefix(txid: bytes) -> int:
    return int.from_bytes(txid[:4], "little", signed=True)


def _hint(row: Document, prefix: int) -> Hint:
    (block,) = row["block"]
    places = [i for i, p in enumerate(row["prefixes"]) if p == prefix]
    count = block["tx_count"]
    return Hint(
        block,
        _confirms(next(iter(row["confirms"]), None)),
        tuple(i for i in places if i < count),
        tuple(i - count for i in places if i >= count),
    )


def _confirms(row: Document | None) -> dict[int, Confirm]:
    return {} if row is None else {confirm.index: confirm for confirm in confirm_rows(row)}


async def _at_positions(view: View, hints: Iterable[Hint], *, spends: bool) -> list[Transaction]:
    """The transactions at the positions of the hints; one round trip."""
    hints = [hint for hint in hints if hint.positions]
    keys = [key for hint in hints for key in hint.stored()]
    started = [key for hint in hints if hint.block["starts"] for key in hint.stored()]
    highest = max((hint.block["_id"] for hint in hints), default=0)
    nodes = {confirm.node for hint in hints for i in hint.positions if (confirm := hint.confirms.get(i)) is not None}
    rows, starts, spent = await asyncio.gather(
        view.rows("transactions", keys),
        _starts(view, started, nodes, highest),
        _spends(view, keys if spends else []),
    )
    return [
        _transaction(view, hint, index, rows, starts, spent.get(key, {}) if spends else None)
        for hint in hints
        for index, key in zip(hint.positions, hint.keys(), strict=True)
    ]


async def _starts(view: View, keys: Sequence[int], nodes: Collection[int], highest: int) -> list[Document]:
    """The STARTs at the keys, and all of the nodes up to a height, oldest first."""
    where = [{"_id": {"$in": keys}}, {"node": {"$in": sorted(nodes)}, "_id": {"$lt": txkey(highest + 1, 0)}}]
    wanted = [part for part, some in zip(where, (keys, nodes), strict=True) if some]
    return await view.many("node_starts", {"$or": wanted}, sort=[("_id", 1)]) if wanted else []


async def _spends(view: View, keys: Sequence[int]) -> dict[int, dict[int, Spend]]:
    """By txkey and output number, the inputs that spend the outputs of these transactions."""
    found: dict[int, dict[int, Spend]] = {key: {} for key in keys}
    ranges = [{"in_keys": {"$elemMatch": {"$gte": key << VOUT_BITS, "$lt": (key + 1) << VOUT_BITS}}} for key in keys]
    groups = [ranges[n : n + SPENDS_AT_ONCE] for n in range(0, len(ranges), SPENDS_AT_ONCE)]
    many = await asyncio.gather(*(view.many("transactions", {"$or": g}, fields=("txid", "in_keys")) for g in groups))
    for spent, spend in (pair for rows in many for pair in _each_spend(rows, view.tip.height)):
        if (key := outkey_txkey(spent)) in found:
            found[key][outkey_vout(spent)] = spend
    return found


def _each_spend(rows: Iterable[Document], tip: int) -> Iterable[tuple[int, Spend]]:
    """The outputs, by outkey, that the inputs of these rows spend at or below the tip."""
    for row in rows:
        height = txkey_height(row["_id"])
        for n, spent in enumerate(row["in_keys"] if height <= tip else ()):
            yield spent, Spend(hash_text(row["txid"]), n, height)


def _transaction(
    view: View, hint: Hint, index: int, rows: Mapping[int, Document], starts: list[Document], spends: Spends | None
) -> Transaction:
    block = hint.block
    key = txkey(block["_id"], index)
    place = Place(block["_id"], hash_text(block["hash"]), block["time"], index)
    depth = confirmations(view, block["_id"])
    confirm = hint.confirms.get(index)
    if confirm is not None:
        start = [s for s in starts if s["node"] == confirm.node and s["_id"] < key][-1]
        txid = sha256d(confirm_bytes(confirm, bytes(start["outpoint"])))
        return confirm_transaction(txid, confirm, start, place=place, confirmations=depth, network=view.network)
    row = transaction_row(rows[key])
    own = next((s for s in starts if s["_id"] == key), None) if row.kind == NODE_START else None
    return stored_transaction(row, own, spends, place=place, confirmations=depth, network=view.network)


async def _by_full_id(view: View, hint: Hint, full_id: bytes, full_ids: FullIds) -> list[Transaction]:
    """The node transaction of the block with this full-bytes id: a START by its row, others by the daemon's bytes."""
    height = hint.block["_id"]
    starts = await view.many("node_starts", {"_id": {"$gte": txkey(height, 0), "$lt": txkey(height + 1, 0)}})
    matching = [txkey_index(s["_id"]) for s in starts if bytes(s["full_id"]) == full_id]
    if not matching:
        ids = await full_ids(hash_text(hint.block["hash"]))
        indexes = sorted([*hint.confirms, *(txkey_index(s["_id"]) for s in starts)])
        matching = [index for index, known in zip(indexes, ids, strict=True) if known == full_id]
    return await _at_positions(view, [replace(hint, positions=tuple(matching))], spends=True)
