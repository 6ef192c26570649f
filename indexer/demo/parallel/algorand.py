"""A node of Algorand with the REST API of algod: the asset and what accounts hold of it."""

from __future__ import annotations

from base64 import b64encode
from http import HTTPStatus
from typing import Any

from indexer.demo.http import Reply
from indexer.demo.parallel.chains import DECIMALS
from indexer.demo.parallel.view import Request, View, json_reply


def answer(view: View, request: Request) -> Reply:
    """The node's reply."""
    asset = view.chain.contract
    if request.method != "GET":
        return json_reply({"message": "Method Not Allowed"}, HTTPStatus.METHOD_NOT_ALLOWED)
    match request.path.strip("/").split("/"):
        case ["v2", "status"]:
            return json_reply({"last-round": view.block, "time-since-last-round": 0, "catchup-time": 0})
        case ["v2", "assets", number]:
            return json_reply(_asset(view)) if number == asset else _missing("asset does not exist")
        case ["v2", "accounts", account, "assets", number]:
            units = view.balance(account)
            if number != asset or not units:
                return _missing("account asset info not found")
            held = {"amount": units, "asset-id": int(asset), "is-frozen": False}
            return json_reply({"asset-holding": held, "round": view.block})
        case _:
            return _missing("Not Found")


def _asset(view: View) -> dict[str, Any]:
    name = view.chain.asset
    params = {
        "creator": view.chain.issuer("LOCKED"),
        "decimals": DECIMALS,
        "default-frozen": False,
        "name": name,
        "name-b64": b64encode(name.encode()).decode(),
        "total": view.supply(),
        "unit-name": "FLUX",
    }
    return {"index": int(view.chain.contract), "params": params}


def _missing(message: str) -> Reply:
    return json_reply({"message": message}, HTTPStatus.NOT_FOUND)
