"""The transactions of addresses in Insight's shape, the mempool first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.api.insight.shapes import EVERYTHING, Without, tx_json
from explorer.db import View
from explorer.queries.gathered import all_transaction_keys, keys_of, txids_of, waiting_for
from explorer.queries.numbered import Numbered, numbered
from explorer.queries.rows import unconfirmed_transaction
from explorer.queries.scripts import scripts_at
from explorer.queries.transactions import transactions_at
from indexer.chain.keys import hash_text
from indexer.store.codec import Document


async def history(
    view: View, addresses: Sequence[str], first: int, end: int, without: Without = EVERYTHING
) -> tuple[int, list[dict[str, Any]]]:
    """How many transactions addresses have, and those from ``first`` to before ``end``, newest first."""
    waiting, total, keys = await _slice(view, addresses, first, end)
    mined, scripts = await asyncio.gather(
        transactions_at(view, keys), scripts_at(view, keys, [bytes(row["_id"]) for row in waiting])
    )
    found = [unconfirmed_transaction(row, view.network) for row in waiting] + mined
    shown = [tx_json(view.network, tx, scripts.get(tx.txid, ()), None, without) for tx in found]
    return total, shown


async def txids(view: View, addresses: Sequence[str], first: int, end: int) -> list[str]:
    """The ids of the same transactions."""
    waiting, _, keys = await _slice(view, addresses, first, end)
    return [hash_text(bytes(row["_id"])) for row in waiting] + await txids_of(view, keys)


async def _slice(
    view: View, addresses: Sequence[str], first: int, end: int
) -> tuple[list[Document], int, Sequence[int]]:
    """The waiting rows and the txkeys in a stretch of a history, and how long the whole is."""
    owners = keys_of(view, addresses)
    if len(owners) == 1:
        return await _slice_of_one(view, owners, first, end)
    waiting, mined = await asyncio.gather(waiting_for(view, owners), all_transaction_keys(view, addresses))
    before = len(waiting)
    return waiting[first:end], before + len(mined), mined[max(0, first - before) : max(0, end - before)]


async def _slice_of_one(
    view: View, owners: Mapping[bytes, str], first: int, end: int
) -> tuple[list[Document], int, Sequence[int]]:
    (key,) = owners

    async def mined_between(begin: int, stop: int) -> Numbered:
        return await numbered(view, key, first=0, last=view.tip.height, skip=begin, limit=stop - begin)

    waiting, mined = await asyncio.gather(waiting_for(view, owners), mined_between(first, end))
    if before := len(waiting):
        mined = await mined_between(max(0, first - before), max(0, end - before))
    return waiting[first:end], before + mined.total, mined.keys
