"""Forms and addresses of output scripts, in both parsers, against the daemon's templates."""

from __future__ import annotations

import pytest

from indexer.chain.hashes import hash160
from indexer.chain.keys import NO_ADDRESS
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
from indexer.sample.wire import p2pkh, p2sh, sapling_transaction
from tests.parse import twins

H = bytes(range(20))
COMPRESSED, UNCOMPRESSED = b"\x02" + bytes(32), b"\x04" + bytes(64)


def push(content: bytes, width: int = 0) -> bytes:
    """A push, direct or by PUSHDATA1, 2 or 4 with the length in ``width`` bytes."""
    opcode = {1: b"\x4c", 2: b"\x4d", 4: b"\x4e"}.get(width, b"")
    return opcode + len(content).to_bytes(width or 1, "little") + content


def multisig(m: int, keys: list[bytes], n: int | None = None) -> bytes:
    n = len(keys) if n is None else n
    return bytes((0x50 + m,)) + b"".join(map(push, keys)) + bytes((0x50 + n, 0xAE))


def key(hashed: bytes) -> bytes:
    return b"\x01" + hashed


CASES = [
    (p2pkh(H), EXACT_P2PKH, key(H)),
    (p2sh(H), EXACT_P2SH, b"\x02" + H),
    *((b"\x76\xa9" + push(H, w) + b"\x88\xac", PUSHDATA_P2PKH, key(H)) for w in (1, 2, 4)),
    (b"\x76\xa9" + push(H[:19]) + b"\x88\xac", NONSTANDARD, NO_ADDRESS),
    (b"\x76\xa9" + push(H + b"\0") + b"\x88\xac", NONSTANDARD, NO_ADDRESS),
    (p2pkh(H) + b"\xac", NONSTANDARD, NO_ADDRESS),
    (p2pkh(H)[:-1], NONSTANDARD, NO_ADDRESS),
    (p2pkh(H)[:-1] + b"\xad", NONSTANDARD, NO_ADDRESS),
    (b"\x76\xa9\x13" + p2pkh(H)[3:], NONSTANDARD, NO_ADDRESS),
    (b"\xa9" + push(H, 1) + b"\x87", NONSTANDARD, NO_ADDRESS),
    (p2sh(H)[:-1] + b"\x88", NONSTANDARD, NO_ADDRESS),
    (b"\xa8" + p2sh(H)[1:], NONSTANDARD, NO_ADDRESS),
    *((push(k, w) + b"\xac", P2PK, key(hash160(k))) for k in (COMPRESSED, UNCOMPRESSED) for w in (0, 1, 2, 4)),
    *((push(bytes((b,)) + bytes(64)) + b"\xac", P2PK, key(hash160(bytes((b,)) + bytes(64)))) for b in (6, 7)),
    (push(b"\x03" + bytes(32)) + b"\xac", P2PK, key(hash160(b"\x03" + bytes(32)))),
    *((push(bytes((b,)) + bytes(32)) + b"\xac", P2PK_BAD_KEY, NO_ADDRESS) for b in (0, 1, 4, 5, 6, 7, 255)),
    *((push(bytes((b,)) + bytes(64)) + b"\xac", P2PK_BAD_KEY, NO_ADDRESS) for b in (2, 3, 5)),
    (push(b"\x02" + bytes(33)) + b"\xac", P2PK_BAD_KEY, NO_ADDRESS),
    (push(b"\x02" + bytes(31)) + b"\xac", NONSTANDARD, NO_ADDRESS),
    (push(b"\x04" + bytes(65)) + b"\xac", NONSTANDARD, NO_ADDRESS),
    (push(COMPRESSED) + b"\xad", NONSTANDARD, NO_ADDRESS),
    (push(COMPRESSED) + b"\xac\xac", NONSTANDARD, NO_ADDRESS),
    *((multisig(m, [COMPRESSED] * n), MULTISIG, NO_ADDRESS) for m, n in ((1, 1), (1, 16), (16, 16), (2, 3))),
    (multisig(1, [bytes(40), UNCOMPRESSED]), MULTISIG, NO_ADDRESS),
    (multisig(3, [COMPRESSED] * 2), NONSTANDARD, NO_ADDRESS),
    (b"\x00" + multisig(1, [COMPRESSED])[1:], NONSTANDARD, NO_ADDRESS),
    (multisig(1, [COMPRESSED] * 17, 16), NONSTANDARD, NO_ADDRESS),
    (multisig(1, [COMPRESSED] * 2, 3), NONSTANDARD, NO_ADDRESS),
    (multisig(1, [bytes(32)]), NONSTANDARD, NO_ADDRESS),
    (multisig(1, [bytes(66)]), NONSTANDARD, NO_ADDRESS),
    (b"\x51\x51\xae", NONSTANDARD, NO_ADDRESS),
    (multisig(1, [COMPRESSED])[:-1] + b"\xaf", NONSTANDARD, NO_ADDRESS),
    (b"\x6a", NULLDATA, NO_ADDRESS),
    (b"\x6a" + push(bytes(75)), NULLDATA, NO_ADDRESS),
    (b"\x6a" + push(bytes(80), 1), NULLDATA, NO_ADDRESS),
    (b"\x6a" + push(bytes(81), 1), NONSTANDARD, NO_ADDRESS),
    (b"\x6a\x00", NULLDATA, NO_ADDRESS),
    (b"\x6a\xac", NULLDATA, NO_ADDRESS),
    (b"\x6a" + push(b"a") + push(b"b"), NONSTANDARD, NO_ADDRESS),
    (b"\x6a\x05abc", NONSTANDARD, NO_ADDRESS),
    (b"", NONSTANDARD, NO_ADDRESS),
    (b"\x51", NONSTANDARD, NO_ADDRESS),
    *((b"\x76\xa9" + cut, NONSTANDARD, NO_ADDRESS) for cut in (b"\x14", b"\x4c", b"\x4d\x01", b"\x4e\0\0\0")),
    (b"\x4e\xff\xff\xff\xff" + bytes(30), NONSTANDARD, NO_ADDRESS),
    (b"\x51" * 20, NONSTANDARD, NO_ADDRESS),
    (b"\x51" * 100_000, NONSTANDARD, NO_ADDRESS),
]


@pytest.mark.parametrize(("script", "form", "address"), CASES, ids=[case[0].hex()[:30] for case in CASES])
def test_form_and_address(script: bytes, form: int, address: bytes) -> None:
    alone = twins.good_transaction(sapling_transaction([], [(1, script)]))
    assert (alone.forms, alone.addresses) == (bytes((form,)), address)


def test_all_at_once_keep_their_places() -> None:
    alone = twins.good_transaction(sapling_transaction([], [(1, script) for script, _, _ in CASES]))
    assert alone.forms == bytes(form for _, form, _ in CASES)
    assert alone.addresses == b"".join(address for _, _, address in CASES)
