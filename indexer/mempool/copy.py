"""The collection and the daemon's mempool compared: what came is written, what left is removed."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence, Set
from typing import Any

from indexer.chain.params import Network
from indexer.mempool.ask import Listing, Pool
from indexer.mempool.settle import settle
from indexer.parse.columns import ParsedTransaction, ints
from indexer.store.base import Document, Store
from indexer.store.codec import MEMPOOL_PARTS, mempool_part, pack_u32
from indexer.store.commit import TIP
from indexer.store.read import StoreReader
from indexer.store.unconfirmed import keys_of, measures

MEMPOOL = "mempool"  # the collection, and the document of meta
FETCH = 50  # transactions asked of the daemon at once
BEAT_SECONDS = 2

log = logging.getLogger(__name__)


class MempoolCopy:
    """The stored set; keeps at most ``most`` transactions and ``most_bytes`` of them.

    It begins with nothing but the numbers and times of what is stored, and asks everything else again: a copy that
    was cut short by a crash is made whole by the first comparison.
    """

    def __init__(self, network: Network, store: Store, pool: Pool, most: int, most_bytes: int) -> None:
        self._network, self._store, self._pool = network, store, pool
        self._reader = StoreReader(store)
        self._most, self._most_bytes = most, most_bytes
        self._rows: dict[bytes, Document] = {}
        self._waiting: dict[bytes, ParsedTransaction] = {}  # for what they spend to become known
        self._unreadable: set[bytes] = set()
        self._full = False
        self._begun = False
        self._came = {bytes(row["_id"]): (row["n"], row["seen"]) for row in store.scan(MEMPOOL)}
        self._said: dict[str, Any] = dict(store.meta(MEMPOOL) or {"revision": 0, "updated_at": 0, "stale_since": None})

    @property
    def compared_at(self) -> int:
        """When the set was last compared with the daemon's, in Unix seconds; 0 for never."""
        return int(self._said["updated_at"])

    def compare(self) -> None:
        """Bring the collection to what the daemon has now, as far as our tip allows."""
        tip = self._store.meta(TIP)
        if tip is None or tip["height"] < 0:
            return
        found = self._pool.listing(tip, times=not self._begun)
        if found is None or not (found.at_tip or self._begun):
            return
        self._waiting = {txid: tx for txid, tx in self._waiting.items() if txid in found.times}
        self._unreadable &= found.times.keys()
        self._fetch(found)
        fresh = settle(self._waiting, self._rows, self._reader, self._network, tip["height"] + 1)
        gone = self._gone(found, fresh.keys())
        changed = self._changed(fresh, gone)
        self._write(fresh, gone, found)
        self._publish(tip, found, changed)
        self._begun = True

    def tell_stale(self) -> None:
        """Tell the explorers, once, that the set can no longer be compared."""
        if self._said["updated_at"] and self._said["stale_since"] is None:
            self._say({"stale_since": self._said["updated_at"]}, visible=True)

    def _fetch(self, found: Listing) -> None:
        """Have new transactions wait, as many as the bounds allow."""
        new = [t for t in found.times if t not in self._rows and t not in self._waiting and t not in self._unreadable]
        taken = new[: max(0, self._most - len(self._rows) - len(self._waiting))]
        size = self._size() if taken else 0
        for first in range(0, len(taken), FETCH):
            if size >= self._most_bytes:
                taken = taken[:first]
                break
            size += self._take(taken[first : first + FETCH])
        self._tell_when_full(found, len(taken) < len(new))

    def _take(self, txids: Sequence[bytes]) -> int:
        """Have transactions wait that the daemon is asked for; the bytes they have."""
        size = 0
        for txid, tx in self._pool.fetched(txids):
            if tx is None:
                self._unreadable.add(txid)
            else:
                self._waiting[txid] = tx
                size += len(tx.raw)
        return size

    def _size(self) -> int:
        return measures(self._rows)[1] + sum(len(tx.raw) for tx in self._waiting.values())

    def _tell_when_full(self, found: Listing, full: bool) -> None:
        if full and not self._full:
            log.warning(
                "the daemon has %d unconfirmed transactions: those beyond %d, or %d bytes, are left out",
                len(found.times), self._most, self._most_bytes,
            )  # fmt: skip
        self._full = full

    def _gone(self, found: Listing, fresh: Set[bytes]) -> set[bytes]:
        """What is stored and has left the daemon; nothing while a block may be missing here that holds it."""
        return self._came.keys() - (found.times.keys() & (self._rows.keys() | fresh)) if found.at_tip else set()

    def _changed(self, fresh: Mapping[bytes, Document], gone: Set[bytes]) -> Set[int]:
        """The parts of the set that change; all of them in the first comparison, which knows no row of before."""
        if not self._begun:
            return frozenset(range(MEMPOOL_PARTS))
        rows = [*fresh.values(), *(self._rows[txid] for txid in gone)]
        return {mempool_part(key) for row in rows for key in keys_of(row)}

    def _write(self, fresh: Mapping[bytes, Document], gone: Set[bytes], found: Listing) -> None:
        rows = self._numbered(fresh, found)
        self._store.replace(MEMPOOL, rows)
        self._store.delete(MEMPOOL, sorted(gone))
        self._rows |= {row["_id"]: row for row in rows}
        for txid in fresh:
            del self._waiting[txid]
        for txid in gone:
            self._came.pop(txid)
            self._rows.pop(txid, None)

    def _numbered(self, fresh: Mapping[bytes, Document], found: Listing) -> Sequence[Document]:
        """Rows with number and time of their coming; those that were stored before keep theirs."""
        now = int(time.time())
        number = 1 + max((n for n, _ in self._came.values()), default=0)
        rows = []
        for txid in sorted(fresh, key=lambda txid: found.times[txid] or now):
            if txid not in self._came:
                self._came[txid] = (number, found.times[txid] or now)
                number += 1
            n, seen = self._came[txid]
            rows.append({**fresh[txid], "n": n, "seen": seen})
        return rows

    def _publish(self, tip: Document, found: Listing, changed: Set[int]) -> None:
        """Tell the explorers, after the rows: who sees the new revision finds its rows."""
        told: dict[str, Any] = {"left_out": len(found.times.keys() - self._rows.keys()), "stale_since": None}
        if changed:
            told["count"], told["bytes"], told["kinds"] = measures(self._rows)
            told["parts"] = self._parts(changed)
        visible = bool(changed) or any(self._said.get(name) != value for name, value in told.items())
        if found.at_tip or self._rows.keys() <= found.times.keys():
            told["block"] = {"height": max(-1, tip["height"] - found.doubt), "epoch": tip["epoch"]}
        now = int(time.time())
        moved = self._said.get("block") != told.get("block", self._said.get("block"))
        if visible or moved or now - self._said["updated_at"] >= BEAT_SECONDS:
            self._say({**told, "updated_at": now}, visible)

    def _parts(self, changed: Set[int]) -> bytes:
        """The revision of the last change of each part, with what changes now."""
        before = ints(self._said.get("parts", bytes(4 * MEMPOOL_PARTS)), "I")
        now = self._said["revision"] + 1
        return pack_u32([now if part in changed else known for part, known in enumerate(before)])

    def _say(self, told: dict[str, Any], visible: bool) -> None:
        told = {**told, "revision": self._said["revision"] + visible}
        self._store.put_meta(MEMPOOL, told)
        self._said |= told
