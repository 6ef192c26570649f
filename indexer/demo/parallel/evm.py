"""A node of an EVM chain (Ethereum's execution API) with one contract: the token (EIP-20)."""

from __future__ import annotations

from typing import Any

from indexer.demo.http import Reply
from indexer.demo.parallel import jsonrpc
from indexer.demo.parallel.addresses import FORMS
from indexer.demo.parallel.chains import DECIMALS
from indexer.demo.parallel.view import KEPT_BLOCKS, Request, View
from indexer.demo.rules import RpcError

SERVER_ERROR, REVERTED = -32000, 3
FINAL_AFTER = 2  # native blocks
WORD = 32
TAGS = {"latest": 0, "pending": 0, "safe": FINAL_AFTER, "finalized": FINAL_AFTER}


def answer(view: View, request: Request) -> Reply:
    """The node's reply."""
    node = Node(view)
    return jsonrpc.answer(
        {
            "eth_chainId": lambda: hex(view.chain.chain_id),
            "net_version": lambda: str(view.chain.chain_id),
            "web3_clientVersion": lambda: "simulated",
            "eth_blockNumber": lambda: hex(view.block),
            "eth_call": node.call,
            "eth_getBlockByNumber": node.block_by_number,
        },
        request,
    )


def word(number: int) -> str:
    """A uint256 as the ABI has it, hex digits."""
    return number.to_bytes(WORD, "big").hex()


def text_words(text: str) -> str:
    """A string as the only value that the ABI returns, hex digits."""
    raw = text.encode()
    return word(WORD) + word(len(raw)) + raw.ljust(WORD, b"\0").hex()


def call_token(view: View, selector: str, argument: str, block: int | None = None) -> str | None:
    """What a method of the token returns, hex digits; None when it has no such method."""
    if selector == "70a08231":
        account = bytes.fromhex(argument)[WORD - 20 : WORD]
        return word(view.balance(account_text(view, account), block))
    constants = {
        "18160ddd": lambda: word(view.supply(block)),
        "313ce567": lambda: word(DECIMALS),
        "95d89b41": lambda: text_words("FLUX"),
        "06fdde03": lambda: text_words(view.chain.asset),
    }
    return constants[selector]() if selector in constants else None


def account_text(view: View, account: bytes) -> str:
    """An account of 20 bytes as the ledger has it."""
    return FORMS[view.chain.kind](account)


class Node:
    """Answers what needs a block."""

    def __init__(self, view: View) -> None:
        self._view = view

    def call(self, message: dict[str, Any], at: Any = "latest") -> str:
        """``eth_call``; a call to an account without code returns nothing."""
        block = self._block(at)
        code = str(message.get("data") or message.get("input", "0x")).removeprefix("0x").lower()
        if str(message.get("to")).lower() != self._view.chain.contract:
            return "0x"
        found = call_token(self._view, code[:8], code[8:], block)
        if found is None:
            raise RpcError(REVERTED, "execution reverted")
        return "0x" + found

    def block_by_number(self, at: Any, whole: bool = False) -> dict[str, Any] | None:
        """``eth_getBlockByNumber``: header fields and no transactions; null for a block to come."""
        view = self._view
        number = self._number(at)
        if number > view.block:
            return None
        hashes = {"hash": "0x" + view.hash(number).hex(), "parentHash": "0x" + view.hash(number - 1).hex()}
        return {"number": hex(number), **hashes, "timestamp": hex(view.time), "transactions": []}

    def _number(self, at: Any) -> int:
        if isinstance(at, dict):
            at = at["blockNumber"]
        if at in TAGS:
            return self._view.chain.block(max(self._view.height - TAGS[at], 0))
        return int(at, 16)

    def _block(self, at: Any) -> int:
        number = self._number(at)
        if number > self._view.block:
            raise RpcError(SERVER_ERROR, "header not found")
        if self._view.blocks_ago(number) > KEPT_BLOCKS:
            raise RpcError(SERVER_ERROR, f"missing trie node (state of block {number} is not available)")
        return number
