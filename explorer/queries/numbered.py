"""The transactions of an address by number: any page of a long history without walking up to it.

Every ledger row has the running number of the address's transactions, so that a search over heights finds the row
where a number falls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from explorer.db import View
from explorer.queries.balances import newest_rows
from indexer.chain.keys import txkey
from indexer.store.codec import Document, LedgerRow, ledger_id, ledger_row

FANOUT = 200  # heights looked at in one question: three questions for four million blocks


@dataclass(frozen=True, slots=True)
class Numbered:
    """How many transactions an address has in a range of heights, and the txkeys of some of them, newest first."""

    total: int
    keys: tuple[int, ...]


async def numbered(view: View, key: bytes, *, first: int, last: int, skip: int, limit: int) -> Numbered:
    """Up to ``limit`` transactions of an address in blocks ``first`` to ``last``, without the ``skip`` newest."""
    # The newest row tells how many there are; without any to skip, the first page begins with it.
    newest, before = await asyncio.gather(
        _between(view, key, 0, last, 1 if skip else max(limit, 1)), _between(view, key, 0, first - 1, 1)
    )
    total = max(0, _number(newest) - _number(before))
    if skip >= total or not limit:
        return Numbered(total, ())
    wanted = _number(newest) - skip
    if skip:
        height = await _height_of(view, key, wanted, first, ledger_row(newest[0]).height)
        newest = await _between(view, key, first, height, limit)
    return Numbered(total, tuple(_keys(map(ledger_row, newest), wanted, min(limit, total - skip))))


async def _between(view: View, key: bytes, first: int, last: int, limit: int) -> list[Document]:
    """The newest ledger rows of an address in a span of heights, newest first."""
    if last < first:
        return []
    where = {"_id": {"$gte": ledger_id(key, first), "$lte": ledger_id(key, last)}}
    return await view.many("ledger", where, sort=[("_id", -1)], limit=limit)


def _number(rows: Sequence[Document]) -> int:
    """The running number of the first of the rows; 0 where there is none."""
    return int(rows[0]["n"]) if rows else 0


async def _height_of(view: View, key: bytes, wanted: int, low: int, high: int) -> int:
    """The height in ``low`` to ``high`` at which an address had its transaction number ``wanted``, from 1."""
    while low < high:
        heights = range(low, high, max(1, (high - low) // FANOUT))
        rows = await newest_rows(view, [(key, height) for height in heights])
        reached = next((n for n in range(len(heights)) if n in rows and rows[n]["n"] >= wanted), len(heights))
        low = heights[reached - 1] + 1 if reached else low
        high = heights[reached] if reached < len(heights) else high
    return high


def _keys(rows: Iterable[LedgerRow], wanted: int, limit: int) -> Iterator[int]:
    """The txkeys from number ``wanted`` downwards."""
    for row in rows:
        newest_first = row.positions[::-1]
        for position in newest_first[max(0, row.tx_count - wanted) :]:
            if not limit:
                return
            yield txkey(row.height, position)
            limit -= 1
