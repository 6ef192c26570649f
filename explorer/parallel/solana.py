"""SPL tokens over Solana's JSON-RPC. An owner's coins lie in token accounts, of which there may be several."""

from __future__ import annotations

from typing import Any, Final

from explorer.parallel.amounts import digits, field, require_decimals, whole
from explorer.parallel.base import ParallelChain, Reading
from explorer.parallel.fetch import Fetcher
from explorer.parallel.jsonrpc import Call, ask_all
from explorer.parallel.tokens import reading
from indexer.errors import Garbled

COMMITMENT: Final = {"commitment": "confirmed"}


class SolanaReader:
    """Reads ``getTokenSupply`` and the sums of ``getTokenAccountsByOwner``, in one batch."""

    of_one_block = False

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held now; the block is the slot of the supply."""
        calls = [Call("getTokenSupply", (chain.contract, COMMITMENT))]
        calls += [_accounts_of(issuer.address, chain.contract) for issuer in chain.issuers]
        supply, *accounts = await ask_all(self._fetcher, endpoint, calls)
        slot = whole(field(supply, "context", "slot"), "the slot")
        minted = _amount(field(supply, "value"), chain.decimals)
        held = [_sum(found, chain, issuer.address) for found, issuer in zip(accounts, chain.issuers, strict=True)]
        return reading(chain, minted, held, now, slot)


def _accounts_of(owner: str, mint: str) -> Call:
    return Call("getTokenAccountsByOwner", (owner, {"mint": mint}, {"encoding": "jsonParsed", **COMMITMENT}))


def _sum(found: Any, chain: ParallelChain, owner: str) -> int:
    """The units in all token accounts of an owner; each account counts once."""
    entries = field(found, "value")
    if not isinstance(entries, list):
        raise Garbled(f"the token accounts of {owner} are no list")
    if len({str(field(entry, "pubkey")) for entry in entries}) != len(entries):
        raise Garbled(f"a token account of {owner} is listed twice")
    infos = [field(entry, "account", "data", "parsed", "info") for entry in entries]
    if any((field(held, "mint"), field(held, "owner")) != (chain.contract, owner) for held in infos):
        raise Garbled(f"a token account listed under {owner} is of another owner or token")
    return sum(_amount(field(held, "tokenAmount"), chain.decimals) for held in infos)


def _amount(given: Any, decimals: int) -> int:
    require_decimals(whole(field(given, "decimals"), "the number of decimals"), decimals)
    return digits(field(given, "amount"), "the amount")
