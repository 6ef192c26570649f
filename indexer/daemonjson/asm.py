"""Scripts in words (``core_write.cpp:ScriptToAsmStr``, ``script/script.cpp:GetOpName``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

PUSHDATA1, PUSHDATA4, OP_RETURN = 0x4C, 0x4E, 0x6A
LENGTH_WIDTHS: Final = {0x4C: 1, 0x4D: 2, 0x4E: 4}
MAX_SCRIPT = 10_000  # script/script.h: MAX_SCRIPT_SIZE
INT_RANGE: Final = (-(1 << 31), (1 << 31) - 1)

# 0x4f to 0xb9, in order (script/script.h: opcodetype).
NAMES: Final = (
    "-1 OP_RESERVED 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 OP_NOP OP_VER OP_IF OP_NOTIF OP_VERIF OP_VERNOTIF OP_ELSE "
    "OP_ENDIF OP_VERIFY OP_RETURN OP_TOALTSTACK OP_FROMALTSTACK OP_2DROP OP_2DUP OP_3DUP OP_2OVER OP_2ROT OP_2SWAP "
    "OP_IFDUP OP_DEPTH OP_DROP OP_DUP OP_NIP OP_OVER OP_PICK OP_ROLL OP_ROT OP_SWAP OP_TUCK OP_CAT OP_SUBSTR OP_LEFT "
    "OP_RIGHT OP_SIZE OP_INVERT OP_AND OP_OR OP_XOR OP_EQUAL OP_EQUALVERIFY OP_RESERVED1 OP_RESERVED2 OP_1ADD OP_1SUB "
    "OP_2MUL OP_2DIV OP_NEGATE OP_ABS OP_NOT OP_0NOTEQUAL OP_ADD OP_SUB OP_MUL OP_DIV OP_MOD OP_LSHIFT OP_RSHIFT "
    "OP_BOOLAND OP_BOOLOR OP_NUMEQUAL OP_NUMEQUALVERIFY OP_NUMNOTEQUAL OP_LESSTHAN OP_GREATERTHAN OP_LESSTHANOREQUAL "
    "OP_GREATERTHANOREQUAL OP_MIN OP_MAX OP_WITHIN OP_RIPEMD160 OP_SHA1 OP_SHA256 OP_HASH160 OP_HASH256 "
    "OP_CODESEPARATOR OP_CHECKSIG OP_CHECKSIGVERIFY OP_CHECKMULTISIG OP_CHECKMULTISIGVERIFY OP_NOP1 OP_NOP2 OP_NOP3 "
    "OP_NOP4 OP_NOP5 OP_NOP6 OP_NOP7 OP_NOP8 OP_NOP9 OP_NOP10"
).split()
FIRST_NAMED, INVALID = 0x4F, 0xFF
SIGHASH_NAMES: Final = {
    0x01: "ALL", 0x02: "NONE", 0x03: "SINGLE",
    0x81: "ALL|ANYONECANPAY", 0x82: "NONE|ANYONECANPAY", 0x83: "SINGLE|ANYONECANPAY",
}  # fmt: skip


def asm(script: bytes, *, signatures: bool = False) -> str:
    """A script in words; ``signatures``: those in a scriptSig end with the name of their hash type in brackets."""
    named = signatures and not (script[:1] == bytes((OP_RETURN,)) or len(script) > MAX_SCRIPT)
    return " ".join(_words(script, named))


def _words(script: bytes, named: bool) -> Iterator[str]:
    at = 0
    while at < len(script):
        opcode, width = script[at], LENGTH_WIDTHS.get(script[at], 0)
        begin = at + 1 + width
        size = int.from_bytes(script[at + 1 : begin], "little") if width else opcode if opcode < PUSHDATA1 else 0
        if begin > len(script) or begin + size > len(script):
            yield "[error]"
            return
        yield _pushed(script[begin : begin + size], named) if opcode <= PUSHDATA4 else _name(opcode)
        at = begin + size


def _name(opcode: int) -> str:
    if opcode == INVALID:
        return "OP_INVALIDOPCODE"
    place = opcode - FIRST_NAMED
    return NAMES[place] if place < len(NAMES) else "OP_UNKNOWN"


def _pushed(pushed: bytes, named: bool) -> str:
    """A push: up to four bytes as a number, more as hex."""
    if len(pushed) <= 4:
        return str(_number(pushed))
    if named and _is_signature(pushed):
        return f"{pushed[:-1].hex()}[{SIGHASH_NAMES[pushed[-1]]}]"
    return pushed.hex()


def _number(pushed: bytes) -> int:
    """A script number: little-endian, the top bit its sign (``script/script.h:CScriptNum``)."""
    if not pushed:
        return 0
    magnitude = int.from_bytes(pushed[:-1] + bytes((pushed[-1] & 0x7F,)), "little")
    low, high = INT_RANGE
    return min(max(-magnitude if pushed[-1] & 0x80 else magnitude, low), high)


def _is_signature(pushed: bytes) -> bool:
    """Whether a push is a strict DER signature with a known hash type (``interpreter.cpp``)."""
    if not 9 <= len(pushed) <= 73 or pushed[0] != 0x30 or pushed[1] != len(pushed) - 3:
        return False
    r_size = pushed[3]
    if 5 + r_size >= len(pushed):
        return False
    s_size = pushed[5 + r_size]
    if r_size + s_size + 7 != len(pushed) or pushed[-1] not in SIGHASH_NAMES:
        return False
    return _is_der_integer(pushed[2], pushed[4 : 4 + r_size]) and _is_der_integer(
        pushed[4 + r_size], pushed[6 + r_size : 6 + r_size + s_size]
    )


def _is_der_integer(tag: int, number: bytes) -> bool:
    """A positive integer without needless leading zeros."""
    if tag != 0x02 or not number or number[0] & 0x80:
        return False
    return not (len(number) > 1 and number[0] == 0 and not number[1] & 0x80)
