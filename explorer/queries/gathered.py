"""Several addresses as one: their coins, deltas and transactions, merged; bounded, in one or two round trips."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.db import View
from explorer.errors import BadRequest
from explorer.queries.blocks import confirmations
from explorer.queries.text import address_key
from explorer.queries.transactions import mined
from explorer.queries.unconfirmed import spends_among
from explorer.tasks import already
from indexer.chain.address import script_for
from indexer.chain.keys import (
    first_outkey,
    hash_text,
    is_coinbase,
    outkey_height,
    outkey_txkey,
    outkey_vout,
    outpoint,
    outpoint_index,
    txkey,
    txkey_height,
    txkey_index,
)
from indexer.store import codec
from indexer.store.codec import Document, is_odd, ledger_id, ledger_row, transaction_row, unconfirmed_row, utxo_row

MOST_ADDRESSES: Final = 100
MOST_COINS: Final = 10_000
MOST_TRANSACTIONS: Final = 10_000
AT_ONCE: Final = 500  # whole transactions in memory, some of which pay thousands


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output of an address; ``height`` is None while it is unconfirmed, ``since`` when it came then."""

    address: str
    txid: str
    vout: int
    script: bytes
    value: int
    height: int | None
    confirmations: int
    coinbase: bool
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """What the input or output ``n`` of a transaction did to an address, in zatoshi."""

    address: str
    txid: str
    height: int
    position: int
    n: int
    value: int
    time: int | None = None
    spent: tuple[str, int] | None = None


def keys_of(view: View, addresses: Sequence[str]) -> dict[bytes, str]:
    """The keys of addresses with their texts; BadRequest names what is none, or says that they are too many."""
    if not 1 <= len(addresses) <= MOST_ADDRESSES:
        raise BadRequest(f"{len(addresses)} addresses: expected 1 to {MOST_ADDRESSES}")
    return {address_key(text, view.network): text for text in addresses}


# --- coins --------------------------------------------------------------------------------------------------


async def coins_of(view: View, addresses: Sequence[str], *, unconfirmed: bool) -> list[Coin]:
    """The unspent outputs, newest first.

    With ``unconfirmed`` those that the mempool makes come first, and those that it spends are left out. BadRequest
    when there are more than 10,000.
    """
    keys = keys_of(view, addresses)
    where = {"a": {"$in": list(keys)}, "k": {"$lt": first_outkey(view.tip.height + 1)}}
    rows, waiting = await asyncio.gather(
        view.many("utxos", where, sort=[("k", -1)], limit=MOST_COINS + 1),
        waiting_for(view, keys) if unconfirmed else already([]),
    )
    if len(rows) > MOST_COINS:
        raise BadRequest(f"more than {MOST_COINS} unspent outputs: page through /api/v1/addresses/{{address}}/utxos")
    stored = [utxo_row(row) for row in rows]
    scripts = await _odd_scripts(view, stored)
    coins = list(_unconfirmed_coins(keys, waiting)) + [_coin(view, keys, row, scripts) for row in stored]
    if not unconfirmed:
        return coins
    spent = await spends_among(view, keys, [outpoint(bytes.fromhex(c.txid)[::-1], c.vout) for c in coins])
    gone = {(hash_text(point[:32]), outpoint_index(point)) for point in spent}
    return [coin for coin in coins if (coin.txid, coin.vout) not in gone]


async def _odd_scripts(view: View, rows: Sequence[codec.Utxo]) -> dict[int, bytes]:
    """By outkey, the scripts that do not follow from the address."""
    odd = [row for row in rows if is_odd(row.form)]
    if not odd:
        return {}
    keys = sorted({outkey_txkey(row.outkey) for row in odd})
    found = await view.many("transactions", {"_id": {"$in": keys}})
    by_key = {row["_id"]: transaction_row(row) for row in found}
    return {row.outkey: by_key[outkey_txkey(row.outkey)].outputs[outkey_vout(row.outkey)].script for row in odd}


def _coin(view: View, keys: Mapping[bytes, str], row: codec.Utxo, scripts: Mapping[int, bytes]) -> Coin:
    height = outkey_height(row.outkey)
    script = scripts[row.outkey] if row.outkey in scripts else script_for(row.address)
    return Coin(
        keys[row.address],
        hash_text(row.outpoint[:32]),
        outpoint_index(row.outpoint),
        script,
        row.value,
        height,
        confirmations(view, height),
        is_coinbase(row.outkey),
    )


def _unconfirmed_coins(keys: Mapping[bytes, str], waiting: Sequence[Document]) -> Iterator[Coin]:
    for document in waiting:
        row = unconfirmed_row(document)
        for n, output in enumerate(row.outputs):
            if output.address in keys:
                script = output.script if is_odd(output.form) else script_for(output.address)
                txid, since = hash_text(row.txid), document["seen"]
                yield Coin(keys[output.address], txid, n, script, output.value, None, 0, False, since)


async def immature(view: View, addresses: Sequence[str]) -> int:
    """What the coinbases pay to addresses that cannot be spent yet, in zatoshi."""
    youngest = first_outkey(max(0, view.tip.height - view.network.coinbase_maturity + 2))
    end = first_outkey(view.tip.height + 1)
    where = {"a": {"$in": list(keys_of(view, addresses))}, "k": {"$gte": youngest, "$lt": end}}
    return sum(row["v"] for row in await view.many("utxos", where, fields=("k", "v")) if is_coinbase(row["k"]))


# --- the mempool --------------------------------------------------------------------------------------------


async def waiting_for(view: View, keys: Mapping[bytes, str]) -> list[Document]:
    """The rows of ``mempool`` that touch addresses and are not mined at the tip, newest first."""
    pool = view.pool_about(keys)
    if pool is None:
        return []
    rows = await view.many("mempool", {"touches": {"$in": list(keys)}}, sort=[("n", -1)])
    ids = {bytes(row["_id"]) for row in rows}
    over = await mined(view, ids, pool.mined_above(view.tip.height, view.tip.epoch))
    return [row for row in rows if bytes(row["_id"]) not in over]


async def waiting_deltas(view: View, addresses: Sequence[str]) -> list[Delta]:
    """What the mempool does to addresses, oldest first."""
    keys = keys_of(view, addresses)
    waiting = await waiting_for(view, keys)
    return [delta for row in reversed(waiting) for delta in _deltas(keys, unconfirmed_row(row), row["seen"])]


# --- history ------------------------------------------------------------------------------------------------


async def transaction_keys(
    view: View, addresses: Sequence[str], *, first: int = 0, last: int | None = None, most: int = MOST_TRANSACTIONS
) -> list[int]:
    """The txkeys of the newest ``most`` transactions at heights ``first`` to ``last``, newest first, and one more."""
    keys = keys_of(view, addresses)
    end = view.tip.height if last is None else min(last, view.tip.height)
    if first > end:
        return []
    rows = await asyncio.gather(*(_ledger(view, key, first, end, most + 1) for key in keys))
    found = {txkey(row.height, position) for part in rows for row in part for position in row.positions}
    return sorted(found, reverse=True)[: most + 1]


async def all_transaction_keys(
    view: View, addresses: Sequence[str], *, first: int = 0, last: int | None = None
) -> list[int]:
    """All txkeys, newest first; BadRequest when there are more than 10,000."""
    found = await transaction_keys(view, addresses, first=first, last=last)
    if len(found) > MOST_TRANSACTIONS:
        raise BadRequest(
            f"more than {MOST_TRANSACTIONS} transactions: ask for fewer heights, "
            "or page through /api/v1/addresses/{address}/transactions"
        )
    return found


async def txids_of(view: View, keys: Sequence[int]) -> list[str]:
    """The ids of the transactions at txkeys, in that order."""
    rows = await view.many("transactions", {"_id": {"$in": list(keys)}}, fields=("txid",)) if keys else []
    by_key = {row["_id"]: hash_text(bytes(row["txid"])) for row in rows}
    return [by_key[key] for key in keys if key in by_key]


async def deltas_of(
    view: View, addresses: Sequence[str], *, first: int = 0, last: int | None = None
) -> list[Delta]:
    """What every input and output did to the addresses, address by address, oldest first."""
    keys = keys_of(view, addresses)
    wanted = (await all_transaction_keys(view, addresses, first=first, last=last))[::-1]
    found: list[Delta] = []
    for begin in range(0, len(wanted), AT_ONCE):
        some = {"$in": wanted[begin : begin + AT_ONCE]}
        rows = await view.many("transactions", {"_id": some}, sort=[("_id", 1)])
        found += [delta for row in rows for delta in _deltas(keys, transaction_row(row), None)]
    order = {text: n for n, text in enumerate(keys.values())}
    return sorted(found, key=lambda delta: order[delta.address])


async def _ledger(view: View, key: bytes, first: int, last: int, limit: int) -> list[codec.LedgerRow]:
    where = {"_id": {"$gte": ledger_id(key, first), "$lte": ledger_id(key, last)}}
    return [ledger_row(row) for row in await view.many("ledger", where, sort=[("_id", -1)], limit=limit)]


def _deltas(keys: Mapping[bytes, str], row: codec.Transaction, time: int | None) -> Iterator[Delta]:
    txid = hash_text(row.txid)
    place = (txkey_height(row.key), txkey_index(row.key)) if row.key >= 0 else (-1, -1)
    for n, spent in enumerate(row.inputs):
        if spent.address in keys:
            point = hash_text(spent.outpoint[:32]), outpoint_index(spent.outpoint)
            yield Delta(keys[spent.address], txid, *place, n, -spent.value, time, point)
    for n, output in enumerate(row.outputs):
        if output.address in keys:
            yield Delta(keys[output.address], txid, *place, n, output.value, time)
