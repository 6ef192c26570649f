"""The check that proves a parse: the transactions hash to the header's merkle root."""

from __future__ import annotations

from collections.abc import Sequence

from indexer.chain.hashes import merkle_root
from indexer.chain.keys import hash_text
from indexer.errors import MerkleMismatch


def check_merkle_root(block_hash: bytes, claimed: bytes, txids: Sequence[bytes]) -> None:
    """Compare the header's merkle root with that of the txids, all in wire order.

    Raises MerkleMismatch naming the block hash; also for a list that repeats its own end (CVE-2012-2459).
    """
    try:
        root = merkle_root(txids)
    except MerkleMismatch as repeated:
        raise MerkleMismatch(f"block {hash_text(block_hash)}: {repeated}") from repeated
    if root != claimed:
        raise MerkleMismatch(
            f"block {hash_text(block_hash)}: its header has the merkle root {hash_text(claimed)}, its transactions "
            f"hash to {hash_text(root)}; fetch the block again"
        )
