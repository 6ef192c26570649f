"""TRC-20 tokens over the HTTP API of a Tron full node. It answers for its newest block only, call by call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from explorer.parallel.addresses import tron_bytes
from explorer.parallel.amounts import field, require_decimals, whole, word
from explorer.parallel.base import ParallelChain, Reading
from explorer.parallel.fetch import Fetcher
from explorer.parallel.jsonrpc import Declined
from explorer.parallel.tokens import reading
from indexer.errors import Garbled

CALL_PATH: Final = "/wallet/triggerconstantcontract"
BLOCK_PATH: Final = "/wallet/getnowblock"
LONGEST_REASON: Final = 240  # hex digits


class TronReader:
    """Reads ``totalSupply`` and ``balanceOf`` of the issuer's addresses with ``triggerconstantcontract``."""

    of_one_block = False

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held now."""
        newest = await self._fetcher.post(f"{endpoint}{BLOCK_PATH}", {})
        block = whole(field(newest, "block_header", "raw_data", "number"), "the block number")
        require_decimals(await self._call(chain, endpoint, "decimals()"), chain.decimals)
        minted = await self._call(chain, endpoint, "totalSupply()")
        held = []
        for issuer in chain.issuers:  # one after the other: who asks without a key may ask a few times a second
            parameter = tron_bytes(issuer.address).hex().rjust(64, "0")
            held.append(await self._call(chain, endpoint, "balanceOf(address)", parameter))
        return reading(chain, minted, held, now, block)

    async def _call(self, chain: ParallelChain, endpoint: str, selector: str, parameter: str = "") -> int:
        asked = {
            "owner_address": chain.issuers[0].address,
            "contract_address": chain.contract,
            "function_selector": selector,
            "parameter": parameter,
            "visible": True,
        }
        return _number(await self._fetcher.post(f"{endpoint}{CALL_PATH}", asked), selector)


def _number(answer: Any, selector: str) -> int:
    outcome = field(answer, "result")
    if not isinstance(outcome, Mapping) or outcome.get("result") is not True:
        raise Declined(f"the node declined {selector}: {_reason(outcome)}")
    results = field(answer, "constant_result")
    if not isinstance(results, list) or len(results) != 1 or results[0] == "":
        raise Garbled(f"{selector} gave no value: is there such a contract?")
    return word(results[0], selector)


def _reason(outcome: Any) -> str:
    """The code of a refusal and its message, which comes as hex of a text."""
    if not isinstance(outcome, Mapping):
        return "without a reason"
    try:
        message = bytes.fromhex(str(outcome.get("message", ""))[:LONGEST_REASON]).decode("utf-8", "replace")
    except ValueError:
        message = ""
    return f"{str(outcome.get('code', 'without a code'))[:40]} {message}".strip()
