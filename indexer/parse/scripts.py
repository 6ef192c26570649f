"""What an output script is: its form, and the address it pays.

The templates of the daemon (``script/standard.cpp:Solver``, ``ExtractDestinations``). The compiled twin is in
``cython_ext/blockparse.pyx``.
"""

from __future__ import annotations

from indexer.chain.hashes import hash160
from indexer.chain.keys import NO_ADDRESS, P2PKH, P2SH
from indexer.parse.columns import (
    EXACT_P2PKH,
    EXACT_P2SH,
    MULTISIG,
    NONSTANDARD,
    NULLDATA,
    P2PK,
    P2PK_BAD_KEY,
    PUSHDATA_P2PKH,
)

OP_0, OP_PUSHDATA1, OP_PUSHDATA2, OP_PUSHDATA4, OP_1, OP_16 = 0x00, 0x4C, 0x4D, 0x4E, 0x51, 0x60
OP_RETURN, OP_DUP, OP_EQUAL, OP_EQUALVERIFY, OP_HASH160 = 0x6A, 0x76, 0x87, 0x88, 0xA9
OP_CHECKSIG, OP_CHECKMULTISIG = 0xAC, 0xAE

MAX_NULLDATA = 80  # script/standard.h: MAX_OP_RETURN_RELAY
MAX_TEMPLATE = 19  # operations of the longest template: m, 16 keys, n, CHECKMULTISIG
_KEY_SIZES = range(33, 66)
_KEY_SIZE_BY_FIRST_BYTE = {2: 33, 3: 33, 4: 65, 6: 65, 7: 65}  # pubkey.h: CPubKey::GetLen
_LENGTH_WIDTHS = {OP_PUSHDATA1: 1, OP_PUSHDATA2: 2, OP_PUSHDATA4: 4}

Op = tuple[int, bytes]


def operations(script: bytes) -> list[Op] | None:
    """Each opcode with what it pushes; None for a push past the end, or for more than any template has."""
    ops: list[Op] = []
    at = 0
    while at < len(script):
        opcode, width = script[at], _LENGTH_WIDTHS.get(script[at], 0)
        size = int.from_bytes(script[at + 1 : at + 1 + width], "little") if width else opcode
        begin = at + 1 + width
        end = begin + (size if opcode <= OP_PUSHDATA4 else 0)
        if end > len(script) or len(ops) == MAX_TEMPLATE:
            return None
        ops.append((opcode, script[begin:end]))
        at = end
    return ops


def _small_integer(op: Op) -> int:
    opcode = op[0]
    return opcode - OP_1 + 1 if OP_1 <= opcode <= OP_16 else 0


def _is_multisig(ops: list[Op]) -> bool:
    """``m key… n CHECKMULTISIG`` with as many keys as n says and 1 ≤ m ≤ n ≤ 16; the keys may be no points."""
    if len(ops) < 4 or ops[-1][0] != OP_CHECKMULTISIG:
        return False
    m, n, keys = _small_integer(ops[0]), _small_integer(ops[-2]), ops[1:-2]
    return 1 <= m <= n == len(keys) and all(len(key) in _KEY_SIZES for _, key in keys)


def _by_template(ops: list[Op]) -> tuple[int, bytes]:
    opcodes = [opcode for opcode, _ in ops]
    if len(ops) == 2 and opcodes[1] == OP_CHECKSIG and len(ops[0][1]) in _KEY_SIZES:
        key = ops[0][1]
        if _KEY_SIZE_BY_FIRST_BYTE.get(key[0]) != len(key):
            return P2PK_BAD_KEY, NO_ADDRESS
        return P2PK, bytes((P2PKH,)) + hash160(key)
    if len(ops) == 5 and opcodes[:2] == [OP_DUP, OP_HASH160] and opcodes[3:] == [OP_EQUALVERIFY, OP_CHECKSIG]:
        if len(ops[2][1]) == 20:
            return PUSHDATA_P2PKH, bytes((P2PKH,)) + ops[2][1]
    if _is_multisig(ops):
        return MULTISIG, NO_ADDRESS
    if opcodes[:1] == [OP_RETURN] and (len(ops) == 1 or len(ops) == 2 and len(ops[1][1]) <= MAX_NULLDATA):
        return NULLDATA, NO_ADDRESS
    return NONSTANDARD, NO_ADDRESS


def classify(script: bytes) -> tuple[int, bytes]:
    """The form of an output script (``columns.EXACT_P2PKH`` …) and the 21-byte address key it pays."""
    if len(script) == 25 and script.startswith(b"\x76\xa9\x14") and script.endswith(b"\x88\xac"):
        return EXACT_P2PKH, bytes((P2PKH,)) + script[3:23]
    if len(script) == 23 and script.startswith(b"\xa9\x14") and script.endswith(b"\x87"):
        return EXACT_P2SH, bytes((P2SH,)) + script[2:22]
    ops = operations(script)
    return (NONSTANDARD, NO_ADDRESS) if ops is None else _by_template(ops)
