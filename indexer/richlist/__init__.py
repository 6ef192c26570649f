"""The rich list: who holds the most coins after a block, and how all coins are distributed.

A thread beside the session lets the server add up the unspent outputs while nothing is committed, proves the sum by
the block's own running total, and keeps the result in ``richlist``.
"""

from __future__ import annotations

from indexer.richlist.keeper import RichListKeeper, open_richlist

__all__ = ["RichListKeeper", "open_richlist"]
