"""How many blocks to ask for at once, from how large the last ones were."""

from __future__ import annotations

from collections.abc import Sequence

MAX_BLOCKS = 100
"""The daemon answers a batch in one worker thread: longer ones only hold its lock (``rpc/server.cpp``)."""

TARGET_BYTES = 8_000_000
"""Raw bytes a batch should come to; its hex is twice that."""


class Window:
    """The size of the next batch: aims at ``target`` bytes, grows at most twofold a step, halves when told to."""

    def __init__(self, size: int = 16, target: int = TARGET_BYTES, most: int = MAX_BLOCKS) -> None:
        self.size = size
        self.target = target
        self._most = most

    def note(self, lengths: Sequence[int]) -> None:
        """Learn from the lengths in bytes of a batch's blocks."""
        if lengths:
            fitting = self.target // max(1, sum(lengths) // len(lengths))
            self.size = max(1, min(fitting, self.size * 2, self._most))

    def shrink(self) -> None:
        """Halve the next batch: the last reply was too large."""
        self.size = max(1, self.size // 2)
