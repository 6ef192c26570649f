"""Addresses: balance now or at a height, history, unspent outputs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from explorer.db import View
from explorer.errors import BadRequest
from explorer.labels import NO_LABELS, Labels
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.block_rows import times_at
from explorer.queries.blocks import confirmations, reference_at
from explorer.queries.mempool import AddressPool, of_address
from explorer.queries.results import AddressSummary, Movement, Page, TierCounts, Unspent
from explorer.queries.rows import delta, kind_name
from explorer.queries.text import address_key, script_type
from explorer.queries.unconfirmed import spends_among
from explorer.tasks import already
from indexer.chain.keys import (
    P2PKH,
    first_outkey,
    hash_text,
    is_coinbase,
    outkey_height,
    outpoint_text,
    txkey,
    txkey_height,
    txkey_index,
)
from indexer.chain.nodes import Status
from indexer.chain.tiers import TIERS
from indexer.store.codec import (
    Document,
    LedgerRow,
    Transaction,
    ledger_id,
    ledger_row,
    transaction_row,
    utxo_row,
)

HISTORY = Cursor("transactions of an address", 2)
UNSPENT = Cursor("unspent outputs of an address", 1)


def at_height(view: View, at: int | None, depth: int | None) -> int:
    """The height that ``at``, or ``confirmations=depth`` (at least 1), asks for; the tip without both."""
    if at is not None and depth is not None:
        raise BadRequest(Phrase("at and confirmations cannot be combined: give one of them"))
    if depth is None:
        return view.tip.height if at is None else view.require_height(at)
    if not 1 <= depth <= view.tip.height + 1:
        raise BadRequest(
            Phrase("confirmations is %(depth)s: expected 1 to %(most)s", depth=depth, most=view.tip.height + 1)
        )
    return view.tip.height + 1 - depth


async def address(
    view: View, text: str, *, at: int | None = None, depth: int | None = None, labels: Labels = NO_LABELS
) -> AddressSummary:
    """An address at a height, the tip by default; zeros for one that was never used."""
    return (await address_and_pool(view, text, at=at, depth=depth, labels=labels))[0]


async def address_and_pool(
    view: View, text: str, *, at: int | None = None, depth: int | None = None, labels: Labels = NO_LABELS
) -> tuple[AddressSummary, AddressPool | None]:
    """An address as ``address`` tells it, and what waits for it: None while that is unknown, and in the past."""
    key = address_key(text, view.network)
    height = at_height(view, at, depth)
    now = height == view.tip.height
    rows, reference, nodes, pool = await asyncio.gather(
        _around(view, key, height),
        reference_at(view, height),
        _confirmed_nodes(view, key) if now and is_following(view) else already(None),
        of_address(view, key) if now else already(None),
    )
    row = ledger_row(rows[-1]) if rows else LedgerRow(key, 0, 0, 0, 0, 0, ())
    immature = await _immature(view, key, rows, height)
    label = labels.of(key)
    summary = AddressSummary(
        at=reference,
        address=text,
        type=address_type(key),
        balance=row.balance,
        received=row.received,
        sent=row.received - row.balance,
        transaction_count=row.tx_count,
        immature=immature,
        spendable=row.balance - immature - (0 if pool is None else pool.spent) if now else None,
        unconfirmed=None if pool is None else pool.change,
        utxo_count=row.utxo_count if now else None,
        first_height=ledger_height(rows[0]) if rows else None,
        last_height=row.height if rows else None,
        label=None if label is None else label.text,
        nodes=nodes,
    )
    return summary, pool


async def history(view: View, text: str, *, cursor: str | None = None, limit: int) -> Page[Movement]:
    """What the transactions of an address changed for it, newest first."""
    key = address_key(text, view.network)
    height, before = HISTORY.decode(cursor) if cursor else (view.tip.height, 1 << 16)
    height, before = (height, before) if height <= view.tip.height else (view.tip.height, 1 << 16)
    # The block of the cursor may have nothing left to show, and one item more tells whether there is a next page.
    documents = await view.many("ledger", _rows(key, 0, height), sort=[("_id", -1)], limit=limit + 2)
    rows = list(_enough(map(ledger_row, documents), height, before, limit + 1))
    keys = [txkey(row.height, position) for row in rows for position in row.positions]
    times, found = await asyncio.gather(
        times_at(view, [row.height for row in rows]), view.rows("transactions", keys)
    )
    by_key = {key: transaction_row(document) for key, document in found.items()}
    movements = [
        _movement(view, transaction, change, balance, times)
        for row in rows
        for transaction, change, balance in _balances(row, by_key)
        if (row.height, txkey_index(transaction.key)) < (height, before)
    ]
    page = movements[:limit]
    more = len(movements) > limit
    return Page(tuple(page), HISTORY.encode(page[-1].height, page[-1].index) if more else None)


async def unspent(view: View, text: str, *, cursor: str | None = None, limit: int) -> Page[Unspent]:
    """The unspent outputs of an address in the chain, newest first; one that is about to be spent is marked."""
    key = address_key(text, view.network)
    below = first_outkey(view.tip.height + 1)
    if cursor is not None:
        below = min(below, *UNSPENT.decode(cursor))
    rows = await view.many("utxos", {"a": key, "k": {"$lt": below}}, sort=[("k", -1)], limit=limit + 1)
    page = [utxo_row(row) for row in rows[:limit]]
    spends = await spends_among(view, [key], [row.outpoint for row in page])
    items = tuple(
        Unspent(
            outpoint=outpoint_text(row.outpoint),
            value=row.value,
            height=outkey_height(row.outkey),
            confirmations=confirmations(view, outkey_height(row.outkey)),
            coinbase=is_coinbase(row.outkey),
            spendable_height=_spendable_height(view, row.outkey),
            script_type=script_type(row.form),
            spent_unconfirmed_by=spends.get(row.outpoint),
        )
        for row in page
    )
    return Page(items, UNSPENT.encode(page[-1].outkey) if len(rows) > limit else None)


def address_type(key: bytes) -> Literal["p2pkh", "p2sh"]:
    """The kind of an address key."""
    return "p2pkh" if key[0] == P2PKH else "p2sh"


def ledger_height(document: Document) -> int:
    """The height in the ``_id`` of a row of ``ledger``."""
    return int.from_bytes(document["_id"][21:], "big")


def _rows(key: bytes, first: int, last: int) -> dict[str, dict[str, dict[str, bytes]]]:
    return {"_id": {"$gte": ledger_id(key, first), "$lte": ledger_id(key, last)}}  # type: ignore[dict-item]


def is_following(view: View) -> bool:
    """Whether mutable rows are quiet enough to be read: not while the index catches up."""
    return view.meta.rates.get("state") != "catching_up"


async def _confirmed_nodes(view: View, key: bytes) -> TierCounts:
    rows = await view.many("nodes", {"payee": key, "status": int(Status.CONFIRMED)}, fields=("tier",))
    counted = Counter(row["tier"] for row in rows)
    return TierCounts(*(counted[tier] for tier in TIERS))


async def _around(view: View, key: bytes, height: int) -> list[Document]:
    """The first and the newest ledger row of an address up to a height, and all that may be immature: rising."""
    all_rows, recent = _rows(key, 0, height), _rows(key, _first_immature(view, height), height)
    first: list[Mapping[str, Any]] = [{"$match": all_rows}, {"$sort": {"_id": 1}}, {"$limit": 1}]
    last = [{"$match": all_rows}, {"$sort": {"_id": -1}}, {"$limit": 1}]
    also = ({"$unionWith": {"coll": "ledger", "pipeline": part}} for part in (last, [{"$match": recent}]))
    found = {bytes(row["_id"]): row for row in await view.aggregate("ledger", [*first, *also])}
    return [found[id] for id in sorted(found)]


def _first_immature(view: View, height: int) -> int:
    """The lowest height whose coinbase is immature when ``height`` is the tip."""
    return max(0, height - view.network.coinbase_maturity + 2)


def _spendable_height(view: View, outkey: int) -> int | None:
    return outkey_height(outkey) + view.network.coinbase_maturity if is_coinbase(outkey) else None


async def _immature(view: View, key: bytes, rows: Iterable[Document], height: int) -> int:
    """What the coinbases among ledger rows pay to an address that are immature when ``height`` is the tip."""
    recent = [row for row in rows if ledger_height(row) >= _first_immature(view, height)]
    coinbases = await view.rows("transactions", [txkey(ledger_height(r), 0) for r in recent if r["x"][:2] == b"\0\0"])
    return sum(delta(transaction_row(row), key) for row in coinbases.values())


def _enough(rows: Iterable[LedgerRow], height: int, before: int, count: int) -> Iterator[LedgerRow]:
    """Rows until ``count`` transactions below position (height, before) are covered."""
    for row in rows:
        yield row
        count -= sum(1 for position in row.positions if (row.height, position) < (height, before))
        if count <= 0:
            return


def _balances(row: LedgerRow, transactions: dict[int, Transaction]) -> Iterator[tuple[Transaction, int, int]]:
    """The transactions of a ledger row, newest first, each with its delta and the balance it left."""
    balance = row.balance
    for position in reversed(row.positions):
        transaction = transactions[txkey(row.height, position)]
        change = delta(transaction, row.address)
        yield transaction, change, balance
        balance -= change


def _movement(view: View, transaction: Transaction, change: int, balance: int, times: Mapping[int, int]) -> Movement:
    height = txkey_height(transaction.key)
    return Movement(
        txid=hash_text(transaction.txid),
        height=height,
        time=times[height],
        index=txkey_index(transaction.key),
        type=kind_name(transaction.kind),
        delta=change,
        balance_after=balance,
        confirmations=confirmations(view, height),
    )
