"""The coins of an address as a wallet counts them: those in the chain and those that wait, none that is being spent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from explorer.db import View
from explorer.errors import BadRequest
from explorer.queries.blocks import confirmations
from explorer.queries.mempool import rows_of_address
from explorer.tasks import already
from indexer.chain.keys import first_outkey, is_coinbase, outkey_height, outpoint
from indexer.store.codec import Transaction, Utxo, unconfirmed_row, utxo_row

MOST = 50_000


@dataclass(frozen=True, slots=True)
class Coin:
    """An output that can be spent; height and ``coinbase`` tell when. ``height`` is None in the mempool."""

    outpoint: bytes
    value: int
    height: int | None
    confirmations: int
    coinbase: bool
    lock_time: int | None = None


async def coins(view: View, key: bytes, *, confirmed: bool = False) -> tuple[Coin, ...]:
    """The unspent outputs of an address, newest first, with the mempool or, if ``confirmed``, without it.

    BadRequest above 50,000: /api/v1 gives them page by page.
    """
    where = {"a": key, "k": {"$lt": first_outkey(view.tip.height + 1)}}
    rows, waiting = await asyncio.gather(
        view.many("utxos", where, sort=[("k", -1)], limit=MOST + 1),
        already([]) if confirmed else rows_of_address(view, key),
    )
    if len(rows) > MOST:
        raise BadRequest(f"more than {MOST} unspent outputs: ask for them page by page, /api/v1/addresses/…/utxos")
    transactions = [unconfirmed_row(row) for row in waiting]
    spent = {spent.outpoint for transaction in transactions for spent in transaction.inputs}
    found = (*_waiting(transactions, key), *(_mined(view, utxo_row(row)) for row in rows))
    return tuple(coin for coin in found if coin.outpoint not in spent)


def _waiting(transactions: Iterable[Transaction], key: bytes) -> Iterator[Coin]:
    for transaction in transactions:
        for n, output in enumerate(transaction.outputs):
            if output.address == key:
                yield Coin(outpoint(transaction.txid, n), output.value, None, 0, False, transaction.lock_time)


def _mined(view: View, row: Utxo) -> Coin:
    height = outkey_height(row.outkey)
    return Coin(row.outpoint, row.value, height, confirmations(view, height), is_coinbase(row.outkey))
