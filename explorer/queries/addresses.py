"""Addresses: balance now or at a height, history, unspent outputs."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from explorer.db import View
from explorer.errors import BadRequest
from explorer.labels import NO_LABELS, Labels
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.blocks import confirmations, reference_at
from explorer.queries.mempool import of_address
from explorer.queries.results import AddressSummary, Movement, Page, TierCounts, Unspent
from explorer.queries.rows import delta, kind_name
from explorer.queries.text import address_key, script_type
from explorer.queries.unconfirmed import spends_among
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
    key = address_key(text, view.network)
    height = at_height(view, at, depth)
    now = height == view.tip.height
    latest, first, recent, reference, nodes, pool = await asyncio.gather(
        view.one("ledger", _rows(key, 0, height), sort=[("_id", -1)]),
        view.one("ledger", _rows(key, 0, height), sort=[("_id", 1)]),
        view.many("ledger", _rows(key, _first_immature(view, height), height), fields=("x",)),
        reference_at(view, height),
        _confirmed_nodes(view, key) if now and is_following(view) else _unknown(),
        of_address(view, key) if now else _unknown(),
    )
    row = LedgerRow(key, 0, 0, 0, 0, 0, ()) if latest is None else ledger_row(latest)
    immature = await _immature(view, key, recent)
    label = labels.of(key)
    return AddressSummary(
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
        first_height=None if first is None else ledger_height(first),
        last_height=None if latest is None else row.height,
        label=None if label is None else label.text,
        nodes=nodes,
    )


async def history(view: View, text: str, *, cursor: str | None = None, limit: int) -> Page[Movement]:
    """What the transactions of an address changed for it, newest first."""
    key = address_key(text, view.network)
    height, before = HISTORY.decode(cursor) if cursor else (view.tip.height, 1 << 16)
    height, before = (height, before) if height <= view.tip.height else (view.tip.height, 1 << 16)
    # The block of the cursor may have nothing left to show, and one item more tells whether there is a next page.
    documents = await view.many("ledger", _rows(key, 0, height), sort=[("_id", -1)], limit=limit + 2)
    rows = list(_enough(map(ledger_row, documents), height, before, limit + 1))
    keys = [txkey(row.height, position) for row in rows for position in row.positions]
    blocks, found = await asyncio.gather(
        view.many("blocks", {"_id": {"$in": [row.height for row in rows]}}, fields=("time",)),
        view.many("transactions", {"_id": {"$in": keys}}),
    )
    times = {block["_id"]: block["time"] for block in blocks}
    by_key = {document["_id"]: transaction_row(document) for document in found}
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


async def _unknown() -> None:
    return None


def is_following(view: View) -> bool:
    """Whether mutable rows are quiet enough to be read: not while the index catches up."""
    return view.meta.rates.get("state") != "catching_up"


async def _confirmed_nodes(view: View, key: bytes) -> TierCounts:
    rows = await view.many("nodes", {"payee": key, "status": int(Status.CONFIRMED)}, fields=("tier",))
    counted = Counter(row["tier"] for row in rows)
    return TierCounts(*(counted[tier] for tier in TIERS))


def _first_immature(view: View, height: int) -> int:
    """The lowest height whose coinbase is immature when ``height`` is the tip."""
    return max(0, height - view.network.coinbase_maturity + 2)


def _spendable_height(view: View, outkey: int) -> int | None:
    return outkey_height(outkey) + view.network.coinbase_maturity if is_coinbase(outkey) else None


async def _immature(view: View, key: bytes, recent: list[Document]) -> int:
    """What the coinbases among recent ledger rows pay to an address."""
    keys = [txkey(ledger_height(row), 0) for row in recent if row["x"][:2] == b"\0\0"]
    if not keys:
        return 0
    rows = await view.many("transactions", {"_id": {"$in": keys}})
    return sum(delta(transaction_row(row), key) for row in rows)


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


def _movement(view: View, transaction: Transaction, change: int, balance: int, times: dict[int, int]) -> Movement:
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
