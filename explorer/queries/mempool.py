"""The mempool: what waits for a block, newest first, and what of it concerns an address.

A transaction that is mined at or below the tip is not unconfirmed any more, even while the set still holds it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from explorer.db import View
from explorer.errors import Syncing
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.pool import Pool
from explorer.queries.rows import delta, kind_name
from explorer.queries.transactions import mined
from explorer.queries.unconfirmed import COLLECTION, touching
from explorer.queries.units import Bytes, Hash, Kind, Seconds, Zatoshi
from indexer.chain.keys import hash_text
from indexer.parse.columns import TRANSFER
from indexer.store.codec import Document, Transaction, unconfirmed_row

LIST = Cursor("the mempool", 1)


@dataclass(frozen=True, slots=True)
class WaitingCounts:
    """How many unconfirmed transactions there are of each kind."""

    transfer: int
    node_start: int
    node_confirm: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """An unconfirmed transaction in a list; ``fee`` is None for node transactions."""

    txid: Hash
    type: Kind
    size: Bytes
    fee: Zatoshi | None
    first_seen: Seconds


@dataclass(frozen=True, slots=True)
class Mempool:
    """The unconfirmed set and some of it.

    ``left_out`` counts what the daemon has and this index does not show: what is beyond its bounds, or spends what
    it does not know yet. ``stale_since`` is when the set was last compared with the daemon's, None while it is.
    """

    count: int
    bytes: Bytes
    by_type: WaitingCounts
    left_out: int
    stale_since: Seconds | None
    items: tuple[Waiting, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class UnconfirmedMovement:
    """What an unconfirmed transaction is going to change for an address."""

    txid: Hash
    type: Kind
    delta: Zatoshi
    first_seen: Seconds


@dataclass(frozen=True, slots=True)
class AddressPool:
    """What waits for an address, newest first, and how much of its balance is spent by it."""

    movements: tuple[UnconfirmedMovement, ...]
    spent: Zatoshi

    @property
    def change(self) -> int:
        """The sum of the movements, in zatoshi."""
        return sum(movement.delta for movement in self.movements)


async def mempool(view: View, *, cursor: str | None = None, limit: int) -> Mempool:
    """The unconfirmed transactions, newest first; Syncing while the set is unknown."""
    pool = view.pool
    if pool is None:
        raise Syncing(Phrase("the unconfirmed transactions are unknown until the index has caught up with the daemon"))
    where = {"n": {"$lt": LIST.decode(cursor)[0]}} if cursor else {}
    over, found = await asyncio.gather(_mined_rows(view, pool), _newest(view, where, limit + 1))
    if over and len(found) > limit:
        found = await _newest(view, where, limit + 1 + len(over))
    rows = [row for row in found if bytes(row["_id"]) not in over]
    gone = Counter(row["kind"] for row in over.values())
    return Mempool(
        count=pool.count - len(over),
        bytes=pool.bytes - sum(row["size"] for row in over.values()),
        by_type=WaitingCounts(*(count - gone[kind] for kind, count in enumerate(pool.kinds, TRANSFER))),
        left_out=pool.left_out,
        stale_since=pool.stale_since,
        items=tuple(map(_waiting, rows[:limit])),
        next=LIST.encode(rows[limit - 1]["n"]) if len(rows) > limit else None,
    )


async def of_address(view: View, key: bytes) -> AddressPool | None:
    """What the unconfirmed transactions do to an address; None while the set is unknown."""
    if view.pool_about([key]) is None:
        return None
    waiting = [(row, unconfirmed_row(row)) for row in await rows_of_address(view, key)]
    movements = tuple(
        UnconfirmedMovement(hash_text(tx.txid), kind_name(tx.kind), delta(tx, key), row["seen"]) for row, tx in waiting
    )
    return AddressPool(movements, _spent([tx for _, tx in waiting], key))


async def rows_of_address(view: View, key: bytes) -> list[Document]:
    """The rows that pay to or spend from an address and are in no block up to the tip, newest first."""
    pool = view.pool_about([key])
    if pool is None:
        return []
    rows = {bytes(row["_id"]): row for row in await touching(view, key)}
    over = await mined(view, rows.keys(), pool.mined_above(view.tip.height, view.tip.epoch))
    return [row for txid, row in rows.items() if txid not in over]


async def _newest(view: View, where: Mapping[str, object], limit: int) -> list[Document]:
    return await view.many(COLLECTION, where, sort=[("n", -1)], limit=limit)


async def _mined_rows(view: View, pool: Pool) -> Mapping[bytes, Document]:
    """Those rows of the set that are in a block at or below the tip, by txid."""
    above = pool.mined_above(view.tip.height, view.tip.epoch)
    if above >= view.tip.height:
        return {}
    rows = {bytes(row["_id"]): row for row in await view.many(COLLECTION, {}, fields=("kind", "size"))}
    return {txid: rows[txid] for txid in await mined(view, rows.keys(), above)}


def _waiting(row: Document) -> Waiting:
    txid, kind = hash_text(bytes(row["_id"])), kind_name(row["kind"])
    return Waiting(txid, kind, row["size"], row.get("fee"), row["seen"])


def _spent(waiting: list[Transaction], key: bytes) -> int:
    """What unconfirmed transactions take from the balance of an address: not what other ones pay to it."""
    own = {tx.txid for tx in waiting}
    return sum(i.value for tx in waiting for i in tx.inputs if i.address == key and i.outpoint[:32] not in own)
