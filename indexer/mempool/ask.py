"""What the daemon has in its mempool, and the bytes of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from indexer.chain.keys import hash_text, parse_hash
from indexer.errors import Garbled, ParseError, Refused
from indexer.parse import parse_transaction
from indexer.parse.columns import COINBASE, ParsedTransaction
from indexer.source.rpc import Call, DaemonRpc
from indexer.store.base import Document

CLOSE_ENOUGH = 10  # blocks behind the daemon at which the set is worth having

log = logging.getLogger(__name__)


class Listing(NamedTuple):
    """The daemon's mempool: by txid (wire order) since when, where it said so; whether our tip is the daemon's."""

    times: Mapping[bytes, int | None]
    at_tip: bool


def listing(daemon: DaemonRpc, tip: Document, *, times: bool) -> Listing | None:
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
    best, height, ours, waiting, still = daemon.batch(calls)
    for answer in (best, height, waiting, still):
        if isinstance(answer, Refused):
            raise answer
    here = hash_text(tip["hash"])
    if best != still or ours != here or height - tip["height"] > CLOSE_ENOUGH:
        return None
    return Listing(_times(waiting, daemon.url), best == here)


def _times(answer: Any, where: str) -> dict[bytes, int | None]:
    try:
        if isinstance(answer, Mapping):
            return {parse_hash(txid): facts.get("time") for txid, facts in answer.items()}
        return {parse_hash(txid): None for txid in answer}
    except (AttributeError, TypeError, ValueError):
        raise Garbled(f"the daemon at {where} gave a mempool that is none: asking again") from None


def fetched(daemon: DaemonRpc, txids: Sequence[bytes]) -> Iterator[tuple[bytes, ParsedTransaction | None]]:
    """Those of the transactions that the daemon still has; None for one whose bytes are of no use."""
    for txid, raw in zip(txids, _raws(daemon, txids), strict=True):
        if isinstance(raw, str):
            yield txid, _parsed(txid, raw)


def _raws(daemon: DaemonRpc, txids: Sequence[bytes]) -> list[Any]:
    """The daemon's answers; asked by halves while they are too much for one reply."""
    try:
        return daemon.batch([Call("getrawtransaction", (hash_text(txid), 0)) for txid in txids])
    except Garbled:
        if len(txids) < 2:
            raise
        half = len(txids) // 2
        return _raws(daemon, txids[:half]) + _raws(daemon, txids[half:])


def _parsed(txid: bytes, raw: str) -> ParsedTransaction | None:
    try:
        tx = parse_transaction(bytes.fromhex(raw))
    except (ParseError, ValueError) as error:
        log.warning("unconfirmed transaction %s is left out: %s", hash_text(txid), error)
        return None
    if tx.txid != txid or tx.kind == COINBASE:
        log.warning("unconfirmed transaction %s is left out: the daemon gave other bytes for it", hash_text(txid))
        return None
    return tx
