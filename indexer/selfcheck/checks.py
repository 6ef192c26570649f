"""The two checks, and their verdicts in ``meta.checks``."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from indexer.chain.keys import hash_text
from indexer.chain.params import Network
from indexer.selfcheck.compare import Difference, node_differences, supply_differences
from indexer.selfcheck.ours import nodes_at, sums_at
from indexer.selfcheck.theirs import Daemon, Told
from indexer.store.base import Store
from indexer.store.commit import TIP
from indexer.store.schedule import Pinned

CHECKS = "checks"  # the document of meta, and our field in it; verify has a field of its own
KEPT = 50  # differences kept of a check; the others are counted
TRIES = 10
PAUSE_SECONDS = 0.2

log = logging.getLogger(__name__)


def note_unchecked(store: Store, reasons: Mapping[str, str | None]) -> None:
    """Store why ``queue`` or ``supply`` is not compared, for whoever looks for the verdict; None for one that is."""
    said = (store.meta(CHECKS) or {}).get(CHECKS, {})
    noted = {f"{name}_unchecked": reason for name, reason in reasons.items()}
    if any(said.get(name) != reason for name, reason in noted.items()):
        store.put_meta(CHECKS, {CHECKS: said | noted})


class Checks:
    """Compares the index with a daemon; ``wait`` pauses for so many seconds and tells whether to give up."""

    def __init__(self, network: Network, store: Store, daemon: Daemon, wait: Callable[[float], bool]) -> None:
        self._network, self._store, self._daemon, self._wait = network, store, daemon, wait
        self._said: dict[str, Any] = dict((store.meta(CHECKS) or {}).get(CHECKS, {}))
        self._doubted: bytes | None = None

    def last(self, name: str) -> Pinned | None:
        """The block of the last verdict about ``queue`` or ``supply``."""
        height = self._said.get(f"{name}_checked_height")
        return None if height is None else Pinned(height, bytes(self._said[f"{name}_checked_hash"]))

    def nodes(self) -> Pinned | None:
        """Compare the node lists; None when the two sides could not be met at one block."""
        for _ in self._tries():
            if not self._at_best():
                return None
            told = self._daemon.node_lists()
            ours = nodes_at(self._store, self._network, told.block_hash) if told else None
            if told is None or ours is None:
                continue
            height, account = ours
            found = list(node_differences(account, told.nodes))
            if found and self._doubtful(told):
                return None
            return self._keep("queue", "node lists", Pinned(height, told.block_hash), iter(found))
        return None

    def supply(self) -> Pinned | None:
        """Compare the sums of the utxo set and the shielded pools; None when our index has no such block."""
        if not self._at_best():
            return None
        sums = self._daemon.sums()
        for _ in self._tries():
            ours = sums_at(self._store, sums.height, sums.block_hash)
            if ours is not None:
                found = supply_differences(ours, sums.values)
                return self._keep("supply", "supply", Pinned(sums.height, sums.block_hash), found)
        return None

    def _tries(self) -> Iterator[int]:
        """A few rounds with a pause between them, as long as nobody wants us to end."""
        for number in range(TRIES):
            if number and self._wait(PAUSE_SECONDS):
                return
            yield number

    def _at_best(self) -> bool:
        """Whether our tip is the daemon's best block, settled: only then are its longer answers worth asking for."""
        tip = self._store.meta(TIP)
        if tip is None or tip["height"] < 0 or tip["dirty"]:
            return False
        return bytes(tip["hash"]) == self._daemon.best_hash()

    def _doubtful(self, told: Told) -> bool:
        """Whether a difference has to be seen at a second block before it is believed.

        viewdeterministicfluxnodelist keeps its answer by height (``rpc/cache.cpp``): after a reorganisation at
        equal height it may be the list of the block that lost.
        """
        doubted, self._doubted = self._doubted, None if told.at_once else told.block_hash
        return not told.at_once and doubted in (None, told.block_hash)

    def _keep(self, name: str, subject: str, at: Pinned, found: Iterator[Difference]) -> Pinned:
        """Store a verdict, after what is stored of the other check, and tell the operator of a difference."""
        kept = list(islice(found, KEPT))
        count = len(kept) + sum(1 for _ in found)
        before = self._said.get(f"{name}_matches_daemon")
        self._said = self._said | {
            f"{name}_matches_daemon": not count,
            f"{name}_checked_height": at.height,
            f"{name}_checked_hash": at.hash,
            f"{name}_checked_at": int(time.time()),
            f"{name}_difference_count": count,
            f"{name}_differences": [difference.row() for difference in kept],
        }
        self._store.put_meta(CHECKS, {CHECKS: self._said})
        where = f"block {at.height} ({hash_text(at.hash)})"
        if count:
            log.warning("the %s differ from the daemon's at %s in %d places: %s", subject, where, count, kept[0])
        elif before is False:
            log.info("the %s agree with the daemon's again at %s", subject, where)
        return at
