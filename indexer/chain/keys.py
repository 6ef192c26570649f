"""Identity is position: the keys that name transactions, outputs, outpoints and addresses.

* **txkey**: ``height << 16 | index``; index is the position in the block. 28 + 16 bits.
* **outkey**: ``txkey << 19 | vout``; 63 bits, so it fits a signed 64-bit integer.
* **eventkey**: ``height << 20 | sequence``: the change number ``sequence`` that a block made to nodes. All coins
  there can be are collateral for less than 2^19 nodes.
* **outpoint**: 36 bytes, the txid in wire order and the index as *big-endian* u32. Compared as bytes this
  is the daemon's order of outpoints (``transaction.h: BaseOutPoint::operator<``, ``uint256.h: operator<``).
* **address key**: 21 bytes, one byte of kind and the hash160.

A 2,000,000-byte block cannot hold 2^16 valid transactions nor 2^19 outputs; the parser refuses more.
"""

from __future__ import annotations

import re

INDEX_BITS = 16
VOUT_BITS = 19
EVENT_BITS = 20
MAX_TRANSACTIONS = 1 << INDEX_BITS
MAX_OUTPUTS = 1 << VOUT_BITS

P2PKH = 1
P2SH = 2
NO_ADDRESS = bytes(21)

_OUTPOINT_TEXT = re.compile(
    r"(?:COutPoint\(\s*([0-9a-f]{64})\s*,\s*(\d{1,10})\s*\)|([0-9a-f]{64})[:-](\d{1,10}))\Z", re.IGNORECASE
)


def txkey(height: int, index: int) -> int:
    """The key of the transaction at position ``index`` of block ``height``."""
    return height << INDEX_BITS | index


def txkey_height(key: int) -> int:
    """The height in a txkey."""
    return key >> INDEX_BITS


def txkey_index(key: int) -> int:
    """The position in the block in a txkey."""
    return key & (MAX_TRANSACTIONS - 1)


def eventkey(height: int, sequence: int) -> int:
    """The key of the change number ``sequence`` that block ``height`` made to nodes."""
    return height << EVENT_BITS | sequence


def eventkey_height(key: int) -> int:
    """The height in an eventkey."""
    return key >> EVENT_BITS


def outkey(height: int, index: int, vout: int) -> int:
    """The key of output ``vout`` of the transaction at ``index`` of block ``height``."""
    return (height << INDEX_BITS | index) << VOUT_BITS | vout


def outkey_txkey(key: int) -> int:
    """The txkey in an outkey."""
    return key >> VOUT_BITS


def outkey_vout(key: int) -> int:
    """The output number in an outkey."""
    return key & (MAX_OUTPUTS - 1)


def outkey_height(key: int) -> int:
    """The height in an outkey."""
    return key >> (VOUT_BITS + INDEX_BITS)


def first_outkey(height: int) -> int:
    """The smallest outkey that belongs to ``height`` or above."""
    return height << (VOUT_BITS + INDEX_BITS)


def is_coinbase(key: int) -> bool:
    """Whether an outkey belongs to a coinbase: position 0 of its block."""
    return not outkey_txkey(key) & (MAX_TRANSACTIONS - 1)


def outpoint(txid: bytes, index: int) -> bytes:
    """The sortable 36-byte outpoint of a txid in wire order and an output number."""
    return txid + index.to_bytes(4, "big")


def outpoint_index(point: bytes) -> int:
    """The output number in an outpoint."""
    return int.from_bytes(point[32:], "big")


def outpoint_text(point: bytes) -> str:
    """``<txid>:<n>`` with the txid in display order."""
    return f"{hash_text(point[:32])}:{outpoint_index(point)}"


def parse_outpoint(text: str) -> bytes | None:
    """An outpoint from ``txid:n``, ``txid-n`` or ``COutPoint(txid, n)``; None when it is none of them."""
    match = _OUTPOINT_TEXT.match(text.strip())
    if match is None:
        return None
    txid, index = match[1] or match[3], int(match[2] or match[4])
    return outpoint(parse_hash(txid), index) if index < 1 << 32 else None


def hash_text(raw: bytes) -> str:
    """A hash or txid as people see it: byte-reversed hex."""
    return raw[::-1].hex()


def parse_hash(text: str) -> bytes:
    """The wire bytes of a hash in display order; ValueError when it is not 64 hex digits."""
    raw = bytes.fromhex(text)
    if len(raw) != 32 or len(text) != 64:
        raise ValueError(f"a hash has 64 hex digits, this has {len(text)} characters")
    return raw[::-1]
