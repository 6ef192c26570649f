"""The statement of an address: what moved in a span of blocks, and that it adds up to the balance, to the zatoshi."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from explorer.db import View
from explorer.errors import BadRequest, NotFound
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.balances import newest_rows
from explorer.queries.block_rows import times_at
from explorer.queries.blocks import reference_at
from explorer.queries.movements import Category, movements_of
from explorer.queries.pinned import MASK, require_unchanged
from explorer.queries.results import BlockReference
from explorer.queries.spans import first_block, last_block
from explorer.queries.text import address_key
from explorer.queries.units import Address, Hash, Height, Seconds, Zatoshi
from indexer.chain.keys import hash_text, parse_hash, txkey, txkey_index
from indexer.store.codec import Document, LedgerRow, Transaction, ledger_id, ledger_row, transaction_row

LIST = Cursor("movements of a statement", 5)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """A movement and the balance that it left."""

    height: Height
    time: Seconds
    txid: Hash
    index: int
    category: Category
    amount: Zatoshi
    balance_after: Zatoshi


@dataclass(frozen=True, slots=True)
class Statement:
    """What moved on an address from block ``from`` up to and including block ``to``, oldest first.

    ``opening`` and the amounts of all pages add up to ``closing``; on this page ``brought_forward`` and its items to
    ``carried_forward``. ``received`` and ``sent`` are of the whole span, change to the address itself in both.
    """

    address: Address
    from_: Height
    to: BlockReference
    opening: Zatoshi
    received: Zatoshi
    sent: Zatoshi
    closing: Zatoshi
    brought_forward: Zatoshi
    items: tuple[StatementLine, ...]
    carried_forward: Zatoshi
    next: str | None


@dataclass(frozen=True, slots=True)
class _Start:
    """Where a page begins: movements above this place; ``last`` is the last block of the span."""

    last: int
    place: tuple[int, int, int]


async def statement(
    view: View,
    text: str,
    *,
    since: str | None = None,
    until: str | None = None,
    cursor: str | None = None,
    limit: int,
) -> Statement:
    """The statement of an address from ``since`` to ``until``: heights or ISO dates, both within; all by default.

    A cursor stays with the last block of the span. NotFound when what is stored does not add up.
    """
    key = address_key(text, view.network)
    first = 0 if since is None else await first_block(view, since)
    start = await _start(view, first, until) if cursor is None else await _resumed(view, cursor)
    if first > start.last + 1:
        raise BadRequest(
            Phrase("from is block %(first)s, above to, which is block %(last)s", first=first, last=start.last)
        )
    begin = max(first, start.place[0])
    (before, opening, closing), rows, reference = await asyncio.gather(
        _balances(view, key, (begin - 1, first - 1, start.last)),
        view.many("ledger", _rows(key, begin, start.last), sort=[("_id", 1)], limit=limit + 2),
        reference_at(view, start.last),
    )
    lines = [line for line in await _lines(view, before[0], rows, start, limit) if line[0] > start.place]
    page = lines[:limit]
    carried = page[-1][1].balance_after if page else closing[0]
    more = len(lines) > limit
    if not more and carried != closing[0]:
        raise _unwhole(start.last)
    return Statement(
        address=text,
        from_=first,
        to=reference,
        opening=opening[0],
        received=closing[1] - opening[1],
        sent=closing[1] - opening[1] - (closing[0] - opening[0]),
        closing=closing[0],
        brought_forward=page[0][1].balance_after - page[0][1].amount if page else carried,
        items=tuple(line for _, line in page),
        carried_forward=carried,
        next=LIST.encode(start.last, _mark(reference), *page[-1][0]) if more else None,
    )


async def _start(view: View, first: int, until: str | None) -> _Start:
    last = view.tip.height if until is None else await _last(view, until)
    return _Start(last, (first, -1, 0))


async def _resumed(view: View, cursor: str) -> _Start:
    last, mark, height, index, number = LIST.decode(cursor)
    await require_unchanged(view, last, mark, 0)
    if height > last:
        raise BadRequest(Phrase("this is no cursor of a statement: pass on the value of next unchanged"))
    return _Start(last, (height, index, number))


def _mark(reference: BlockReference) -> int:
    """What a cursor keeps of the last block, as ``explorer.queries.pinned`` compares it."""
    return int.from_bytes(parse_hash(reference.hash)[:8], "big") & MASK


async def _last(view: View, text: str) -> int:
    """The last block of a span; BadRequest when the chain had not begun."""
    last = await last_block(view, text)
    if last < 0:
        raise BadRequest(Phrase("to is %(text)s: there was no block yet", text=repr(text[:30])))
    return last


# --- movements ----------------------------------------------------------------------------------------------


async def _lines(
    view: View, balance: int, documents: Sequence[Document], start: _Start, limit: int
) -> list[tuple[tuple[int, int, int], StatementLine]]:
    """The movements in ledger rows with their places, more than ``limit`` above the start if there are so many."""
    rows = list(_enough(map(ledger_row, documents), start.place, limit + 1))
    keys = [txkey(row.height, position) for row in rows for position in row.positions]
    coinbases = [row.height for row in rows if row.positions[0] == 0]
    heights = [row.height for row in rows]
    found, times, judged = await asyncio.gather(
        view.rows("transactions", keys), times_at(view, heights), view.rows("payouts", coinbases)
    )
    stored = _Stored({key: transaction_row(row) for key, row in found.items()}, times, judged)
    lines = []
    for row in rows:
        lines += list(stored.lines(row, balance))
        balance = row.balance
    return lines


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is stored of some blocks, by key and height."""

    transactions: Mapping[int, Transaction]
    times: Mapping[int, int]
    judged: Mapping[int, Document]

    def lines(self, row: LedgerRow, balance: int) -> Iterator[tuple[tuple[int, int, int], StatementLine]]:
        """The movements of a ledger row; NotFound unless they lead from ``balance`` to the row's own."""
        try:
            for position in row.positions:
                transaction = self.transactions[txkey(row.height, position)]
                judged = None if position else self.judged[row.height]
                for number, (category, amount) in enumerate(movements_of(transaction, row.address, judged)):
                    balance += amount
                    place = row.height, txkey_index(transaction.key), number
                    time, txid = self.times[row.height], hash_text(transaction.txid)
                    yield place, StatementLine(row.height, time, txid, position, category, amount, balance)
        except KeyError:
            raise _unwhole(row.height) from None
        if balance != row.balance:
            raise _unwhole(row.height)


def _enough(rows: Iterable[LedgerRow], place: tuple[int, int, int], count: int) -> Iterator[LedgerRow]:
    """Rows until ``count`` transactions above a place are covered."""
    for row in rows:
        yield row
        count -= sum(1 for position in row.positions if (row.height, position) > place[:2])
        if count <= 0:
            return


async def _balances(view: View, key: bytes, heights: Sequence[int]) -> list[tuple[int, int]]:
    """Balance of an address after each block, and what it had received by then; zeros before block 0."""
    reached = sorted({height for height in heights if height >= 0})
    rows = await newest_rows(view, [(key, height) for height in reached])
    known = {height: (rows[n]["b"], rows[n]["r"]) for n, height in enumerate(reached) if n in rows}
    return [known.get(height, (0, 0)) for height in heights]


def _rows(key: bytes, first: int, last: int) -> dict[str, dict[str, bytes]]:
    return {"_id": {"$gte": ledger_id(key, first), "$lte": ledger_id(key, last)}}


def _unwhole(height: int) -> NotFound:
    return NotFound(Phrase(
        "movements up to block %(height)s do not add up: the index is not whole, run flux-explorer verify",
        height=height,
    ))  # fmt: skip
