"""What a daemon has in its mempool, and the bytes of it: the questions that a copy of the set is made by."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from indexer.chain.keys import hash_text, parse_hash
from indexer.errors import Garbled, ParseError, Refused
from indexer.parse import parse_transaction
from indexer.parse.columns import COINBASE, ParsedTransaction
from indexer.source.rpc import Call, DaemonRpc
from indexer.store.base import Document

CLOSE_ENOUGH = 10  # blocks behind the daemon at which the set is worth having

log = logging.getLogger(__name__)


class Listing(NamedTuple):
    """The unconfirmed transactions by txid (wire order): since when they wait, where that is known.

    ``at_tip``: what is not among them is gone. ``doubt``: how many blocks up to our tip may hold some of them.
    """

    times: Mapping[bytes, int | None]
    at_tip: bool
    doubt: int = 0


class Pool(Protocol):
    """Somebody's mempool."""

    def listing(self, tip: Document, *, times: bool) -> Listing | None:
        """What it holds; with ``times`` also since when; None while it cannot be told for our ``tip``."""

    def fetched(self, txids: Sequence[bytes]) -> Iterator[tuple[bytes, ParsedTransaction | None]]:
        """Those of the transactions that it still holds; None for one whose bytes are of no use."""

    def close(self) -> None:
        """Ask nothing more."""


class DaemonPool:
    """The mempool of a daemon of one's own."""

    def __init__(self, daemon: DaemonRpc) -> None:
        self._daemon = daemon

    def close(self) -> None:
        """Drop the connections."""
        self._daemon.close()

    def listing(self, tip: Document, *, times: bool) -> Listing | None:
        """What the daemon has; with ``times`` also since when.

        None while the daemon's chain does not hold our tip, is far ahead of it, or moves under the question.
        """
        calls = [
            Call("getbestblockhash"),
            Call("getblockcount"),
            Call("getblockhash", (tip["height"],)),
            Call("getrawmempool", (True,) if times else ()),
            Call("getbestblockhash"),
        ]
        best, height, ours, waiting, still = self._daemon.batch(calls)
        for answer in (best, height, waiting, still):
            if isinstance(answer, Refused):
                raise answer
        here = hash_text(tip["hash"])
        if best != still or ours != here or height - tip["height"] > CLOSE_ENOUGH:
            return None
        return Listing(read_times(waiting, f"the daemon at {self._daemon.url}"), best == here)

    def fetched(self, txids: Sequence[bytes]) -> Iterator[tuple[bytes, ParsedTransaction | None]]:
        """Those of the transactions that the daemon still has; None for one whose bytes are of no use."""
        for txid, raw in zip(txids, self._raws(txids), strict=True):
            if isinstance(raw, str):
                yield txid, read_transaction(txid, raw)

    def _raws(self, txids: Sequence[bytes]) -> list[Any]:
        """The daemon's answers; asked by halves while they are too much for one reply."""
        try:
            return self._daemon.batch([Call("getrawtransaction", (hash_text(txid), 0)) for txid in txids])
        except Garbled:
            if len(txids) < 2:
                raise
            half = len(txids) // 2
            return self._raws(txids[:half]) + self._raws(txids[half:])


def read_times(answer: Any, who: str) -> dict[bytes, int | None]:
    """The answer to getrawmempool of either form; Garbled when it is none."""
    try:
        if isinstance(answer, Mapping):
            return {parse_hash(txid): facts.get("time") for txid, facts in answer.items()}
        return {parse_hash(txid): None for txid in answer}
    except (AttributeError, TypeError, ValueError):
        raise Garbled(f"{who} gave a mempool that is none: asking again") from None


def read_transaction(txid: bytes, raw: str) -> ParsedTransaction | None:
    """The transaction of hex digits; None, and a warning, when they are not those of ``txid``."""
    try:
        tx = parse_transaction(bytes.fromhex(raw))
    except (ParseError, ValueError) as error:
        log.warning("unconfirmed transaction %s is left out: %s", hash_text(txid), error)
        return None
    if tx.txid != txid or tx.kind == COINBASE:
        log.warning("unconfirmed transaction %s is left out: the daemon gave other bytes for it", hash_text(txid))
        return None
    return tx
