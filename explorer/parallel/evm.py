"""ERC-20 tokens over Ethereum's JSON-RPC: everything in one batch, and of one block."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from explorer.parallel.amounts import hex_digits, require_decimals, shown, word
from explorer.parallel.base import ParallelChain, Reading
from explorer.parallel.fetch import Fetcher
from explorer.parallel.jsonrpc import Call, Declined, ask, ask_all
from explorer.parallel.tokens import reading
from indexer.errors import Garbled

TOTAL_SUPPLY: Final = "0x18160ddd"
DECIMALS: Final = "0x313ce567"
BALANCE_OF: Final = "0x70a08231"
WORD_DIGITS: Final = 64
ANOTHER_NODE_SECONDS: Final = 0.5


class EvmReader:
    """Reads ``totalSupply`` and ``balanceOf`` of the issuer's addresses (EIP-20) at one block number."""

    of_one_block = True

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held at the newest block, or ``confirmations`` below it."""
        newest = hex_digits(await ask(self._fetcher, endpoint, Call("eth_blockNumber")), "the block number")
        block = max(newest - chain.confirmations, 0)
        calls = [_call(chain.contract, code, block) for code in (TOTAL_SUPPLY, DECIMALS)]
        calls += [_call(chain.contract, balance_of(issuer.address), block) for issuer in chain.issuers]
        minted, decimals, *held = (_word(found) for found in await self._ask_all(endpoint, calls))
        require_decimals(decimals, chain.decimals)
        return reading(chain, minted, held, now, block)

    async def _ask_all(self, endpoint: str, calls: Sequence[Call]) -> list[Any]:
        try:
            return await ask_all(self._fetcher, endpoint, calls)
        except Declined:  # behind a balancer another node may answer, which does not have the newest block yet
            await asyncio.sleep(ANOTHER_NODE_SECONDS)
            return await ask_all(self._fetcher, endpoint, calls)


def balance_of(address: str) -> str:
    """The call data of ``balanceOf(address)``, hex with 0x."""
    return BALANCE_OF + address[2:].lower().rjust(WORD_DIGITS, "0")


def _call(contract: str, code: str, block: int) -> Call:
    return Call("eth_call", ({"to": contract, "data": code}, hex(block)))


def _word(found: Any) -> int:
    if found == "0x":
        raise Garbled("there is no such contract: eth_call gave nothing")
    if not isinstance(found, str) or len(found) != WORD_DIGITS + 2 or not found.startswith("0x"):
        raise Garbled(f"eth_call gave {shown(found)}: a word of 32 bytes is expected")
    return word(found[2:], "eth_call's answer")
