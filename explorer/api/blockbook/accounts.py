"""Addresses: sums, a page of the history with what waits before it, unspent outputs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, Literal, get_args

from explorer.api.blockbook.shapes import Json, coin_shape, transaction_shape, without_empty
from explorer.db import View
from explorer.errors import BadRequest
from explorer.queries.addresses import address
from explorer.queries.coins import coins
from explorer.queries.mempool import rows_of_address
from explorer.queries.numbered import Numbered, numbered
from explorer.queries.results import Transaction
from explorer.queries.rows import unconfirmed_transaction
from explorer.queries.scripts import scripts_at
from explorer.queries.text import address_key
from explorer.queries.transactions import transactions_at
from indexer.chain.keys import hash_text, parse_hash

Details = Literal["basic", "tokens", "tokenBalances", "txids", "txslight", "txs"]

DETAILS: Final[tuple[Details, ...]] = get_args(Details)
WITHOUT_HISTORY: Final = frozenset(("basic", "tokens", "tokenBalances"))
MOST_ON_PAGE: Final = 1000
XPUB_PREFIXES: Final = ("xpub", "ypub", "zpub", "tpub", "pkh(", "sh(", "wpkh(", "tr(")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of an address: how much, which page, and of which blocks; ``last`` None means the mempool too."""

    details: Details
    page: int = 1
    size: int = MOST_ON_PAGE
    first: int = 0
    last: int | None = None


def descriptor_key(view: View, descriptor: str) -> bytes:
    """The key of an address; BadRequest for anything else, with the reason for an extended public key."""
    if descriptor.startswith(XPUB_PREFIXES):
        raise BadRequest("extended public keys are not derived here: ask for the addresses one by one")
    return address_key(descriptor, view.network)


async def account(view: View, descriptor: str, wanted: Wanted) -> Json:
    """An address as Blockbook tells it."""
    key = descriptor_key(view, descriptor)
    summary, (waiting, listed) = await asyncio.gather(address(view, descriptor), _listed(view, key, wanted))
    sums = {
        "address": descriptor,
        "balance": str(summary.balance),
        "totalReceived": str(summary.received),
        "totalSent": str(summary.sent),
        "unconfirmedBalance": str(summary.unconfirmed or 0),
        "unconfirmedTxs": waiting,
        "txs": summary.transaction_count,
    }
    return sums | listed


async def _listed(view: View, key: bytes, wanted: Wanted) -> tuple[int, Json]:
    """How many transactions wait, and a page of the history unless none is wanted."""
    waiting, page, history = await _history(view, key, wanted)
    if wanted.details in WITHOUT_HISTORY:
        return len(waiting), {}
    paging = {"page": page, "totalPages": pages(history.total, wanted.size), "itemsOnPage": wanted.size}
    before = waiting if page == 1 else []
    if wanted.details == "txids":
        txids = [transaction.txid for transaction in before] + await _txids(view, history.keys)
        return len(waiting), paging | without_empty({"txids": txids})
    mined, scripts = await asyncio.gather(
        transactions_at(view, history.keys),
        scripts_at(view, history.keys, [parse_hash(transaction.txid) for transaction in before]),
    )
    shown = [transaction_shape(transaction, scripts) for transaction in (*before, *mined)]
    return len(waiting), paging | without_empty({"transactions": shown})


def pages(total: int, size: int) -> int:
    """How many pages there are; an empty list has one."""
    return max(1, -(-total // size))


async def _history(view: View, key: bytes, wanted: Wanted) -> tuple[list[Transaction], int, Numbered]:
    """What waits, the number of the page, and its transactions; a page beyond the last is the last."""
    first = min(wanted.first, view.tip.height + 1)
    last = view.tip.height if wanted.last is None else min(wanted.last, view.tip.height)
    limit = 0 if wanted.details in WITHOUT_HISTORY else wanted.size

    async def page_of(number: int) -> Numbered:
        skip = (number - 1) * wanted.size
        return await numbered(view, key, first=first, last=last, skip=skip, limit=limit)

    rows, found = await asyncio.gather(rows_of_address(view, key), page_of(wanted.page))
    number = min(wanted.page, pages(found.total, wanted.size))
    if number != wanted.page:
        found = await page_of(number)
    waiting = [unconfirmed_transaction(row, view.network) for row in rows] if wanted.last is None else []
    return waiting, number, found


async def _txids(view: View, keys: tuple[int, ...]) -> list[str]:
    rows = await view.many("transactions", {"_id": {"$in": list(keys)}}, fields=("txid",))
    by_key = {row["_id"]: hash_text(bytes(row["txid"])) for row in rows}
    return [by_key[key] for key in keys]


async def unspent(view: View, descriptor: str, *, confirmed: bool) -> list[Json]:
    """The unspent outputs of an address, newest first; those that wait before them, unless only ``confirmed`` ones."""
    found = await coins(view, descriptor_key(view, descriptor), confirmed=confirmed)
    return [coin_shape(coin, descriptor, view.network) for coin in found]
