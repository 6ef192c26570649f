"""The explorer of Ergo with its REST API: the token and confirmed balances."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from indexer.demo.http import Reply
from indexer.demo.parallel.chains import DECIMALS
from indexer.demo.parallel.view import Request, View, json_reply

BOX_VALUE = 1_000_000  # nanoerg
ROOT = "/api/v1/"


def answer(view: View, request: Request) -> Reply:
    """The API's reply."""
    if request.method != "GET" or not request.path.startswith(ROOT):
        return _missing()
    match request.path.removeprefix(ROOT).split("/"):
        case ["tokens", token]:
            return json_reply(_token(view)) if token == view.chain.contract else _missing()
        case ["addresses", address, "balance", "confirmed"]:
            return json_reply(_balance(view, address))
        case ["networkState"]:
            return json_reply({"lastBlockId": view.hash(view.block).hex(), "height": view.block, "params": {}})
        case ["blocks"]:
            newest = {"id": view.hash(view.block).hex(), "height": view.block, "timestamp": view.time * 1000}
            return json_reply({"items": [newest], "total": view.block})
        case _:
            return _missing()


def _token(view: View) -> dict[str, Any]:
    return {
        "id": view.chain.contract,
        "boxId": view.hash(view.chain.first_block).hex(),
        "name": view.chain.asset,
        "description": "simulated",
        "type": "EIP-004",
        "decimals": DECIMALS,
        "emissionAmount": view.supply(),
    }


def _balance(view: View, address: str) -> dict[str, Any]:
    units = view.balance(address)
    held = {
        "tokenId": view.chain.contract,
        "amount": units,
        "decimals": DECIMALS,
        "name": view.chain.asset,
        "tokenType": "EIP-004",
    }
    return {"nanoErgs": BOX_VALUE if units else 0, "tokens": [held] if units else []}


def _missing() -> Reply:
    return json_reply({"status": HTTPStatus.NOT_FOUND, "reason": "not found"}, HTTPStatus.NOT_FOUND)
