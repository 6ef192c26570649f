"""What output scripts mean besides an address: never to be spent, or a text."""

from __future__ import annotations

OP_RETURN = 0x6A
MAX_SCRIPT_SIZE = 10_000
_PUSHDATA_SIZES = {0x4C: 1, 0x4D: 2, 0x4E: 4}  # OP_PUSHDATA1, 2, 4: how many bytes give the length
_LAST_DIRECT_PUSH = 0x4B


def unspendable(script: bytes) -> bool:
    """Whether an output with this script never enters the utxo set (``script.h:CScript::IsUnspendable``)."""
    return script[:1] == bytes([OP_RETURN]) or len(script) > MAX_SCRIPT_SIZE


def _push(script: bytes, at: int) -> tuple[bytes, int] | None:
    """The data pushed by the opcode at ``at`` and where the next opcode stands; None when it pushes no data."""
    opcode = script[at]
    size_bytes = _PUSHDATA_SIZES.get(opcode, 0)
    begin = at + 1 + size_bytes
    if opcode > _LAST_DIRECT_PUSH and not size_bytes or begin > len(script):
        return None
    size = int.from_bytes(script[at + 1 : begin], "little") if size_bytes else opcode
    if begin + size > len(script):
        return None
    return script[begin : begin + size], begin + size


def nulldata_text(script: bytes) -> str | None:
    """The pushes of an OP_RETURN script, one after the other, when they are printable UTF-8; None otherwise."""
    if not script or script[0] != OP_RETURN:
        return None
    pushed, at = b"", 1
    while at < len(script):
        push = _push(script, at)
        if push is None:
            return None
        pushed, at = pushed + push[0], push[1]
    try:
        text = pushed.decode()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None
