"""What the index knows beyond the bytes of transactions: what inputs spend, and what spends outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from explorer.db import View
from explorer.queries.results import Transaction
from explorer.queries.text import address_text
from explorer.queries.units import ABSENT
from indexer.chain.keys import (
    first_outkey,
    hash_text,
    outkey_txkey,
    outkey_vout,
    txkey,
    txkey_height,
)
from indexer.daemonjson.transactions import Known, Spender
from indexer.store import codec
from indexer.store.codec import Document, transaction_row

IN_MEMPOOL = -1


def known_of(found: Transaction) -> Known:
    """What a result object says."""
    spenders: dict[int, Spender] = {}
    for output in found.outputs:
        mined, waiting = output.spent_by, output.spent_unconfirmed_by
        if mined is not None and mined is not ABSENT:
            spenders[output.n] = Spender(mined.txid, mined.n, mined.height)
        elif waiting is not None and waiting is not ABSENT:
            spenders[output.n] = Spender(waiting.txid, waiting.n, IN_MEMPOOL)
    return Known([(spent.address, spent.value) for spent in found.inputs], spenders)


async def known_of_block(view: View, height: int) -> dict[int, Known]:
    """By position, what is known of the coinbase, transfers and STARTs of the block at ``height``."""
    spent = {"$gte": first_outkey(height), "$lt": first_outkey(height + 1)}
    rows, spending = await asyncio.gather(
        view.many("transactions", {"_id": {"$gte": txkey(height, 0), "$lt": txkey(height + 1, 0)}}),
        view.many("transactions", {"in_keys": {"$elemMatch": spent}}, fields=("txid", "in_keys")),
    )
    spenders = _by_transaction(spending, height, view.tip.height)
    return {row["_id"] - txkey(height, 0): _known(view, transaction_row(row), spenders) for row in rows}


def _known(view: View, row: codec.Transaction, spenders: Mapping[int, Mapping[int, Spender]]) -> Known:
    spent = [(address_text(i.address, view.network), i.value) for i in row.inputs]
    return Known(spent, spenders.get(row.key, {}))


def _by_transaction(rows: Iterable[Document], height: int, tip: int) -> dict[int, dict[int, Spender]]:
    found: dict[int, dict[int, Spender]] = {}
    for row in rows:
        at = txkey_height(row["_id"])
        for n, key in enumerate(row["in_keys"] if at <= tip else ()):
            spent = outkey_txkey(key)
            if txkey_height(spent) == height:
                found.setdefault(spent, {})[outkey_vout(key)] = Spender(hash_text(row["txid"]), n, at)
    return found
