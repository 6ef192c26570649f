"""The chain at one height, read while an indexer may be at work.

Immutable rows at or below the height stay as they are until the epoch changes; then everything begins again
(``Moved``). Mutable rows are read *fenced*: the tip is the same before and after, and not dirty. What blocks
above the height spent in the meantime is in their transactions, so that the coins of the height can be told
at any later time of the same epoch.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from indexer.chain.keys import first_outkey, txkey
from indexer.errors import StoreError, Unavailable
from indexer.progress import ProgressCall, Report
from indexer.store.base import Document, Store
from indexer.store.codec import Input, transaction_inputs
from indexer.store.commit import TIP

SETTLE_SECONDS = 30.0
PAUSE_SECONDS = 0.05
FENCE_TRIES = 50
REPORT_EVERY = 1000

T = TypeVar("T")


class Moved(StoreError):
    """Rows were removed below the view, by a reorganisation or a rewind: begin again."""


class View:
    """The index at the height of its tip, as of now."""

    def __init__(self, store: Store, progress: ProgressCall) -> None:
        self.store = store
        self._progress = progress
        self.tip = settled_tip(store)
        self.height: int = self.tip["height"]
        self.outkeys = first_outkey(self.height + 1)  # the outputs of the view are below

    def rows(self, collection: str, note: str, low: int = 0) -> Iterator[Document]:
        """The rows of a collection that is keyed by height, from ``low`` up to the height of the view."""
        rows = self.store.scan(collection, low, self.height + 1)
        return self.told(rows, note, self.height + 1 - low, "block")

    def transactions(self, low: int, high: int) -> Iterator[Document]:
        """The rows of ``transactions`` of the blocks ``low <= height < high``."""
        return self.store.scan("transactions", txkey(low, 0), txkey(high, 0))

    def told(self, items: Iterable[T], note: str, total: int, unit: str) -> Iterator[T]:
        """The items, with progress told on the way."""
        begun = time.monotonic()
        for number, item in enumerate(items):
            if number % REPORT_EVERY == 0:
                seconds = time.monotonic() - begun
                self._progress(Report(number, max(total, number), number / seconds if seconds else 0.0, unit, note))
            yield item

    def fenced(self, read: Callable[[Document], T]) -> T:
        """What ``read`` makes of mutable rows, given the tip that they belong to."""
        for _ in range(FENCE_TRIES):
            tip = self.check()
            result = read(tip)
            if self.store.meta(TIP) == tip:
                return result
        raise Unavailable("the index moves too fast to be verified: run verify when it has caught up")

    def check(self) -> Document:
        """The tip as it is now; Moved when rows of the view may have been removed."""
        tip = settled_tip(self.store)
        if tip["epoch"] != self.tip["epoch"]:
            raise Moved(f"the index went back below block {self.height}")
        return tip

    def spent_since(self, tip: Document) -> Iterator[Input]:
        """The coins of the view that blocks above it, up to ``tip``, have spent."""
        for transaction in self.transactions(self.height + 1, tip["height"] + 1):
            for spent in transaction_inputs(transaction):
                if spent.outkey < self.outkeys:
                    yield spent


def settled_tip(store: Store) -> dict[str, Any]:
    """The tip, as soon as no commit is half done.

    Errors: Unavailable when one stays half done, for then its indexer died.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        tip = store.meta(TIP)
        if tip is None:
            raise Unavailable("the database has no index yet: flux-explorer index makes one")
        if not tip["dirty"]:
            return dict(tip)
        if time.monotonic() > deadline:
            raise Unavailable(
                f"a commit above block {tip['height']} was cut short and nobody mends it: start the indexer, which "
                "does, then verify again"
            )
        time.sleep(PAUSE_SECONDS)
