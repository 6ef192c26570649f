"""The hashes of the chain: SHA-256 twice, HASH160, the merkle root.

OpenSSL builds may lack RIPEMD-160; then the one of ``indexer.chain.ripemd160`` serves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from hashlib import sha256

from indexer.chain import ripemd160 as own
from indexer.errors import MerkleMismatch

PON_HASHED_HEADER = 144  # what the hash of a PoN header covers: all before the signature


def sha256d(message: bytes) -> bytes:
    """SHA-256 of the SHA-256, 32 bytes in wire order (``hash.h:CHash256``)."""
    return sha256(sha256(message).digest()).digest()


def _openssl_ripemd160(message: bytes) -> bytes:
    return hashlib.new("ripemd160", message).digest()


def _choose_ripemd160() -> Callable[[bytes], bytes]:
    try:
        _openssl_ripemd160(b"")
    except ValueError:
        return own.ripemd160
    return _openssl_ripemd160


ripemd160 = _choose_ripemd160()


def hash160(message: bytes) -> bytes:
    """RIPEMD-160 of the SHA-256, 20 bytes (``hash.h:CHash160``)."""
    return ripemd160(sha256(message).digest())


def _parents(level: Sequence[bytes]) -> list[bytes]:
    if len(level) % 2:
        level = [*level, level[-1]]
    return [sha256d(level[i] + level[i + 1]) for i in range(0, len(level), 2)]


def _repeats_a_pair(level: Sequence[bytes]) -> bool:
    return any(level[i] == level[i + 1] for i in range(0, len(level) - 1, 2))


def merkle_root(txids: Sequence[bytes]) -> bytes:
    """The root over txids in wire order; the last one of an odd level is its own sibling.

    Raises MerkleMismatch for a list whose level repeats a pair: another list has the same root
    (CVE-2012-2459), so the root proves nothing. Source: ``primitives/block.cpp:BuildMerkleTree``.
    """
    if not txids:
        raise MerkleMismatch("a block without transactions has no merkle root; fetch the block again")
    level: Sequence[bytes] = txids
    while len(level) > 1:
        if _repeats_a_pair(level):
            raise MerkleMismatch(
                "the list of transactions repeats itself, so that a shorter list has the same merkle root "
                "(CVE-2012-2459); fetch the block again"
            )
        level = _parents(level)
    return level[0]


def header_hash(header: bytes, pon: bool) -> bytes:
    """The block hash, wire order, of a whole header as it stands on the wire.

    A PoN hash leaves out the signature and its length; a PoW hash covers the solution
    (``primitives/block.cpp:GetHash``).
    """
    return sha256d(header[:PON_HASHED_HEADER] if pon else header)
