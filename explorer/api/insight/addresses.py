"""Addresses: sums, unspent outputs, histories, of one or of several."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from explorer.api.forms.exact import trimmed
from explorer.api.insight.answering import Insight, number_of, posted
from explorer.api.insight.histories import history, txids
from explorer.api.insight.shapes import Without
from explorer.db import Answer, View
from explorer.errors import BadRequest, NotFound
from explorer.queries.addresses import address_and_pool
from explorer.queries.balances import balances
from explorer.queries.gathered import MOST_ADDRESSES, Coin, coins_of, immature, waiting_deltas
from explorer.services import services
from explorer.tasks import already
from indexer.chain.tiers import TIERS, accepted_amounts

insight = Insight()

MOST_LISTED: Final = 1000
MOST_TRANSACTIONS: Final = 100  # items of a page; wallets ask for up to 60
DEFAULT_TRANSACTIONS: Final = 10
TRUE: Final = ("1", "true", "True")


@insight.get("/addr/{address}", "/addr/{address}/")
async def get_address(request: Request) -> Answer[Any]:
    """An address: sums, counts and, unless ``noTxList``, its txids, the newest first."""
    s, query = services(request), request.query_params
    first = number_of(query, "from", 0)
    end = min(number_of(query, "to", first + MOST_LISTED), first + MOST_LISTED)
    listed = query.get("noTxList", "0") in ("", "0")
    return await s.db.fenced(_summary, request.path_params["address"], first, end if listed else first)


@insight.get("/addr/{address}/utxo")
async def get_unspent(request: Request) -> Answer[Any]:
    """The unspent outputs of an address, the mempool's first."""
    return await _coins(request, [request.path_params["address"]])


@insight.get("/addr/{address}/{figure}")
async def get_figure(request: Request) -> Answer[Any]:
    """One of the sums of an address, in zatoshi."""
    figure = f"{request.path_params['figure']}Sat"
    if figure not in ("balanceSat", "totalReceivedSat", "totalSentSat", "unconfirmedBalanceSat"):
        raise NotFound("an address has no such figure")
    found = await services(request).db.fenced(_summary, request.path_params["address"], 0, 0)
    return Answer(found.value[figure], found.tip, found.shown)


@insight.get("/addrs/{addresses}/utxo")
async def get_several_unspent(request: Request) -> Answer[Any]:
    """The unspent outputs of addresses, the mempool's first."""
    return await _coins(request, _split(request.path_params["addresses"]))


@insight.post("/addrs/utxo")
async def post_several_unspent(request: Request) -> Answer[Any]:
    """The unspent outputs of addresses, the mempool's first."""
    return await _coins(request, _listed(await posted(request)))


@insight.get("/addrs/{addresses}/unspent")
async def get_confirmed_unspent(request: Request) -> Answer[Any]:
    """The unspent outputs of addresses that are in the chain and that nothing in the mempool spends."""
    found = await services(request).db.fenced(coins_of, _split(request.path_params["addresses"]), unconfirmed=True)
    mined = [coin for coin in found.value if coin.height is not None]
    return Answer([_utxo(coin, services(request).network.coinbase_maturity) for coin in mined], found.tip, found.shown)


@insight.get("/addrs/{addresses}/txs")
async def get_history(request: Request) -> Answer[Any]:
    """The transactions of addresses, newest first, the mempool's before them."""
    return await _history(request, _split(request.path_params["addresses"]), request.query_params)


@insight.post("/addrs/txs")
async def post_history(request: Request) -> Answer[Any]:
    """The transactions of addresses, newest first, the mempool's before them."""
    body = await posted(request)
    return await _history(request, _listed(body), {**request.query_params, **body})


@insight.get("/addrs/{addresses}/balance")
async def get_several_balance(request: Request) -> Answer[Any]:
    """The sums of addresses in zatoshi."""
    return await services(request).db.fenced(_sums, _split(request.path_params["addresses"]))


@insight.get("/fluxnode/addrs/{addresses}/utxo", "/zelnode/addrs/{addresses}/utxo")
async def get_collaterals(request: Request) -> Answer[Any]:
    """The unspent outputs of addresses that are worth a node."""
    return await _collaterals(request, _split(request.path_params["addresses"]))


@insight.post("/fluxnode/addrs/utxo", "/zelnode/addrs/utxo")
async def post_collaterals(request: Request) -> Answer[Any]:
    """The unspent outputs of addresses that are worth a node."""
    return await _collaterals(request, _listed(await posted(request)))


def _split(text: str) -> list[str]:
    """Addresses separated by commas, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",")))[: MOST_ADDRESSES + 1]


def _listed(body: Mapping[str, Any]) -> list[str]:
    """The addresses in the field ``addrs`` of a body, a text or a list."""
    given = body.get("addrs")
    if isinstance(given, list) and all(isinstance(item, str) for item in given):
        given = ",".join(given)
    if not isinstance(given, str):
        raise BadRequest("Must include address")
    return _split(given)


async def _coins(request: Request, texts: list[str]) -> Answer[Any]:
    found = await services(request).db.fenced(coins_of, texts, unconfirmed=True)
    maturity = services(request).network.coinbase_maturity
    return Answer([_utxo(coin, maturity) for coin in found.value], found.tip, found.shown)


async def _collaterals(request: Request, texts: list[str]) -> Answer[Any]:
    network = services(request).network
    found = await services(request).db.fenced(coins_of, texts, unconfirmed=True)
    amounts = {value for tier in TIERS for value in accepted_amounts(network, tier, found.tip.height + 1)}
    wanted = [coin for coin in found.value if coin.value in amounts]
    return Answer([_utxo(coin, network.coinbase_maturity) for coin in wanted], found.tip, found.shown)


async def _history(request: Request, texts: list[str], given: Mapping[str, Any]) -> Answer[Any]:
    first = number_of(given, "from", 0)
    end = number_of(given, "to", first + DEFAULT_TRANSACTIONS)
    if not first <= end <= first + MOST_TRANSACTIONS:
        raise BadRequest(
            f'"from" ({first}) and "to" ({end}) range should be less than or equal to {MOST_TRANSACTIONS}'
        )
    left_out = Without(*(str(given.get(name, "")) in TRUE for name in ("noAsm", "noScriptSig", "noSpent")))
    found = await services(request).db.fenced(history, texts, first, end, left_out)
    total, items = found.value
    shown = {"totalItems": total, "from": first, "to": min(end, total), "items": items}
    return Answer(shown, found.tip, found.shown)


async def _summary(view: View, text: str, first: int, end: int) -> dict[str, Any]:
    (found, pool), listed = await asyncio.gather(
        address_and_pool(view, text), txids(view, [text], first, end) if end > first else already([])
    )
    unconfirmed = 0 if pool is None else pool.change
    sums = {
        "balance": found.balance,
        "totalReceived": found.received,
        "totalSent": found.sent,
        "unconfirmedBalance": unconfirmed,
    }
    shown: dict[str, Any] = {"addrStr": text}
    for name, value in sums.items():
        shown |= {name: trimmed(value), f"{name}Sat": value}
    shown["unconfirmedTxApperances"] = 0 if pool is None else len(pool.movements)
    shown["txApperances"] = found.transaction_count
    return shown | ({"transactions": listed} if end > first else {})


async def _sums(view: View, texts: list[str]) -> dict[str, Any]:
    waiting, young, found = await asyncio.gather(
        waiting_deltas(view, texts), immature(view, texts), balances(view, texts)
    )
    return {
        "balance": sum(item.balance for item in found.items),
        "unconfirmedBalance": sum(delta.value for delta in waiting),
        "immature": young,
    }


def _utxo(coin: Coin, maturity: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "address": coin.address,
        "txid": coin.txid,
        "vout": coin.vout,
        "scriptPubKey": coin.script.hex(),
        "amount": trimmed(coin.value),
        "satoshis": coin.value,
    }
    if coin.height is not None:
        shown["height"] = coin.height
    shown["confirmations"] = coin.confirmations
    if coin.since is not None:
        shown["ts"] = coin.since
    if coin.confirmations < maturity and coin.height is not None:
        shown["coinbase"] = coin.coinbase
    return shown
