"""A full node of Tron with its HTTP API and one contract: the token."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from indexer.demo.http import Reply
from indexer.demo.parallel.evm import call_token
from indexer.demo.parallel.view import Request, View, json_reply, page_reply

SELECTORS = {
    "totalSupply()": "18160ddd",
    "decimals()": "313ce567",
    "symbol()": "95d89b41",
    "name()": "06fdde03",
    "balanceOf(address)": "70a08231",
}
ENERGY = 541


def answer(view: View, request: Request) -> Reply:
    """The node's reply; what the newest block says and what is final is the same here."""
    folder, _, name = request.path.strip("/").partition("/")
    if folder not in ("wallet", "walletsolidity"):
        return page_reply(HTTPStatus.NOT_FOUND)
    if name == "getnowblock":
        return json_reply(_newest(view))
    if name != "triggerconstantcontract" or request.method != "POST":
        return page_reply(HTTPStatus.METHOD_NOT_ALLOWED if name == "triggerconstantcontract" else HTTPStatus.NOT_FOUND)
    try:
        return json_reply(_call(view, json.loads(request.body)))
    except (ValueError, AttributeError, TypeError):
        return json_reply({"Error": "class java.lang.IllegalArgumentException : invalid request"})


def _newest(view: View) -> dict[str, Any]:
    header = {
        "number": view.block,
        "txTrieRoot": view.hash(view.block).hex(),
        "parentHash": _block_id(view, view.block - 1),
        "version": 31,
        "timestamp": view.time * 1000,
    }
    return {"blockID": _block_id(view, view.block), "block_header": {"raw_data": header}}


def _block_id(view: View, number: int) -> str:
    """The number and the rest of the hash, as Tron's ids are."""
    return (number.to_bytes(8, "big") + view.hash(number)[8:]).hex()


def _call(view: View, asked: dict[str, Any]) -> dict[str, Any]:
    if asked.get("contract_address") != view.chain.contract:
        return _refused("CONTRACT_VALIDATE_ERROR", "Smart contract is not exist.")
    selector = SELECTORS.get(str(asked.get("function_selector")), "")
    found = call_token(view, selector, str(asked.get("parameter", "")))
    if found is None:
        return _refused("CONTRACT_EXE_ERROR", "REVERT opcode executed")
    call = {"ret": [{}], "visible": bool(asked.get("visible")), "raw_data": {"timestamp": view.time * 1000}}
    return {"result": {"result": True}, "energy_used": ENERGY, "constant_result": [found], "transaction": call}


def _refused(code: str, message: str) -> dict[str, Any]:
    return {"result": {"code": code, "message": message.encode().hex()}}
