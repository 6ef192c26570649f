"""What an address received and sent, block by block, out of its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.queries.block_rows import times_at
from explorer.queries.running import first_reaching
from indexer.chain.keys import txkey
from indexer.store.codec import Document, LedgerRow, Transaction, ledger_id, ledger_row, transaction_row

MOST = 20_000  # blocks in which an address moved


@dataclass(frozen=True, slots=True)
class Flow:
    """What the transactions of one block moved for an address, in zatoshi; ``to_self`` came back from itself."""

    height: int
    time: int
    transactions: int
    received: int
    sent: int
    to_self: int


async def flows(view: View, key: bytes, since: int | None = None, until: int | None = None) -> tuple[Flow, ...]:
    """What moved for an address in blocks from ``since`` to before ``until`` (Unix seconds), oldest first.

    A block's time is the running maximum of block times. BadRequest when there are too many to tell at once.
    """
    first, end = await asyncio.gather(_height(view, since, 0), _height(view, until, view.tip.height + 1))
    if end <= first:
        return ()
    between = {"_id": {"$gte": ledger_id(key, first), "$lt": ledger_id(key, end)}}
    before = {"_id": {"$gte": ledger_id(key, 0), "$lt": ledger_id(key, first)}}
    head, found = await asyncio.gather(
        view.one("ledger", before, sort=[("_id", -1)]),
        view.many("ledger", between, sort=[("_id", 1)], limit=MOST + 1),
    )
    if len(found) > MOST:
        raise BadRequest(
            Phrase("more than %(most)s blocks with transactions: ask for a shorter time, with from and to", most=MOST)
        )
    start = LedgerRow(key, 0, 0, 0, 0, 0, ()) if head is None else ledger_row(head)
    rows = [start, *map(ledger_row, found)]
    times, own = await asyncio.gather(times_at(view, [row.height for row in rows[1:]]), _to_self(view, rows))
    return tuple(_flow(a, b, times[b.height], own.get(b.height, 0)) for a, b in pairwise(rows))


async def _height(view: View, time: int | None, default: int) -> int:
    if time is None:
        return default
    reached = await first_reaching(view, "max_time", time)
    return view.tip.height + 1 if reached is None else reached


def _sums(a: LedgerRow, b: LedgerRow) -> tuple[int, int]:
    """Received and sent between two rows."""
    received = b.received - a.received
    return received, received - (b.balance - a.balance)


async def _to_self(view: View, rows: list[LedgerRow]) -> Mapping[int, int]:
    """By height, what an address was paid by transactions that also spend from it: only where it did both."""
    both = [b for a, b in pairwise(rows) if all(_sums(a, b))]
    keys = [txkey(row.height, position) for row in both for position in row.positions]
    found: list[Document] = await view.many("transactions", {"_id": {"$in": keys}}) if keys else []
    back = dict(_returned(map(transaction_row, found), rows[0].address))
    return {row.height: sum(back.get(txkey(row.height, p), 0) for p in row.positions) for row in both}


def _returned(transactions: Iterable[Transaction], key: bytes) -> Iterator[tuple[int, int]]:
    for transaction in transactions:
        if any(spent.address == key for spent in transaction.inputs):
            yield transaction.key, sum(output.value for output in transaction.outputs if output.address == key)


def _flow(a: LedgerRow, b: LedgerRow, time: int, to_self: int) -> Flow:
    received, sent = _sums(a, b)
    return Flow(b.height, time, b.tx_count - a.tx_count, received, sent, to_self)
