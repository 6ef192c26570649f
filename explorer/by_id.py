"""Rows by ``_id``: those that are asked for at the same time go out as one question, and those that never change stay.

A row whose ``_id`` tells its height is final from the moment that the tip has reached it until the epoch rises. So
it is kept in memory under the epoch of the tip it was read at, and given to later questions of that epoch at that
height or above. Had rows gone away before it was read, the epoch would have risen before that: whoever is given the
row then learns so at the end of its fence. Rows above the tip are not given at all, for the indexer writes ahead of it.

Rows are shared between answers: whoever wants another one makes a copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

from explorer.meta import Tip
from indexer.chain.keys import txkey_height
from indexer.store.codec import Document
from indexer.store.schema import (
    BLOCKS,
    NODE_CONFIRMS,
    NODE_STARTS,
    PAYOUTS,
    QUEUE_SNAPSHOTS,
    TRANSACTIONS,
    TXIDS,
)

Rows = dict[Any, Document]
Find = Callable[[str, Mapping[str, Any]], Awaitable[list[Document]]]

HEIGHTS: Final[Mapping[str, Callable[[int], int]]] = {
    **{collection.name: int for collection in (BLOCKS, NODE_CONFIRMS, PAYOUTS, QUEUE_SNAPSHOTS, TXIDS)},
    **{collection.name: txkey_height for collection in (NODE_STARTS, TRANSACTIONS)},
}
MOST_KEPT: Final[Mapping[str, int]] = {BLOCKS.name: 4096, PAYOUTS.name: 4096, NODE_STARTS.name: 16_384}
"""So many rows, of the collections whose rows are small whatever a block holds: 2 kB each, 40 MB together."""
TURNS: Final = 2  # of the loop in which others may join a question: as deep as calls are nested in one


class KeptRows:
    """Rows of one epoch, by collection and ``_id``: of each collection the least recently used go first."""

    def __init__(self, most: Mapping[str, int] = MOST_KEPT) -> None:
        self._most = most
        self._epoch = -1
        self._rows: dict[str, Rows] = {}

    def find(self, epoch: int, collection: str, ids: Iterable[Any]) -> Rows:
        """Those of the rows that are kept for this epoch."""
        kept = self._rows.get(collection) if epoch == self._epoch else None
        if not kept:
            return {}
        found = {id: kept.pop(id) for id in ids if id in kept}
        kept |= found
        return found

    def keep(self, epoch: int, collection: str, rows: Rows) -> None:
        """Keep rows; an earlier epoch's are forgotten, and of an earlier epoch none are kept."""
        if collection not in self._most or epoch < self._epoch:
            return
        if epoch > self._epoch:
            self._epoch, self._rows = epoch, {}
        kept = self._rows.setdefault(collection, {})
        kept |= rows
        while len(kept) > self._most[collection]:
            del kept[next(iter(kept))]


class RowsById:
    """Reads rows by ``_id`` for every view of a database."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._kept = KeptRows()
        self._open: dict[str, tuple[set[Any], asyncio.Task[Rows]]] = {}  # by collection: what may still be joined

    async def read(self, tip: Tip, collection: str, ids: Iterable[Any]) -> Rows:
        """Those of the rows that exist, by ``_id``; of a collection in ``HEIGHTS`` none above the tip."""
        height = HEIGHTS.get(collection)
        wanted = {id for id in ids if height is None or height(id) <= tip.height}
        found = self._kept.find(tip.epoch, collection, wanted)
        if lacking := wanted - found.keys():
            rows = await self._together(collection, lacking)
            read = {id: rows[id] for id in lacking if id in rows}
            self._kept.keep(tip.epoch, collection, read)
            found |= read
        return found

    async def _together(self, collection: str, ids: set[Any]) -> Rows:
        """The rows with these ids, among those that others ask for in these turns of the loop."""
        if collection not in self._open:
            wanted: set[Any] = set()
            self._open[collection] = wanted, asyncio.create_task(self._ask(collection, wanted))
        wanted, question = self._open[collection]
        wanted |= ids
        return await asyncio.shield(question)  # who gives up waiting leaves the others theirs

    async def _ask(self, collection: str, ids: set[Any]) -> Rows:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        del self._open[collection]
        where: Any = {"$in": sorted(ids)} if len(ids) > 1 else next(iter(ids))
        return {row["_id"]: row for row in await self._find(collection, {"_id": where})}
