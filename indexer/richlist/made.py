"""One rich list, made of the unspent outputs by the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from indexer.store.base import Document
from indexer.store.codec import RichList, rich_list_row
from indexer.store.commit import TIP
from indexer.store.mongo import MongoStore
from indexer.store.schedule import Pinned

MOST: Final = 1000  # addresses on the list
KEPT: Final = 3  # lists: who reads one page by page finds the rest while the next ones are made
POWERS: Final = tuple(10**exponent for exponent in range(18))  # zatoshi: from 1 to beyond all coins


def make(store: MongoStore, most: int = MOST) -> Pinned | None:
    """Make the list of the tip and keep it; None when a commit came between, or is half done.

    The tip must be the same before and after, and the balances must add up to the running total of its block:
    the total comes from the blocks, not from the rows that are added up here.
    """
    tip = store.meta(TIP)
    if tip is None or tip["height"] < 0 or tip["dirty"]:
        return None
    made = holdings(store, tip, most)
    transparent = next((block["transparent"] for block in store.scan("blocks", tip["height"], tip["height"] + 1)), None)
    if store.meta(TIP) != tip or sum(made.sums) + made.without != transparent:
        return None
    keep(store, made)
    return Pinned(made.height, made.hash)


def holdings(store: MongoStore, tip: Document, most: int) -> RichList:
    """What the unspent outputs come to now, address by address: one pass on the server."""
    (found,) = store.aggregate("utxos", _stages(most))
    powers = {row["_id"]: row for row in found["powers"]}
    return RichList(
        height=tip["height"],
        hash=bytes(tip["hash"]),
        addresses=tuple(bytes(row["_id"]) for row in found["top"]),
        balances=tuple(row["b"] for row in found["top"]),
        without=sum(row["b"] for row in found["without"]),
        powers=tuple(power for power in POWERS if power in powers),
        counts=tuple(powers[power]["addresses"] for power in POWERS if power in powers),
        sums=tuple(powers[power]["sum"] for power in POWERS if power in powers),
    )


def _stages(most: int) -> Sequence[Mapping[str, Any]]:
    holders = {"$match": {"_id": {"$ne": None}, "b": {"$gt": 0}}}
    counted = {"addresses": {"$sum": 1}, "sum": {"$sum": "$b"}}
    return (
        {"$group": {"_id": "$a", "b": {"$sum": "$v"}}},
        {
            "$facet": {
                "top": [holders, {"$sort": {"b": -1, "_id": 1}}, {"$limit": most}],
                "powers": [holders, {"$bucket": {"groupBy": "$b", "boundaries": [*POWERS, 10**18], "output": counted}}],
                "without": [{"$match": {"_id": None}}],
            }
        },
    )


def keep(store: MongoStore, made: RichList) -> None:
    """Store a list and forget those before the last few."""
    store.replace("richlist", [rich_list_row(made)])
    store.delete("richlist", [*store.ids("richlist")][:-KEPT])


def last_made(store: MongoStore, hash_at: Callable[[int], bytes | None]) -> Pinned | None:
    """The newest list of a block that is still ours; those of orphaned blocks are removed."""
    for row in list(store.scan("richlist", descending=True)):
        if hash_at(row["_id"]) == bytes(row["hash"]):
            return Pinned(row["_id"], bytes(row["hash"]))
        store.delete("richlist", [row["_id"]])
    return None
