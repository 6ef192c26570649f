"""An RPC node of Solana: supply of the mint and token accounts of an owner, some of which have two."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.demo.http import Reply
from indexer.demo.parallel import jsonrpc
from indexer.demo.parallel.addresses import key_of, solana
from indexer.demo.parallel.chains import DECIMALS
from indexer.demo.parallel.jsonrpc import INVALID_PARAMS
from indexer.demo.parallel.view import Request, View
from indexer.demo.rules import RpcError

TOKEN_PROGRAM = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
ACCOUNT_SIZE, RENT = 165, 2_039_280  # bytes, lamports
SECOND_ACCOUNT = 7  # one owner in so many has a second account, with a tenth of its coins


def answer(view: View, request: Request) -> Reply:
    """The node's reply."""
    node = Node(view)
    return jsonrpc.answer(
        {
            "getHealth": lambda: "ok",
            "getSlot": lambda options=None: view.block,
            "getTokenSupply": node.supply,
            "getTokenAccountsByOwner": node.accounts,
        },
        request,
    )


class Node:
    """Answers what names the mint."""

    def __init__(self, view: View) -> None:
        self._view = view

    def supply(self, mint: str, options: dict[str, Any] | None = None) -> dict[str, Any]:
        """``getTokenSupply``."""
        self._require(mint)
        return self._with_context(_amount(self._view.supply()))

    def accounts(self, owner: str, wanted: dict[str, str], options: dict[str, Any] | None = None) -> dict[str, Any]:
        """``getTokenAccountsByOwner`` of the mint, parsed."""
        self._require(wanted["mint"])
        if (options or {}).get("encoding") != "jsonParsed":
            raise RpcError(INVALID_PARAMS, "Invalid param: only the encoding jsonParsed is simulated")
        return self._with_context([self._account(owner, *part) for part in self._parts(owner)])

    def _require(self, mint: str) -> None:
        if mint != self._view.chain.contract:
            raise RpcError(INVALID_PARAMS, "Invalid param: could not find mint")

    def _with_context(self, value: Any) -> dict[str, Any]:
        return {"context": {"apiVersion": "2.1.0", "slot": self._view.block}, "value": value}

    def _parts(self, owner: str) -> Iterator[tuple[int, int]]:
        total = self._view.balance(owner)
        second = total // 10 if key_of(owner)[0] % SECOND_ACCOUNT == 0 else 0
        yield from ((number, part) for number, part in enumerate((total - second, second)) if part)

    def _account(self, owner: str, number: int, units: int) -> dict[str, Any]:
        held = {
            "isNative": False,
            "mint": self._view.chain.contract,
            "owner": owner,
            "state": "initialized",
            "tokenAmount": _amount(units),
        }
        parsed = {"info": held, "type": "account"}
        return {
            "pubkey": solana(key_of("token account", owner, number)),
            "account": {
                "data": {"parsed": parsed, "program": "spl-token", "space": ACCOUNT_SIZE},
                "executable": False,
                "lamports": RENT,
                "owner": TOKEN_PROGRAM,
                "rentEpoch": 18446744073709551615,
                "space": ACCOUNT_SIZE,
            },
        }


def _amount(units: int) -> dict[str, Any]:
    text = f"{units // 10**DECIMALS}.{units % 10**DECIMALS:0{DECIMALS}d}".rstrip("0").rstrip(".")
    return {
        "amount": str(units),
        "decimals": DECIMALS,
        "uiAmount": units / 10**DECIMALS,
        "uiAmountString": text,
    }
