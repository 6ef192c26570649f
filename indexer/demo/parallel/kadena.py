"""A node of Kadena's twenty chains: local calls of Pact on each, and the cut.

The ledger of the token is spread over the chains: an account has its coins on chain 0, and some on another one.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from indexer.chain.params import COIN
from indexer.demo.http import Reply
from indexer.demo.parallel.addresses import key_of
from indexer.demo.parallel.pact import Interpreter, PactError
from indexer.demo.parallel.view import Request, View, json_reply

CHAINS = 20
NETWORK = "mainnet01"
ROOT = f"/chainweb/0.0/{NETWORK}"
ELSEWHERE = 50  # one coin in so many of an account is not on chain 0
SAFE_INTEGER = (1 << 53) - 1
GAS = 42

_LOCAL = re.compile(rf"{ROOT}/chain/(\d+)/pact/api/v1/local")


def answer(view: View, request: Request) -> Reply:
    """The node's reply."""
    if request.path == f"{ROOT}/cut":
        return json_reply(_cut(view))
    match = _LOCAL.fullmatch(request.path)
    if match is None or int(match[1]) >= CHAINS:
        return Reply(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
    if request.method != "POST":
        return Reply(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"only POST is supported")
    try:
        code = _code(json.loads(request.body), match[1])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Reply(HTTPStatus.BAD_REQUEST, "text/plain", f"Validation failed: {error}".encode())
    return json_reply(_local(view, int(match[1]), code))


def ledger_of(view: View, number: int) -> dict[str, int]:
    """The accounts that have a row on one of the chains, and what they have there, zatoshi."""
    rows: dict[str, int] = {}
    for account, total in view.ledgers.balances(view.chain.key).items():
        for chain, amount in _split(account, total):
            if chain == number:
                rows[account] = amount
    return rows


def _split(account: str, total: int) -> Iterator[tuple[int, int]]:
    other = total // ELSEWHERE
    yield 0, total - other
    yield 1 + key_of(account)[0] % (CHAINS - 1), other


def _hash(text: str) -> str:
    return urlsafe_b64encode(hashlib.blake2b(text.encode(), digest_size=32).digest()).decode().rstrip("=")


def _code(body: dict[str, Any], chain: str) -> str:
    """The code of a command that belongs to this network and chain; ValueError when it does not."""
    if body["hash"] != _hash(body["cmd"]):
        raise ValueError("Command hash does not match")
    command = json.loads(body["cmd"])
    if command["networkId"] != NETWORK:
        raise ValueError("Transaction metadata (chain id, chainweb version) conflicts with this endpoint")
    if command["meta"]["chainId"] != chain:
        raise ValueError("Transaction metadata (chain id, chainweb version) conflicts with this endpoint")
    return str(command["payload"]["exec"]["code"])


def _local(view: View, number: int, code: str) -> dict[str, Any]:
    coins = {account: Decimal(amount) / COIN for account, amount in ledger_of(view, number).items()}
    try:
        data = _json(Interpreter(view.chain.contract, coins).run(code))
        result: dict[str, Any] = {"status": "success", "data": data}
    except PactError as error:
        failure = {"callStack": [], "type": "EvalError", "message": str(error), "info": ""}
        result = {"status": "failure", "error": failure}
    block = {"blockHeight": view.block, "blockTime": view.time * 1_000_000, "prevBlockHash": _block_hash(view, -1)}
    return {
        "gas": GAS,
        "result": result,
        "reqKey": _hash(code),
        "logs": _hash(str(result)),
        "metaData": block,
        "continuation": None,
        "txId": None,
    }


def _json(value: Any) -> Any:
    """A value as Pact writes it: a decimal is a number as long as its digits fit into 53 bits."""
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if isinstance(value, Decimal):
        plain = f"{value.normalize():f}"
        safe = abs(int(plain.replace(".", ""))) <= SAFE_INTEGER
        return Decimal(plain) if safe else {"decimal": plain}
    return {"int": value} if isinstance(value, int) else value


def _block_hash(view: View, back: int = 0) -> str:
    return urlsafe_b64encode(view.hash(view.block + back)).decode().rstrip("=")


def _cut(view: View) -> dict[str, Any]:
    hashes = {str(number): {"height": view.block, "hash": _block_hash(view)} for number in range(CHAINS)}
    return {"hashes": hashes, "origin": None, "weight": _block_hash(view), "height": view.block * CHAINS,
            "instance": NETWORK, "id": _block_hash(view)}  # fmt: skip
