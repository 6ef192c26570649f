"""Proof of node: slots, the hash that decides who may produce, targets and the number called difficulty."""

from __future__ import annotations

from indexer.chain.hashes import sha256d
from indexer.chain.keys import outpoint_index
from indexer.chain.params import Network

EMERGENCY_PRODUCER = b"\x11" * 32 + bytes(4)
# "TESTNOD" in display order; only test networks accept it, and no transaction has this id.
TEST_PRODUCER = bytes.fromhex("544553544e4f44" + "00" * 25)[::-1] + bytes(4)

SLOT_MASK = 0xFFFFFFFF
MANTISSA_MASK = 0x7FFFFF
SIGN_BIT = 0x800000


def slot(network: Network, time: int) -> int:
    """The number of the slot that a block time (Unix seconds) falls into: u32, slots last the PoN spacing.

    Source: ``pon/pon.cpp:GetSlotNumber``.
    """
    return (time - network.genesis_time) // network.pon_target_spacing & SLOT_MASK


def skipped_slots(network: Network, parent_time: int, time: int) -> int:
    """How many slots lie between a block's and its parent's (Unix seconds); 0 also when they share one."""
    return max((slot(network, time) - slot(network, parent_time) & SLOT_MASK) - 1, 0)


def pon_hash(producer: bytes, prev_hash: bytes, slot_number: int) -> bytes:
    """The hash, 32 bytes, that lets a node's collateral produce on top of ``prev_hash`` in a slot.

    ``producer`` is an outpoint of ``indexer.chain.keys``; the daemon hashes its index little-endian.
    Source: ``pon/pon.cpp:GetPONHash``.
    """
    index = outpoint_index(producer).to_bytes(4, "little")
    return sha256d(producer[:32] + index + prev_hash + slot_number.to_bytes(4, "little"))


def target(bits: int) -> int:
    """The target of a compact encoding; 0 for a negative one (``arith_uint256.cpp:SetCompact``)."""
    size, mantissa = bits >> 24, bits & MANTISSA_MASK
    if bits & SIGN_BIT:
        return 0
    return mantissa << 8 * (size - 3) if size >= 3 else mantissa >> 8 * (3 - size)


def compact(number: int) -> int:
    """The compact encoding of a target, which keeps its leading three bytes (``arith_uint256.cpp:GetCompact``)."""
    size = (number.bit_length() + 7) // 8
    mantissa = number >> 8 * (size - 3) if size >= 3 else number << 8 * (3 - size)
    if mantissa & SIGN_BIT:
        mantissa, size = mantissa >> 8, size + 1
    return size << 24 | mantissa


def eligible(producer_hash: bytes, bits: int) -> bool:
    """Whether a PoN hash, read as a little-endian number, meets the target (``pon/pon.cpp:CheckProofOfNode``)."""
    return int.from_bytes(producer_hash, "little") <= target(bits)


def next_bits(network: Network, height: int, last_bits: int, span: int) -> int:
    """The compact target that the PoN block at ``height`` must have.

    ``last_bits`` is that of its parent, ``span`` the seconds from block ``height - window`` to the parent.
    Source: ``pon/pon.cpp:GetNextPONWorkRequired``.
    """
    rule = network.pon
    if height < network.upgrades.pon + rule.window:
        return compact(target(rule.start_limit_bits))
    aim = (rule.window - 1) * network.pon_target_spacing
    bounded = min(max(span, aim * 4 // 5), aim * 5 // 4)
    return compact(min(target(last_bits) // aim * bounded, target(rule.limit_bits)))


def difficulty(network: Network, bits: int) -> float:
    """How many times harder than the network's PoW limit, for display: PoN blocks too.

    Source: ``rpc/blockchain.cpp:GetDifficultyINTERNAL``; multiplying by 256 is exact, so the result is the same.
    """
    limit = network.pow_limit_bits
    ratio = (limit & 0xFFFFFF) / (bits & 0xFFFFFF)
    return ratio * 256.0 ** ((limit >> 24) - (bits >> 24))


def producer_kind(producer: bytes) -> str | None:
    """``node``, ``emergency`` or ``test`` for the outpoint of a PoN header, None for the b"" of a PoW one."""
    if not producer:
        return None
    return {EMERGENCY_PRODUCER: "emergency", TEST_PRODUCER: "test"}.get(producer, "node")
