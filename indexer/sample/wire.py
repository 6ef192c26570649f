"""Blocks and transactions of the sample chain as bytes, made fast: hashes, links and merkle roots are real."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from indexer.chain.hashes import header_hash, merkle_root, sha256d

SAPLING_HEADER = bytes.fromhex("0400008085202f89")


def compact_size(n: int) -> bytes:
    """CompactSize encoding of ``n``."""
    if n < 0xFD:
        return bytes((n,))
    return b"\xfd" + n.to_bytes(2, "little") if n <= 0xFFFF else b"\xfe" + n.to_bytes(4, "little")


def var_bytes(content: bytes) -> bytes:
    """A CompactSize and that many bytes."""
    return compact_size(len(content)) + content


def wire_outpoint(txid: bytes, index: int) -> bytes:
    """An outpoint as on the wire: the index little-endian."""
    return txid + index.to_bytes(4, "little")


def p2pkh(key_hash: bytes) -> bytes:
    """The script that pays a 20-byte key hash."""
    return b"\x76\xa9\x14" + key_hash + b"\x88\xac"


def p2sh(script_hash: bytes) -> bytes:
    """The script that pays a 20-byte script hash."""
    return b"\xa9\x14" + script_hash + b"\x87"


def push_height(height: int) -> bytes:
    """The minimal push of a height, with which a coinbase script begins."""
    return var_bytes(height.to_bytes(height.bit_length() // 8 + 1, "little"))


def sapling_transaction(
    inputs: list[tuple[bytes, bytes]], outputs: list[tuple[int, bytes]], lock_time: int = 0, expiry: int = 0
) -> bytes:
    """A transparent version 4 transaction from (wire outpoint, script) and (zatoshi, script)."""
    vin = b"".join(point + var_bytes(script) + b"\xff\xff\xff\xff" for point, script in inputs)
    vout = b"".join(struct.pack("<q", value) + var_bytes(script) for value, script in outputs)
    end = struct.pack("<IIq", lock_time, expiry, 0) + bytes(3)
    return SAPLING_HEADER + compact_size(len(inputs)) + vin + compact_size(len(outputs)) + vout + end


def coinbase(height: int, outputs: list[tuple[int, bytes]]) -> bytes:
    """The coinbase of a block."""
    return sapling_transaction([(bytes(32) + b"\xff" * 4, push_height(height) + b"\x00")], outputs)


@dataclass(frozen=True, slots=True)
class Piece:
    """A transaction and its txid."""

    raw: bytes
    txid: bytes


def ordinary(raw: bytes) -> Piece:
    """An ordinary transaction: the txid covers all of it."""
    return Piece(raw, sha256d(raw))


def start(collateral: bytes, collateral_pubkey: bytes, pubkey: bytes, sig_time: int, sig: bytes) -> Piece:
    """A START of version 5; ``collateral`` as on the wire."""
    hashed = b"\x05\0\0\0\x02" + collateral + var_bytes(collateral_pubkey) + var_bytes(pubkey)
    hashed += sig_time.to_bytes(4, "little")
    return Piece(hashed + var_bytes(sig), sha256d(hashed))


def confirm(
    collateral: bytes, sig_time: int, tier: int, update: bool, ip: bytes, sig: bytes, benchmark_sig: bytes
) -> Piece:
    """A CONFIRM of version 5; ``collateral`` as on the wire; the benchmark's time is the signature's."""
    hashed = b"\x05\0\0\0\x04" + collateral + struct.pack("<IbIb", sig_time, tier, sig_time, update) + var_bytes(ip)
    return Piece(hashed + var_bytes(sig) + var_bytes(benchmark_sig), sha256d(hashed))


def assemble(header: Callable[[bytes], bytes], pon: bool, transactions: list[Piece]) -> tuple[bytes, bytes]:
    """The raw block and its hash; ``header`` makes the header from the merkle root."""
    head = header(merkle_root([t.txid for t in transactions]))
    body = b"".join((compact_size(len(transactions)), *(t.raw for t in transactions)))
    return head + body, header_hash(head, pon)


def pow_header(prev: bytes, root: bytes, time: int, nonce: bytes, solution: bytes) -> bytes:
    """A version 4 header."""
    head = struct.pack("<i32s32s32sII", 4, prev, root, bytes(32), time, 0x1D00FFFF)
    return head + nonce + var_bytes(solution)


def pon_header(prev: bytes, root: bytes, time: int, producer: bytes, sig: bytes) -> bytes:
    """A version 100 header; ``producer`` is an outpoint as on the wire."""
    head = struct.pack("<i32s32s32sII", 100, prev, root, bytes(32), time, 0x1E00FFFF)
    return head + producer + var_bytes(sig)
