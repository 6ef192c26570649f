"""The two big caches of the state: unspent outputs and balances, bounded, written through in batches.

An entry that belongs to a batch not yet committed is *pinned*: only the cache knows it. Everything else can
be read again, so eviction is oldest first and costs nothing but a later read. While a cache has seen the
chain from its first block and evicted nothing it is *complete*: what it lacks does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import islice
from typing import Generic, TypeVar

V = TypeVar("V")


class BoundedCache(Generic[V]):
    """A dictionary of at most ``limit`` entries over a batched read, with pinned entries."""

    def __init__(self, read: Callable[[Collection[bytes]], dict[bytes, V]], limit: int, *, complete: bool) -> None:
        self.entries: dict[bytes, V] = {}
        self.complete = complete
        self._read = read
        self._limit = limit
        self._pinned: list[Collection[bytes]] = []

    def load(self, keys: Iterable[bytes]) -> None:
        """Make sure that every key that exists in the store is in ``entries``."""
        if self.complete:
            return
        missing = [key for key in keys if key not in self.entries]
        if missing:
            self.entries.update(self._read(missing))

    def pin(self, keys: Collection[bytes]) -> None:
        """Keep these entries until the batch that made them is committed (``unpin``)."""
        self._pinned.append(keys)

    def unpin(self) -> None:
        """The oldest pinned batch is committed; make room."""
        self._pinned.pop(0)
        excess = len(self.entries) - self._limit
        if excess > 0:
            self._evict(excess + self._limit // 16)

    def _evict(self, count: int) -> None:
        pinned = set().union(*self._pinned)
        for key in [key for key in islice(self.entries, count) if key not in pinned]:
            del self.entries[key]
            self.complete = False
