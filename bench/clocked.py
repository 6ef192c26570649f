"""``flux-explorer index`` with clocks on the node part: ``python -m bench.clocked FILE`` writes what they say to FILE.

The clocks count processor time of the calling thread. What they cost themselves counts as the node part's.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from types import GeneratorType
from typing import Any

from indexer import cli
from indexer.chain.queue import NodeQueue
from indexer.state import apply
from indexer.state.nodes import NodeBook
from indexer.store import commit, encode
from indexer.store.base import Document
from indexer.store.mongo import MongoStore

LISTS, PAYOUTS, ROWS = "lists and queues", "payouts", "rows and snapshots"
NODE_COLLECTIONS = ("node_starts", "node_confirms", "node_events", "queue_snapshots", "payouts", "nodes")

CLOCKED: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    (LISTS, NodeBook, ("begin", "start", "apply", "committed")),
    (LISTS, NodeQueue, ("payees",)),
    (LISTS, apply, ("changes_of", "past_lists", "start_of")),
    (PAYOUTS, apply, ("judge_coinbase", "coinbase_outputs")),
    (PAYOUTS, encode, ("payouts_document",)),
    (ROWS, NodeBook, ("rows",)),
    (ROWS, encode, ("confirms_document", "start_documents", "event_documents", "snapshot_document", "node_document")),
    (ROWS, commit, ("node_document", "node_changes")),
)


class Clocks:
    """Processor seconds by part; a call within a clocked one is the outer one's."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._thread = threading.local()

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with its time noted; what it generates is generated at once."""

        @wraps(call)
        def clocked(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._thread, "inside", False):
                return call(*args, **kwargs)
            self._thread.inside = True
            begun = time.thread_time()
            try:
                result = call(*args, **kwargs)
                return list(result) if isinstance(result, GeneratorType) else result
            finally:
                self.seconds[part] += time.thread_time() - begun
                self._thread.inside = False

        return clocked

    def put_on(self) -> None:
        """Clock the node part of the indexer of this process."""
        for part, owner, names in CLOCKED:
            for name in names:
                setattr(owner, name, self.timed(part, getattr(owner, name)))
        setattr(MongoStore, "insert", self._by_collection(MongoStore.insert))  # noqa: B010
        setattr(MongoStore, "update", self._by_collection(MongoStore.update))  # noqa: B010
        setattr(MongoStore, "replace", self._undo_apart(MongoStore.replace))  # noqa: B010

    def _by_collection(self, write: Callable[..., Any]) -> Callable[..., Any]:
        clocked = self.timed(ROWS, write)

        def chosen(store: MongoStore, collection: str, rows: Any) -> Any:
            return (clocked if collection in NODE_COLLECTIONS else write)(store, collection, rows)

        return chosen

    def _undo_apart(self, write: Callable[..., Any]) -> Callable[..., Any]:
        """Of an undo record, the former nodes."""
        clocked = self.timed(ROWS, write)

        def chosen(store: MongoStore, collection: str, rows: Sequence[Document]) -> None:
            nodes = [row for row in rows if "nodes" in row]
            if nodes:
                clocked(store, collection, nodes)
            write(store, collection, [row for row in rows if "nodes" not in row])

        return chosen


def main() -> None:
    """Index with the settings of the environment until ended."""
    clocks = Clocks()
    clocks.put_on()
    code = cli.main(["index"])
    Path(sys.argv[1]).write_text(json.dumps(clocks.seconds))
    sys.exit(code)


if __name__ == "__main__":
    main()
