"""The node lists after any block, from immutable rows: the same way for the tip as for the past."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from explorer.db import View
from explorer.errors import NotFound
from indexer.chain import tiers
from indexer.chain.keys import eventkey, txkey
from indexer.chain.replay import SNAPSHOT_EVERY, Change, PastLists, no_lists, replay
from indexer.chain.tiers import TIERS
from indexer.errors import ChainError
from indexer.store.codec import (
    Document,
    event_change,
    payout_changes,
    snapshot_lists,
    split_strings,
    start_change,
)

NEAR = 200
"""Blocks that are rather replayed from what is in memory than from a snapshot."""

LastConfirmations = Mapping[int, tuple[int, str]]
"""By node: the height of its last confirmation, and the ip in it."""


async def lists_at(view: View, height: int) -> PastLists:
    """The node lists after block ``height``; kept in memory for a few heights of this epoch."""
    return await view.once("node lists", height, lambda: _lists(view, height))


async def ranks_at(view: View, height: int) -> Mapping[int, int]:
    """The rank of every confirmed node in its tier after block ``height``."""

    async def ranked() -> Mapping[int, int]:
        lists = await lists_at(view, height)
        return {node: rank for tier in TIERS for rank, node in enumerate(lists.order(tier))}

    return await view.once("ranks", height, ranked)


async def confirmations_of(view: View, nodes: Sequence[int], height: int) -> LastConfirmations:
    """The last confirmations, after block ``height``, of nodes that were confirmed then.

    None is older than E blocks, else the node would have expired.
    """
    wanted = set(nodes)
    oldest = max(height - tiers.windows(view.network, height).expiry, 0)
    where = {**_heights(oldest, height), "nodes": {"$in": list(nodes)}}
    rows = await view.many("node_confirms", where, sort=[("_id", 1)], fields=("nodes", "ips")) if nodes else []
    return {
        node: (row["_id"], ip.decode("latin-1"))
        for row in rows
        for node, ip in zip(row["nodes"], split_strings(row["ips"]), strict=True)
        if node in wanted
    }


async def starts_at(view: View, nodes: Sequence[int], height: int) -> dict[int, Document]:
    """Collateral and payee, as the STARTs have them with which the nodes began their life after block ``height``."""
    where = {"node": {"$in": list(nodes)}, "_id": {"$lt": txkey(height + 1, 0)}}
    fields = ("node", "outpoint", "payee")
    rows = await view.many("node_starts", where, sort=[("_id", 1)], fields=fields) if nodes else []
    return {row["node"]: row for row in rows}


async def _lists(view: View, height: int) -> PastLists:
    near: PastLists | None = view.kept("node lists", height)
    if near is not None and near.height >= height - NEAR:
        return _replayed(near, await _changes(view, near.height + 1, height), height)
    base, changes = await asyncio.gather(
        _snapshot(view, height), _changes(view, height - height % SNAPSHOT_EVERY + 1, height)
    )
    return _replayed(base, changes, height)


async def _snapshot(view: View, height: int) -> PastLists:
    kept = height - height % SNAPSHOT_EVERY
    row = await view.row("queue_snapshots", kept)
    return no_lists(kept) if row is None else snapshot_lists(row)


async def _changes(view: View, first: int, last: int) -> Iterable[Change]:
    """What happened to nodes in these blocks, in order."""
    end = last + 1
    starts, events, payouts = await asyncio.gather(
        view.many("node_starts", _keys(txkey(first, 0), txkey(end, 0)), sort=[("_id", 1)], fields=("node", "tier")),
        view.many(
            "node_events",
            _keys(eventkey(first, 0), eventkey(end, 0)),
            sort=[("_id", 1)],
            fields=("node", "event", "tier"),
        ),
        view.many("payouts", _heights(first, last), sort=[("_id", 1)], fields=("tiers", "nodes")),
    )
    paid = chain.from_iterable(map(payout_changes, payouts))
    changes: Iterable[Any] = chain(map(start_change, starts), map(event_change, events), paid)
    return sorted(changes, key=itemgetter(0))


def _replayed(base: PastLists, changes: Iterable[Change], height: int) -> PastLists:
    try:
        return replay(base, changes, height)
    except ChainError as error:
        # Rows may be going away under this very question; the fence asks again, and only then believes it.
        raise NotFound(str(error)) from error


def _keys(low: int, end: int) -> dict[str, dict[str, int]]:
    return {"_id": {"$gte": low, "$lt": end}}


def _heights(first: int, last: int) -> dict[str, Any]:
    return {"_id": {"$gte": first, "$lte": last}}
