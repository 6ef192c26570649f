"""Blocks and transactions as bytes: what ``indexer.parse`` reads, the other way round.

Sources: ``primitives/block.h:CBlockHeader::SerializationOp``, ``primitives/transaction.h:CTransaction::
SerializationOp``. Node transactions are described by the parser's own ``NodeStart`` and ``NodeConfirm``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from indexer.chain.hashes import sha256d
from indexer.parse.columns import DELEGATES_UPDATE, OVERWINTERED, Delegates, NodeConfirm, NodeStart

SAPLING_VERSION, SAPLING_GROUP = 4, 0x892F2085
FIRST_WITH_JOINSPLITS = 2
START, CONFIRM = 2, 4
P2SH_NODE, HAS_DELEGATES = 0x02, 0x0100
NULL_PREVOUT = bytes(32) + b"\xff" * 4
FINAL_SEQUENCE = 0xFFFFFFFF
SPEND_SIZE, OUTPUT_SIZE = 384, 948
JOINSPLIT_REST = {True: 1698 - 16, False: 1802 - 16}  # by whether the proof is Groth16


class Wire(NamedTuple):
    """A transaction as it goes over the wire, and its txid (wire order)."""

    raw: bytes
    txid: bytes


class Input(NamedTuple):
    """An input: a sortable outpoint (``indexer.chain.keys``) and its scriptSig."""

    outpoint: bytes
    script: bytes
    sequence: int = FINAL_SEQUENCE


class Output(NamedTuple):
    """An output: zatoshi and script."""

    value: int
    script: bytes


class JoinSplit(NamedTuple):
    """A JoinSplit: what enters and leaves the Sprout pool in zatoshi, and all its other bytes."""

    vpub_old: int
    vpub_new: int
    rest: bytes


@dataclass(frozen=True, slots=True)
class Transfer:
    """An ordinary transaction. Version 4 is the Sapling layout; below, there is neither expiry nor Sapling."""

    inputs: Sequence[Input]
    outputs: Sequence[Output]
    version: int = SAPLING_VERSION
    lock_time: int = 0
    expiry_height: int = 0
    value_balance: int = 0
    shielded_spends: Sequence[bytes] = ()  # 384 bytes each
    shielded_outputs: Sequence[bytes] = ()  # 948 bytes each
    joinsplits: Sequence[JoinSplit] = ()
    joinsplit_sig: bytes = bytes(96)  # public key and signature
    binding_sig: bytes = bytes(64)


def u32(number: int) -> bytes:
    """Four bytes, little-endian."""
    return number.to_bytes(4, "little")


def i64(number: int) -> bytes:
    """Eight bytes, little-endian, signed."""
    return number.to_bytes(8, "little", signed=True)


def compact_size(number: int) -> bytes:
    """A CompactSize in its only permitted, shortest form (``serialize.h:WriteCompactSize``)."""
    if number < 0xFD:
        return bytes([number])
    if number <= 0xFFFF:
        return b"\xfd" + number.to_bytes(2, "little")
    return b"\xfe" + u32(number)


def var_bytes(content: bytes) -> bytes:
    """Bytes behind their length."""
    return compact_size(len(content)) + content


def wire_outpoint(point: bytes) -> bytes:
    """An outpoint as on the wire: the index is little-endian there."""
    return point[:32] + point[:31:-1]


def _several(parts: Iterable[bytes]) -> bytes:
    items = list(parts)
    return compact_size(len(items)) + b"".join(items)


# --- ordinary transactions ----------------------------------------------------------------------------------


def transfer(tx: Transfer) -> Wire:
    """An ordinary transaction or a coinbase."""
    sapling = tx.version == SAPLING_VERSION
    raw = u32(tx.version | OVERWINTERED) + u32(SAPLING_GROUP) if sapling else u32(tx.version)
    raw += _several(wire_outpoint(i.outpoint) + var_bytes(i.script) + u32(i.sequence) for i in tx.inputs)
    raw += _several(i64(o.value) + var_bytes(o.script) for o in tx.outputs)
    raw += u32(tx.lock_time)
    if sapling:
        raw += u32(tx.expiry_height) + i64(tx.value_balance)
        raw += _several(tx.shielded_spends) + _several(tx.shielded_outputs)
    if tx.version >= FIRST_WITH_JOINSPLITS:
        raw += _several(i64(j.vpub_old) + i64(j.vpub_new) + j.rest for j in tx.joinsplits)
        raw += tx.joinsplit_sig if tx.joinsplits else b""
    if tx.shielded_spends or tx.shielded_outputs:
        raw += tx.binding_sig
    return Wire(raw, sha256d(raw))


# --- node transactions --------------------------------------------------------------------------------------


def start(tx: NodeStart) -> Wire:
    """A START; its txid leaves the signature out."""
    flags = tx.flux_version.to_bytes(4, "little", signed=True) if tx.version == 6 else b""
    p2sh = tx.version == 6 and bool(tx.flux_version & P2SH_NODE)
    keys = (tx.pubkey, tx.redeem_script) if p2sh else (tx.collateral_pubkey, tx.pubkey)
    head = u32(tx.version) + bytes([START]) + flags + wire_outpoint(tx.outpoint)
    head += b"".join(map(var_bytes, keys)) + u32(tx.sig_time)
    tail = _delegates(tx.delegates) if tx.delegates is not None else b""
    return Wire(head + var_bytes(tx.sig) + tail, sha256d(head + tail))


def _delegates(section: Delegates) -> bytes:
    if not section.using:
        return b"\0"
    head = bytes([1, section.version, section.type])
    return head + _several(map(var_bytes, section.keys)) if section.type == DELEGATES_UPDATE else head


def confirm(tx: NodeConfirm, version: int, sig: bytes, benchmark_sig: bytes) -> Wire:
    """A CONFIRM; its txid leaves both signatures out."""
    head = u32(version) + bytes([CONFIRM]) + wire_outpoint(tx.outpoint) + u32(tx.sig_time) + bytes([tx.tier])
    head += u32(tx.benchmark_time) + bytes([tx.update]) + var_bytes(tx.ip)
    return Wire(head + var_bytes(sig) + var_bytes(benchmark_sig), sha256d(head))


# --- blocks -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Header:
    """What every header begins with; hashes in wire order."""

    version: int
    prev_hash: bytes
    merkle_root: bytes
    sapling_root: bytes
    time: int
    bits: int

    def raw(self) -> bytes:
        """The first 108 bytes."""
        hashes = self.prev_hash + self.merkle_root + self.sapling_root
        return u32(self.version) + hashes + u32(self.time) + u32(self.bits)


def pow_header(header: Header, nonce: bytes, solution: bytes) -> bytes:
    """A proof-of-work header."""
    return header.raw() + nonce + var_bytes(solution)


def pon_header(header: Header, producer: bytes, signature: bytes) -> bytes:
    """A proof-of-node header; ``producer`` is a sortable outpoint."""
    return header.raw() + wire_outpoint(producer) + var_bytes(signature)


def block(header: bytes, transactions: Iterable[bytes]) -> bytes:
    """A block of a raw header and raw transactions."""
    return header + _several(transactions)


def script_number(number: int) -> bytes:
    """A height as a script pushes it (``script.h:CScript::operator<<``); BIP 34 wants it in a coinbase."""
    if number <= 16:
        return bytes([0x50 + number]) if number else b"\0"
    size = number.bit_length() // 8 + 1
    return bytes([size]) + number.to_bytes(size, "little")
