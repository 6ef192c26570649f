"""Algorand standard assets over the REST API of algod."""

from __future__ import annotations

from typing import Final

from explorer.parallel.amounts import field, require_decimals, whole
from explorer.parallel.base import ParallelChain, Reading
from explorer.parallel.fetch import Fetcher, NotThere
from explorer.parallel.tokens import reading
from indexer.errors import Garbled

API: Final = "/v2"


class AlgorandReader:
    """Reads ``/v2/assets/{id}`` and what each of the issuer's accounts holds of it."""

    of_one_block = False

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def read(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        """Minted and issuer-held now; the block is the round of the last account that holds any."""
        asset = await self._fetcher.get(f"{endpoint}{API}/assets/{chain.contract}")
        if str(field(asset, "index")) != chain.contract:
            raise Garbled("the answer is about another asset")
        require_decimals(whole(field(asset, "params", "decimals"), "the number of decimals"), chain.decimals)
        minted = whole(field(asset, "params", "total"), "the total")
        held, block = [], None
        for issuer in chain.issuers:
            found, at = await self._held(endpoint, issuer.address, chain.contract)
            held.append(found)
            block = block if at is None else at
        return reading(chain, minted, held, now, block)

    async def _held(self, endpoint: str, account: str, asset: str) -> tuple[int, int | None]:
        """The units that an account holds and the round; 404 is an account that has not opted in to the asset."""
        try:
            found = await self._fetcher.get(f"{endpoint}{API}/accounts/{account}/assets/{asset}")
        except NotThere:
            return 0, None
        return whole(field(found, "asset-holding", "amount"), "a balance"), whole(field(found, "round"), "the round")
