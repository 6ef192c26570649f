"""The methods about addresses."""

from __future__ import annotations

from typing import Any

from explorer.api.fluxos.methods import INVALID_ADDRESS, Asked, Methods, RpcError
from explorer.db import Answer, View
from explorer.errors import BadRequest
from explorer.queries.balances import balances
from explorer.queries.gathered import (
    MOST_ADDRESSES,
    Coin,
    Delta,
    all_transaction_keys,
    coins_of,
    deltas_of,
    txids_of,
    waiting_deltas,
)
from explorer.queries.text import address_key
from indexer.chain.address import decode_address, script_for
from indexer.chain.keys import P2SH, hash_text, txkey_height
from indexer.errors import AddressError

method = Methods()

ADDRESS = (("address", "addresses"),)
RANGE = (*ADDRESS, ("start",), ("end",))


def addresses(asked: Asked) -> list[str]:
    """The addresses asked for, separated by commas; refused as the daemon does unless all are some."""
    texts = list(dict.fromkeys(asked.text("address").split(",")))[: MOST_ADDRESSES + 1]
    for text in texts:
        try:
            address_key(text, asked.services.network)
        except BadRequest as error:
            raise RpcError(INVALID_ADDRESS, f"Invalid address: {error}") from error
    return texts


def heights(asked: Asked) -> dict[str, int]:
    """``start`` and ``end`` as heights from 1; like the daemon all heights unless both are there."""
    if not asked.given["start"] or not asked.given["end"]:
        return {}
    first, last = asked.number("start"), asked.number("end")
    if not first or not last:
        raise RpcError(INVALID_ADDRESS, "Start and end are expected to be greater than zero")
    return {"first": first, "last": last}


@method("daemon/getaddressbalance", parameters=ADDRESS)
async def address_balance(asked: Asked) -> Answer[Any]:
    """What addresses have and what they ever received, in zatoshi."""
    found = await asked.services.db.fenced(balances, addresses(asked))
    items = found.value.items
    return Answer({"balance": sum(i.balance for i in items), "received": sum(i.received for i in items)}, found.tip)


@method("daemon/getaddresstxids", parameters=RANGE)
async def address_txids(asked: Asked) -> Answer[Any]:
    """The txids of addresses by height and txid."""
    return await asked.services.db.fenced(_txids_by_height, addresses(asked), **heights(asked))


@method("daemon/getaddressdeltas", parameters=RANGE)
async def address_deltas(asked: Asked) -> Answer[Any]:
    """What every input and output did to addresses."""
    found = await asked.services.db.fenced(deltas_of, addresses(asked), **heights(asked))
    return Answer([_delta(delta) for delta in found.value], found.tip)


@method("daemon/getaddressutxos", parameters=(*ADDRESS, ("chaininfo", "chainInfo")))
async def address_utxos(asked: Asked) -> Answer[Any]:
    """The unspent outputs of addresses in the chain, oldest first."""
    found = await asked.services.db.fenced(coins_of, addresses(asked), unconfirmed=False)
    utxos = [_utxo(coin) for coin in reversed(found.value)]
    if not asked.flag("chaininfo", False):
        return Answer(utxos, found.tip)
    return Answer({"utxos": utxos, "hash": hash_text(found.tip.hash), "height": found.tip.height}, found.tip)


@method("daemon/getaddressmempool", parameters=ADDRESS)
async def address_mempool(asked: Asked) -> Answer[Any]:
    """What the mempool does to addresses."""
    found = await asked.services.db.fenced(waiting_deltas, addresses(asked))
    return Answer([_waiting(delta) for delta in found.value], found.tip, found.shown)


@method("daemon/validateaddress", parameters=(("fluxaddress", "zelcashaddress", "address"),))
async def validate(asked: Asked) -> Answer[Any]:
    """Whether a text is a transparent address of this network, and its script."""
    text = asked.given["fluxaddress"]
    found = await asked.services.db.fenced(_nothing)
    try:
        key = decode_address(text, asked.services.network)
    except AddressError:
        return Answer({"isvalid": False}, found.tip)
    shown: dict[str, Any] = {"isvalid": True, "address": text, "scriptPubKey": script_for(key).hex()}
    return Answer(shown | {"ismine": False, "iswatchonly": False, "isscript": key[0] == P2SH}, found.tip)


@method("explorer/balance", parameters=ADDRESS)
async def balance(asked: Asked) -> Answer[Any]:
    """What an address has, in zatoshi."""
    found = await asked.services.db.fenced(balances, addresses(asked))
    return Answer(sum(item.balance for item in found.value.items), found.tip)


@method("explorer/utxo", parameters=ADDRESS)
async def utxos(asked: Asked) -> Answer[Any]:
    """The unspent outputs of an address; FluxOS counts one confirmation less than others."""
    found = await asked.services.db.fenced(coins_of, addresses(asked), unconfirmed=False)
    return Answer([_explorer_utxo(coin) for coin in found.value], found.tip)


@method("explorer/transactions", parameters=ADDRESS)
async def history(asked: Asked) -> Answer[Any]:
    """The txids of an address, newest first."""
    found = await asked.services.db.fenced(_txids_newest_first, addresses(asked))
    return Answer([{"txid": txid} for txid in found.value], found.tip)


async def _nothing(view: View) -> None:
    return None


async def _txids_newest_first(view: View, texts: list[str]) -> list[str]:
    return await txids_of(view, await all_transaction_keys(view, texts))


async def _txids_by_height(view: View, texts: list[str], first: int = 0, last: int | None = None) -> list[str]:
    keys = await all_transaction_keys(view, texts, first=first, last=last)
    txids = await txids_of(view, keys)
    return [txid for _, txid in sorted((txkey_height(key), txid) for key, txid in zip(keys, txids, strict=True))]


def _delta(delta: Delta) -> dict[str, Any]:
    return {
        "address": delta.address,
        "blockindex": delta.position,
        "height": delta.height,
        "index": delta.n,
        "satoshis": delta.value,
        "txid": delta.txid,
    }


def _utxo(coin: Coin) -> dict[str, Any]:
    return {
        "address": coin.address,
        "txid": coin.txid,
        "outputIndex": coin.vout,
        "script": coin.script.hex(),
        "satoshis": coin.value,
        "height": coin.height,
    }


def _explorer_utxo(coin: Coin) -> dict[str, Any]:
    shown = {
        "address": coin.address,
        "txid": coin.txid,
        "vout": coin.vout,
        "height": coin.height,
        "satoshis": coin.value,
        "scriptPubKey": coin.script.hex(),
        "confirmations": coin.confirmations - 1,
    }
    return shown | ({"coinbase": True} if coin.coinbase else {})


def _waiting(delta: Delta) -> dict[str, Any]:
    shown: dict[str, Any] = {"address": delta.address, "txid": delta.txid, "index": delta.n, "satoshis": delta.value}
    shown["timestamp"] = delta.time
    if delta.spent is not None:
        shown |= {"prevtxid": delta.spent[0], "prevout": delta.spent[1]}
    return shown
