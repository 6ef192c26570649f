"""The mempool through FluxOS gateways: seldom asked, a little at a time, of nodes that need not agree.

Behind a gateway stand many nodes, each with a mempool and a tip of its own, whose answers may be half a minute old
(``ZelBack/src/routes.js`` caches them). So one answer without a transaction does not say that it is gone, and one with
it does not say that our last blocks do not hold it: the former is believed at the second time, the latter is for the
reader to look up in the last blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from indexer.chain.keys import hash_text
from indexer.errors import Garbled, Refused
from indexer.mempool.ask import CLOSE_ENOUGH, Listing, read_times, read_transaction
from indexer.parse.columns import ParsedTransaction
from indexer.source.envelope import Gateways
from indexer.store.base import Document

POLL_SECONDS = 30.0
"""How often the set is asked for: gateways keep an answer for as long."""

AT_ONCE = 40  # transactions asked for in one round: they are other people's nodes
DOUBT = 20  # blocks by which a node of a gateway may be behind


class GatewayPool:
    """The mempool of whichever nodes answer."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways
        self._before: Mapping[bytes, int | None] = {}
        self._left = 0  # transactions that may still be asked for in this round

    def close(self) -> None:
        """Drop the connections."""
        self._gateways.end()
        self._gateways.close()

    def listing(self, tip: Document, *, times: bool) -> Listing | None:
        """What the last two answers had together; None while the gateways' chain is far ahead of our tip."""
        if self._gateways.ask("getblockcount", read=_count) - tip["height"] > CLOSE_ENOUGH:
            return None
        verbose = ("true",) if times else ()
        now = self._gateways.ask("getrawmempool", *verbose, read=partial(read_times, who="a gateway"))
        found = {**self._before, **now}
        self._before, self._left = now, AT_ONCE
        return Listing(found, at_tip=True, doubt=DOUBT)

    def fetched(self, txids: Sequence[bytes]) -> Iterator[tuple[bytes, ParsedTransaction | None]]:
        """Those of the transactions that the node asked has; so many of them as a round allows."""
        for txid in txids:
            if not self._left:
                return
            self._left -= 1
            raw = self._raw(txid)
            if raw is not None:
                yield txid, read_transaction(txid, raw)

    def _raw(self, txid: bytes) -> str | None:
        try:
            return self._gateways.ask("getrawtransaction", hash_text(txid), 0, read=_text)
        except Refused:
            return None  # this node has not heard of it, or has it in a block


def _count(answer: Any) -> int:
    if not isinstance(answer, int) or isinstance(answer, bool):
        raise Garbled("a gateway gave a number of blocks that is none: asking again")
    return answer


def _text(answer: Any) -> str:
    if not isinstance(answer, str):
        raise Garbled("a gateway gave no bytes for an unconfirmed transaction: asking again")
    return answer
