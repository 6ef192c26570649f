"""The unconfirmed set, kept for all explorers in the collection ``mempool``.

A thread beside the session asks the daemon which transactions wait (``ask``), looks up what the new ones spend
(``settle``), writes what came and removes what left (``copy``). The chain-derived collections are only read.

What is published holds for a block: ``meta.mempool.block`` is one of ours at or below which none of the
transactions is mined. A transaction that left the daemon is removed when our tip is the daemon's, and not before:
until then it may have been mined in a block that is not indexed yet, and would be nowhere. Through gateways
(``gateway``) neither can be known, so that the block is some way below our tip and what leaves is believed at the
second answer.
"""

from __future__ import annotations

from indexer.mempool.keeper import MempoolKeeper, open_mempool

__all__ = ["MempoolKeeper", "open_mempool"]
