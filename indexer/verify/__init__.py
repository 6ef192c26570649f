"""Verify: proves on any index that what is stored agrees with itself, and says for which block.

It reads only, may run while an indexer follows the chain, and works at one fixed height (``view``). What it
cannot prove is what no other row repeats: header fields besides the merkle root, and block hashes.
"""

from indexer.verify.finding import Finding, Outcome
from indexer.verify.run import Extent, verify

__all__ = ["Extent", "Finding", "Outcome", "verify"]
