"""When something that is made for one block of the chain is due again."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from indexer.store.base import Document


class Pinned(NamedTuple):
    """The block that something was made for; hash in wire order."""

    height: int
    hash: bytes


class Schedule:
    """When it is due: ``every`` so many blocks, 0 for never, and again when its block is no longer ours."""

    def __init__(self, every: int, last: Pinned | None) -> None:
        self._every = every
        self.last = last
        self._epoch: int | None = None

    def due(self, tip: Document, hash_at: Callable[[int], bytes | None]) -> bool:
        """Whether to make it now; ``hash_at`` is asked only after rows were removed."""
        if not self._every:
            return False
        last = self.last
        if last is None or not last.height <= tip["height"] < last.height + self._every:
            return True
        if tip["epoch"] != self._epoch:
            if hash_at(last.height) != last.hash:
                return True
            self._epoch = tip["epoch"]
        return False
