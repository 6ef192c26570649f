"""What moves in and out of the wallets of the bridge Fusion on the native chain: coins locked here, coins freed here.

A custodial bridge makes no coins: what is locked here is freed on another chain, and the other way round. The leg on
the other chain is not seen from here; it is in what the issuer holds there.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from explorer.db import View
from explorer.labels import Wallet
from explorer.paging import Cursor
from explorer.queries.addresses import ledger_height
from explorer.queries.block_rows import times_at
from explorer.queries.cuts import fusion_held
from explorer.queries.results import Page
from explorer.queries.rows import kind_name
from explorer.queries.supply_results import FusionHeld
from explorer.queries.text import address_text
from explorer.queries.units import Address, Hash, Height, Kind, Seconds, Zatoshi
from indexer.chain.keys import NO_ADDRESS, hash_text, txkey, txkey_height, txkey_index
from indexer.parse.columns import ints
from indexer.store.codec import Document, Transaction, ledger_id, transaction_row

LIST = Cursor("movements of Fusion", 2)
END_OF_BLOCK = 1 << 16  # above every position in a block
MOST_COUNTERPARTIES = 20

Direction: TypeAlias = Literal["locked", "freed", "internal"]


@dataclass(frozen=True, slots=True)
class Counterparty:
    """An address that paid in or was paid, and how much, without what came back to it."""

    address: Address
    amount: Zatoshi


@dataclass(frozen=True, slots=True)
class WalletChange:
    """What a transaction changed for a wallet."""

    address: Address
    role: str
    change: Zatoshi


@dataclass(frozen=True, slots=True)
class FusionMovement:
    """A transaction that touches the wallets: newly ``locked`` coins, ``freed`` ones, or ``internal`` between wallets.

    ``change`` is what it did to all wallets together, fee included, ``held`` what they held after it. ``amount`` is
    that change without a sign; between wallets, what went from one to another. ``counterparties`` are the largest.
    """

    txid: Hash
    height: Height
    time: Seconds
    index: int
    type: Kind
    direction: Direction
    amount: Zatoshi
    change: Zatoshi
    held: Zatoshi
    wallets: tuple[WalletChange, ...]
    counterparties: tuple[Counterparty, ...]
    counterparty_count: int


@dataclass(frozen=True, slots=True)
class FusionActivity:
    """The wallets as they are now, and one page of what moved in and out of them."""

    fusion: FusionHeld
    movements: Page[FusionMovement]


async def fusion_movements(
    view: View, wallets: Sequence[Wallet], *, cursor: str | None = None, limit: int
) -> Page[FusionMovement]:
    """What moved in and out of the wallets, newest first."""
    height, before = (view.tip.height, END_OF_BLOCK) if cursor is None else LIST.decode(cursor)
    if height > view.tip.height:
        height, before = view.tip.height, END_OF_BLOCK
    places = await _places(view, wallets, height, limit + 2)
    later = [key for key in places if (txkey_height(key), txkey_index(key)) >= (height, before)]
    shown = places[len(later) : len(later) + limit]
    fusion, found, times = await asyncio.gather(
        fusion_held(view, wallets, height),
        view.rows("transactions", [*later, *shown]),
        times_at(view, {*map(txkey_height, shown)}),
    )
    transactions = {key: transaction_row(document) for key, document in found.items()}
    held = fusion.held - sum(_change(transactions[key], wallets) for key in later)
    items = []
    for key in shown:
        items.append(_movement(view, transactions[key], wallets, held, times[txkey_height(key)]))
        held -= items[-1].change
    more = len(places) > len(later) + len(shown)
    return Page(tuple(items), LIST.encode(items[-1].height, items[-1].index) if more and items else None)


async def fusion_activity(view: View, wallets: Sequence[Wallet], *, cursor: str | None, limit: int) -> FusionActivity:
    """The wallets now, and what moved: what the page shows."""
    held, movements = await asyncio.gather(
        fusion_held(view, wallets, view.tip.height), fusion_movements(view, wallets, cursor=cursor, limit=limit)
    )
    return FusionActivity(held, movements)


async def _places(view: View, wallets: Sequence[Wallet], height: int, count: int) -> list[int]:
    """Where the transactions are that touch a wallet at or below a height, newest first; complete for ``count``.

    The newest ``count`` rows of each wallet are enough: a row names one transaction at least.
    """
    rows = await asyncio.gather(*(_newest(view, wallet.key, height, count) for wallet in wallets))
    keys = {txkey(ledger_height(row), position) for of in rows for row in of for position in ints(row["x"], "H")}
    # Below the last row of a wallet with more of them, its transactions are not known.
    known = max((txkey(ledger_height(of[-1]), 0) for of in rows if len(of) == count), default=0)
    return sorted((key for key in keys if key >= known), reverse=True)


async def _newest(view: View, key: bytes, height: int, count: int) -> list[Document]:
    where = {"_id": {"$gte": ledger_id(key, 0), "$lte": ledger_id(key, height)}}
    return await view.many("ledger", where, sort=[("_id", -1)], limit=count, fields=("x",))


def changes_of(transaction: Transaction) -> Counter[bytes]:
    """What a transaction changed for each address, in zatoshi; under NO_ADDRESS for outputs that show none."""
    changes: Counter[bytes] = Counter()
    for output in transaction.outputs:
        changes[output.address] += output.value
    for spent in transaction.inputs:
        changes[spent.address] -= spent.value
    return changes


def _change(transaction: Transaction, wallets: Sequence[Wallet]) -> int:
    """What a transaction changed for all wallets together, in zatoshi."""
    changes = changes_of(transaction)
    return sum(changes[wallet.key] for wallet in wallets)


def _movement(view: View, transaction: Transaction, wallets: Sequence[Wallet], held: int, time: int) -> FusionMovement:
    changes = changes_of(transaction)
    touched = tuple(WalletChange(w.address, w.role, changes[w.key]) for w in wallets if w.key in changes)
    change = sum(wallet.change for wallet in touched)
    others = {key: value for key, value in changes.items() if key not in {wallet.key for wallet in wallets}}
    outgoing = any(wallet.change < 0 for wallet in touched)
    paid = sum(value for value in others.values() if value > 0)
    shielded = transaction.shielded is not None
    direction: Direction = "locked" if change > 0 or not outgoing else "freed" if paid or shielded else "internal"
    moved = sum(wallet.change for wallet in touched if wallet.change > 0)
    parties = tuple(_counterparties(view, others, -1 if direction == "locked" else 1))
    return FusionMovement(
        txid=hash_text(transaction.txid),
        height=txkey_height(transaction.key),
        time=time,
        index=txkey_index(transaction.key),
        type=kind_name(transaction.kind),
        direction=direction,
        amount=moved if direction == "internal" else abs(change),
        change=change,
        held=held,
        wallets=touched,
        counterparties=parties[:MOST_COUNTERPARTIES],
        counterparty_count=len(parties),
    )


def _counterparties(view: View, others: Mapping[bytes, int], sign: int) -> Iterator[Counterparty]:
    """The addresses on the other side, those with the most first; ``sign`` is that of what changed for them."""
    for key, value in sorted(others.items(), key=lambda one: (-abs(one[1]), one[0])):
        address = None if key == NO_ADDRESS else address_text(key, view.network)
        if address is not None and sign * value > 0:
            yield Counterparty(address, abs(value))
