"""Tokens of Ergo over the REST API of its explorer."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from explorer.parallel.amounts import field, require_decimals, whole
from explorer.parallel.base import ParallelChain, Reading
from explorer.parallel.fetch import Fetcher, NotThere
from explorer.parallel.tokens import reading
from indexer.errors import Garbled

API: Final = "/api/v1"


class ErgoReader:
    """Reads ``/tokens/{id}`` and the confirmed balances of the issuer's addresses."""

    of_one_block = False

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held now; the block is the newest that the API knows, if it tells."""
        block = await self._newest(endpoint)
        token = await self._fetcher.get(f"{endpoint}{API}/tokens/{chain.contract}")
        if field(token, "id") != chain.contract:
            raise Garbled("the answer is about another token")
        require_decimals(whole(field(token, "decimals"), "the number of decimals"), chain.decimals)
        minted = whole(field(token, "emissionAmount"), "the amount emitted")
        held = []
        for issuer in chain.issuers:
            path = f"{API}/addresses/{quote(issuer.address)}/balance/confirmed"
            held.append(_held(await self._fetcher.get(f"{endpoint}{path}"), chain.contract))
        return reading(chain, minted, held, now, block)

    async def _newest(self, endpoint: str) -> int | None:
        try:
            return whole(field(await self._fetcher.get(f"{endpoint}{API}/networkState"), "height"), "the height")
        except NotThere:
            return None


def _held(balance: Any, token: str) -> int:
    """The units of a token in a balance; 0 when it is not in it."""
    tokens = field(balance, "tokens")
    if not isinstance(tokens, list):
        raise Garbled("the tokens of a balance are no list")
    amounts = [whole(field(entry, "amount"), "a balance") for entry in tokens if field(entry, "tokenId") == token]
    return sum(amounts)
