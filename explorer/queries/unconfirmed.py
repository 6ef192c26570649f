"""Unconfirmed transactions as they are stored; whether one is mined by now is for the caller to ask."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from explorer.db import View
from explorer.queries.results import UnconfirmedSpend
from indexer.chain.keys import hash_text
from indexer.store.codec import Document

COLLECTION = "mempool"

UnconfirmedSpends = Mapping[bytes, UnconfirmedSpend]  # by outpoint


async def unconfirmed(view: View, txid: bytes) -> Document | None:
    """The row of an unconfirmed transaction (wire order), or None."""
    return None if view.pool_about([txid]) is None else await view.one(COLLECTION, {"_id": txid})


async def touching(view: View, key: bytes) -> list[Document]:
    """The rows that pay to or spend from an address, newest first."""
    if view.pool_about([key]) is None:
        return []
    return await view.many(COLLECTION, {"touches": key}, sort=[("n", -1)])


async def spends_of(view: View, txid: bytes) -> UnconfirmedSpends:
    """By which unconfirmed transactions the outputs of a transaction are spent."""
    first, last = txid + bytes(4), txid + b"\xff\xff\xff\xff"
    spends = await _spends(view, [txid], {"spends": {"$elemMatch": {"$gte": first, "$lte": last}}})
    return {point: spend for point, spend in spends if point[:32] == txid}


async def spends_among(view: View, owners: Collection[bytes], points: Sequence[bytes]) -> UnconfirmedSpends:
    """By which unconfirmed transactions these outputs of these addresses are spent."""
    wanted = set(points)
    spends = await _spends(view, owners, {"spends": {"$in": list(points)}}) if points else ()
    return {point: spend for point, spend in spends if point in wanted}


async def _spends(
    view: View, keys: Iterable[bytes], where: Mapping[str, object]
) -> Iterable[tuple[bytes, UnconfirmedSpend]]:
    rows = [] if view.pool_about(keys) is None else await view.many(COLLECTION, where, fields=("spends",))
    return _each_spend(rows)


def _each_spend(rows: Iterable[Document]) -> Iterator[tuple[bytes, UnconfirmedSpend]]:
    for row in rows:
        txid = hash_text(bytes(row["_id"]))
        for n, point in enumerate(row["spends"]):
            yield bytes(point), UnconfirmedSpend(txid, n)
