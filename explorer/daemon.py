"""The public part of the daemon: broadcasting, bytes of blocks and transactions. Nothing else is asked through us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import httpx

from explorer.errors import BadRequest, NotFound, UpstreamUnavailable
from explorer.languages.phrases import Phrase
from indexer.chain.keys import hash_text, parse_hash
from indexer.errors import FluxError, ParseError, Refused, SourceError
from indexer.parse import parse_block, parse_transaction
from indexer.parse.columns import ParsedBlock, ints
from indexer.source.rpc import Call, Endpoint, decode_call, encode_call, transport_error

ALLOWED: Final = frozenset(
    ("sendrawtransaction", "estimatefee", "getbestblockhash", "getblock", "getblockcount", "getnetworkinfo",
     "getrawtransaction")
)
NOT_FOUND_CODE = -5
LONGEST_TRANSACTION = 2_000_000  # bytes: consensus.h:MAX_TX_SIZE_AFTER_SAPLING
HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")

log = logging.getLogger(__name__)


class Daemon:
    """One daemon, or several that stand in for each other, asked from the explorer's event loop."""

    def __init__(self, endpoints: Sequence[Endpoint], timeout: float) -> None:
        self._endpoints = tuple(endpoints)
        # Neither a proxy nor a .netrc may come between us and the daemon.
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)), trust_env=False)

    @property
    def is_configured(self) -> bool:
        """Whether there is a daemon to ask."""
        return bool(self._endpoints)

    async def close(self) -> None:
        """Drop the connections."""
        await self._http.aclose()

    async def call(self, method: str, *params: Any) -> Any:
        """The result of an allowed method; Refused with the daemon's code, or UpstreamUnavailable.

        What went wrong between us and the daemon is for the operator's log, not for the public.
        """
        if method not in ALLOWED:
            raise ValueError(f"{method} is not on the list of public methods")
        if not self._endpoints:
            raise UpstreamUnavailable(Phrase("this needs a daemon, and none is configured here"))
        for endpoint in self._endpoints:
            try:
                return await self._ask(endpoint, Call(method, params))
            except Refused:
                raise
            except SourceError as error:
                log.warning("%s: %s", method, error)
        raise UpstreamUnavailable(Phrase("the daemon does not answer: ask again later"))

    async def broadcast(self, text: str) -> str:
        """Hand a transaction (hex) to the daemon; its txid, or BadRequest with the daemon's reason."""
        if len(text) % 2 or not text or not HEX_DIGITS.issuperset(text) or len(text) > 2 * LONGEST_TRANSACTION:
            raise BadRequest(
                Phrase("hex: expected a transaction of 1 to %(most)s bytes as hex digits", most=LONGEST_TRANSACTION)
            )
        try:
            return str(await self.call("sendrawtransaction", text))
        except Refused as error:
            raise BadRequest(Phrase(
                "the daemon refused the transaction: %(reason)s (code %(code)s)",
                reason=error.reason, code=error.code,
            )) from error

    async def raw_block(self, block_hash: str) -> bytes:
        """The serialized block with a hash in display order; NotFound when the daemon has none."""
        try:
            return bytes.fromhex(await self.call("getblock", block_hash, 0))
        except Refused as error:
            if error.code == NOT_FOUND_CODE:
                raise NotFound(Phrase("the daemon has no block %(hash)s", hash=block_hash)) from error
            raise UpstreamUnavailable(
                Phrase("the daemon cannot give block %(hash)s: ask again later", hash=block_hash)
            ) from error
        except (TypeError, ValueError) as error:
            raise UpstreamUnavailable(Phrase("the daemon answered with no block: ask again later")) from error

    async def parsed_block(self, block_hash: str) -> ParsedBlock:
        """The block with full-bytes ids, parsed outside of the event loop."""
        raw = await self.raw_block(block_hash)
        try:
            block = await asyncio.to_thread(partial(parse_block, raw, full_ids=True))
        except FluxError as error:
            log.warning("block %s as the daemon gave it: %s", block_hash, error)
            raise UpstreamUnavailable(Phrase("the daemon answered with a block that cannot be read")) from error
        if block.hash != parse_hash(block_hash):
            log.warning("the daemon gave block %s for %s", hash_text(block.hash), block_hash)
            raise UpstreamUnavailable(Phrase("the daemon answered with another block"))
        return block

    async def full_ids(self, block_hash: str) -> Sequence[bytes]:
        """The full-bytes ids of the node transactions of a block, in block order."""
        ids = (await self.parsed_block(block_hash)).full_ids
        return [ids[at : at + 32] for at in range(0, len(ids), 32)]

    async def raw_transaction(self, block_hash: str, index: int) -> bytes:
        """The serialized transaction at a position of a block."""
        block = await self.parsed_block(block_hash)
        starts = ints(block.tx_start, "I")
        return block.raw[starts[index] : starts[index + 1]]

    async def raw_unconfirmed(self, txid: bytes) -> bytes:
        """The serialized transaction of the daemon's mempool with a txid in wire order."""
        shown = hash_text(txid)
        try:
            raw = bytes.fromhex(await self.call("getrawtransaction", shown, 0))
            found = parse_transaction(raw).txid
        except Refused as error:
            raise UpstreamUnavailable(
                Phrase("transaction %(shown)s has just left the daemon's mempool: ask again", shown=shown)
            ) from error
        except (TypeError, ValueError, ParseError) as error:
            raise UpstreamUnavailable(Phrase("the daemon answered with no transaction: ask again later")) from error
        if found != txid:
            log.warning("the daemon gave transaction %s for %s", hash_text(found), shown)
            raise UpstreamUnavailable(Phrase("the daemon answered with another transaction"))
        return raw

    async def verbose_transaction(self, txid: str) -> Any:
        """A transaction as the daemon describes it (``getrawtransaction``), amounts as Decimal.

        NotFound when it does not know it: one without an index of transactions knows few.
        """
        try:
            return await self.call("getrawtransaction", txid, 1)
        except Refused as error:
            raise NotFound(
                Phrase("the daemon does not describe transaction %(txid)s: %(reason)s", txid=txid, reason=error.reason)
            ) from error

    async def _ask(self, endpoint: Endpoint, call: Call) -> Any:
        headers = {"Content-Type": "application/json"}
        if authorization := endpoint.authorization():
            headers["Authorization"] = authorization
        try:
            response = await self._http.post(endpoint.url, content=encode_call(call), headers=headers)
        except httpx.HTTPError as error:
            raise transport_error(error, endpoint.url) from None
        return decode_call(response.status_code, response.content, call, endpoint.url)
