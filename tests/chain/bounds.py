"""The bounds told to nodes, block by block, and whether they are kept."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from indexer.chain.deadlines import pays_by_height
from indexer.chain.queue import NodeQueue
from indexer.chain.tiers import TIERS

DEEPEST = 40  # blocks that a chain may take back here


@dataclass
class Bounds:
    """The lowest bound that each confirmed node was told since it joined or was last paid, by height.

    What was told on a branch that lost is void; what was told below the fork binds the other branch too.
    """

    payments_from: int
    told: int = 0
    kept: int = 0
    after: deque[tuple[int, dict[bytes, int]]] = field(default_factory=lambda: deque([(-1, {})], maxlen=DEEPEST))

    def connect(self, queue: NodeQueue, paid: Iterable[bytes]) -> None:
        """A block was connected: those that it paid were paid in time, and nobody still waits who should not."""
        height = queue.height
        while self.after[-1][0] >= height:
            self.after.pop()
        lowest = dict(self.after[-1][1])
        for point in paid:
            assert height <= lowest.pop(point), (height, point.hex())
            self.kept += 1
        waiting: dict[bytes, int] = {}
        for tier in TIERS:
            for rank, node in enumerate(queue.order(tier)):
                bound = pays_by_height(height, self.payments_from, rank)
                waiting[node.outpoint] = min(bound, lowest.get(node.outpoint, bound))
                assert height < waiting[node.outpoint], (height, node)
                self.told += 1
        self.after.append((height, waiting))
