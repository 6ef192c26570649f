"""Every refusal, made by hand, and truncation at every byte: both parsers give the same error."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from indexer.chain.hashes import sha256d
from indexer.chain.keys import MAX_OUTPUTS, MAX_TRANSACTIONS
from indexer.chain.params import MAX_MONEY
from indexer.parse.columns import COINBASE, NODE_CONFIRM, TRANSFER, ParsedBlock, ints
from indexer.parse.cursor import MAX_COMPACT_SIZE
from indexer.parse.pure import MAX_BLOCK_SIZE
from indexer.sample.wire import (
    Piece,
    assemble,
    coinbase,
    compact_size,
    confirm,
    ordinary,
    p2pkh,
    pon_header,
    pow_header,
    sapling_transaction,
    start,
    var_bytes,
)
from tests import recorded
from tests.parse import twins

POINT = bytes(range(32)) + b"\x01\0\0\0"
NULL_POINT = bytes(32) + b"\xff" * 4
PAY = p2pkh(bytes(20))
HEADER_SIZE = 141  # of the blocks made here: an empty solution
FIRST = HEADER_SIZE + 1  # where their first transaction begins


def header(root: bytes) -> bytes:
    return pow_header(bytes(32), root, 1, bytes(32), b"")


def block(*transactions: Piece) -> bytes:
    return assemble(header, False, list(transactions))[0]


BASE = ordinary(coinbase(1, [(1, PAY)]))


def spend(*outputs: tuple[int, bytes]) -> bytes:
    return sapling_transaction([(POINT, b"")], list(outputs))


def after_base(raw: bytes) -> bytes:
    """A block whose second transaction is ``raw``; the merkle root does not matter here."""
    return header(bytes(32)) + b"\x02" + BASE.raw + raw


# --- truncation ---------------------------------------------------------------------------------------------

# The widest variety: JoinSplits, Sapling, P2SH nodes, delegates, PoN, a whole main-net block.
TRUNCATED = [200, 321, 1305, 1812, 1900]


@pytest.mark.parametrize("height", TRUNCATED)
def test_truncated_at_every_byte(height: int) -> None:
    raw = bytes.fromhex(recorded.blocks()[height]["hex"])
    for size in range(len(raw)):
        structure, offset = twins.refusal(twins.block(raw[:size]))
        assert structure and 0 <= offset <= size


def test_truncated_transactions() -> None:
    for entry in recorded.main_transactions():
        raw = bytes.fromhex(entry["raw"])
        for size in range(0, len(raw), 1 + len(raw) // 400):
            twins.refusal(twins.transaction(raw[:size]))


# --- lengths and counts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoded", "structure"),
    [
        (b"\xfd\x01\x00", "a value that fits one byte in three"),
        (b"\xfd\xfc\x00", "the largest value of one byte in three"),
        (b"\xfe\xff\xff\0\0", "a value that fits three bytes in five"),
        (b"\xff\xff\xff\xff\xff\0\0\0\0", "a value that fits five bytes in nine"),
        (b"\xfe" + struct.pack("<I", MAX_COMPACT_SIZE + 1), "above the limit"),
        (b"\xff" + struct.pack("<Q", 1 << 63), "absurd"),
        (b"\xff" + b"\xff" * 8, "the largest"),
    ],
)
def test_compact_sizes_that_are_refused_everywhere(encoded: bytes, structure: str) -> None:
    assert twins.refusal(twins.block(header(bytes(32)) + encoded + bytes(60))) == ("transaction count", HEADER_SIZE)
    raw = b"\x01\0\0\0" + encoded
    assert twins.refusal(twins.transaction(raw + bytes(60))) == ("input count", 4), structure
    raw = b"\x01\0\0\0\x01" + POINT + encoded
    assert twins.refusal(twins.transaction(raw + bytes(60))) == ("input script", 41)


def test_compact_size_at_the_limit_is_only_too_long() -> None:
    raw = b"\x01\0\0\0\x01" + POINT + b"\xfe" + struct.pack("<I", MAX_COMPACT_SIZE)
    result = twins.transaction(raw + bytes(60))
    assert isinstance(result, tuple) and "33554432 bytes are needed" in result[3]


@pytest.mark.parametrize("size", [0xFC, 0xFD, 0xFFFF, 0x10000])
def test_compact_sizes_in_every_width(size: int) -> None:
    raw = sapling_transaction([(POINT, bytes(size))], [(1, bytes(size))])
    alone = twins.good_transaction(raw)
    assert ints(alone.script_size, "I") == (size,)


@pytest.mark.parametrize(
    ("raw", "structure"),
    [
        (b"\x01\0\0\0\x02" + bytes(81), "input count"),
        (b"\x01\0\0\0\0\x03" + bytes(26), "output count"),
        (bytes.fromhex("0400008085202f890000") + bytes(16) + b"\x01" + bytes(383), "shielded spend count"),
        (bytes.fromhex("0400008085202f890000") + bytes(17) + b"\x01" + bytes(947), "shielded output count"),
        (bytes.fromhex("0400008085202f890000") + bytes(18) + b"\x01" + bytes(1697), "JoinSplit count"),
        (b"\x02\0\0\0\0\0\0\0\0\0\x01" + bytes(1801), "JoinSplit count"),
    ],
)
def test_counts_that_cannot_fit_what_is_left(raw: bytes, structure: str) -> None:
    result = twins.transaction(raw)
    assert twins.refusal(result)[0] == structure
    assert isinstance(result, tuple) and "elements need" in result[3]


def test_transaction_counts() -> None:
    assert twins.refusal(twins.block(header(bytes(32)) + b"\0")) == ("transaction count", HEADER_SIZE)
    many = compact_size(MAX_TRANSACTIONS + 1) + bytes(10 * (MAX_TRANSACTIONS + 1))
    assert twins.refusal(twins.block(header(bytes(32)) + many)) == ("transaction count", HEADER_SIZE)


def test_no_block_holds_more_outputs_than_an_outkey_can_name() -> None:
    assert MAX_BLOCK_SIZE < 9 * MAX_OUTPUTS


def test_too_large() -> None:
    outputs = [(0, b"")] * 200_000
    without_script = sapling_transaction([(NULL_POINT, b"")], outputs)
    script = bytes(MAX_BLOCK_SIZE - FIRST - len(without_script) - 4)  # its CompactSize has five bytes, not one
    largest = block(ordinary(sapling_transaction([(NULL_POINT, script)], outputs)))
    assert len(largest) == MAX_BLOCK_SIZE
    assert len(twins.good_block(largest).values) == 8 * len(outputs)
    assert twins.refusal(twins.block(largest + b"\0")) == ("block", 0)
    assert twins.refusal(twins.transaction(bytes(MAX_BLOCK_SIZE + 1))) == ("transaction", 0)


def test_left_over_bytes() -> None:
    raw = block(BASE)
    assert twins.refusal(twins.block(raw + b"\0")) == ("end of block", len(raw))
    assert twins.refusal(twins.transaction(BASE.raw + b"\0\0")) == ("end of transaction", len(BASE.raw))


# --- amounts ------------------------------------------------------------------------------------------------


def with_balance(balance: int, *outputs: tuple[int, bytes]) -> bytes:
    raw = spend(*outputs)
    return raw[:-11] + struct.pack("<q", balance) + raw[-3:]


def with_joinsplit(vpub_old: int, vpub_new: int, *outputs: tuple[int, bytes]) -> bytes:
    split = struct.pack("<qq", vpub_old, vpub_new) + bytes(1698 - 16)
    return spend(*outputs)[:-1] + b"\x01" + split + bytes(96)


FIRST_VALUE = 4 + 4 + 1 + 41 + 1  # where the first output's value stands in ``spend``
NO_OUTPUTS_BALANCE = FIRST_VALUE + 8
HALF = MAX_MONEY // 2


@pytest.mark.parametrize(
    ("raw", "structure", "offset"),
    [
        (spend((-1, b"")), "output value", FIRST_VALUE),
        (spend((-(1 << 63), b"")), "output value", FIRST_VALUE),
        (spend((MAX_MONEY + 1, b"")), "output value", FIRST_VALUE),
        (spend((HALF, b""), (HALF + 1, b"")), "output value", FIRST_VALUE + 9),
        (with_balance(MAX_MONEY + 1), "value balance", NO_OUTPUTS_BALANCE),
        (with_balance(-MAX_MONEY - 1), "value balance", NO_OUTPUTS_BALANCE),
        (with_balance(-(1 << 63)), "value balance", NO_OUTPUTS_BALANCE),
        (with_balance(-HALF, (HALF + 1, b"")), "value balance", NO_OUTPUTS_BALANCE + 9),
        (with_joinsplit(-1, 0), "vpub_old", NO_OUTPUTS_BALANCE + 11),
        (with_joinsplit(0, -1), "vpub_new", NO_OUTPUTS_BALANCE + 19),
        (with_joinsplit(MAX_MONEY + 1, 0), "vpub_old", NO_OUTPUTS_BALANCE + 11),
        (with_joinsplit(0, MAX_MONEY + 1), "vpub_new", NO_OUTPUTS_BALANCE + 19),
        (with_joinsplit(HALF, 0, (HALF + 1, b"")), "vpub_old", NO_OUTPUTS_BALANCE + 9 + 11),
    ],
)
def test_amounts_that_are_refused(raw: bytes, structure: str, offset: int) -> None:
    assert twins.refusal(twins.transaction(raw)) == (structure, offset)


@pytest.mark.parametrize(
    "raw",
    [
        spend((MAX_MONEY, b"")),
        spend((HALF, b""), (HALF, b"")),
        with_balance(MAX_MONEY, (MAX_MONEY, b"")),
        with_balance(-MAX_MONEY),
        with_joinsplit(MAX_MONEY, MAX_MONEY),
        with_joinsplit(0, MAX_MONEY, (MAX_MONEY, b"")),
    ],
)
def test_amounts_at_the_limit(raw: bytes) -> None:
    twins.good_transaction(raw)


# --- versions and kinds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head", ["0300008085202f89", "040000807082c403", "0500008085202f89", "060000800a27a726", "0700008000000000",
             "00000080ffffffff"]
)  # fmt: skip
def test_unknown_overwintered_versions(head: str) -> None:
    raw = bytes.fromhex(head) + BASE.raw[8:]
    assert twins.refusal(twins.transaction(raw)) == ("transaction version", 0)
    assert twins.refusal(twins.block(after_base(raw))) == ("transaction version", FIRST + len(BASE.raw))


def layout(head: str, middle: int = 0) -> bytes:
    """An empty transaction with another header, and ``middle`` zero bytes behind its lock time."""
    return bytes.fromhex(head) + b"\0\0" + bytes(4 + middle)


@pytest.mark.parametrize(
    "raw",
    [
        layout("00000000"),
        layout("01000000"),
        layout("02000000", 1),
        layout("03000000", 1),
        layout("04000000", 1),
        layout("07000000", 1),
        layout("ffffff7f", 1),
        layout("030000807082c403", 4 + 1),
        layout("0400008085202f89", 4 + 8 + 3),
    ],
)
def test_layouts_by_version(raw: bytes) -> None:
    alone = twins.good_transaction(raw)
    assert (alone.kind, alone.txid) == (TRANSFER, sha256d(raw))
    assert alone.header == int.from_bytes(raw[:4], "little")


def test_the_binding_signature_is_there_with_shielded_parts_only() -> None:
    head = layout("0400008085202f89", 4 + 8)
    assert twins.good_transaction(head + b"\x01" + bytes(384) + b"\0\0" + bytes(64)).shielded_spends == 1
    assert twins.good_transaction(head + b"\0\x01" + bytes(948) + b"\0" + bytes(64)).shielded_outputs == 1
    raw = head + b"\x01" + bytes(384) + b"\0\0"
    assert twins.refusal(twins.transaction(raw)) == ("bindingSig", len(raw))


@pytest.mark.parametrize("position", [0, 1])
def test_only_the_first_transaction_is_a_coinbase(position: int) -> None:
    transactions = [BASE, ordinary(coinbase(2, []))] if position else [ordinary(spend())]
    offset = FIRST + position * len(BASE.raw)
    assert twins.refusal(twins.block(block(*transactions))) == ("coinbase", offset)


def test_a_node_transaction_is_no_coinbase() -> None:
    piece = confirm(POINT, 1, 1, False, b"", b"", b"")
    assert twins.refusal(twins.block(block(piece))) == ("coinbase", FIRST)


def test_the_null_prevout_among_others_makes_no_coinbase() -> None:
    raw = sapling_transaction([(NULL_POINT, b""), (POINT, b"")], [])
    alone = twins.good_transaction(raw)
    assert (alone.kind, len(alone.prevouts)) == (TRANSFER, 72)


@pytest.mark.parametrize("point", [bytes(36), b"\x01" + NULL_POINT[1:], bytes(32) + b"\xff\xff\xff\xfe"])
def test_a_nearly_null_prevout_makes_no_coinbase(point: bytes) -> None:
    assert twins.good_transaction(sapling_transaction([(point, b"")], [])).kind == TRANSFER


def test_the_null_input_is_in_no_column() -> None:
    parsed = twins.good_block(block(BASE, ordinary(spend((1, PAY)))))
    assert (parsed.kinds, ints(parsed.input_start, "I")) == (bytes((COINBASE, TRANSFER)), (0, 0, 1))
    assert parsed.coinbase_script == b"\x01\x01\x00"


# --- node transactions --------------------------------------------------------------------------------------

NODE_KEYS = var_bytes(bytes(33)) + var_bytes(bytes(33))
START_BODY = POINT + NODE_KEYS + bytes(4) + var_bytes(bytes(65))


@pytest.mark.parametrize("version", [5, 6])
@pytest.mark.parametrize("kind", [0, 1, 3, 5, 255])
def test_types_that_are_no_node_transaction(version: int, kind: int) -> None:
    raw = bytes((version, 0, 0, 0, kind))
    assert twins.refusal(twins.transaction(raw)) == ("node transaction type", 4)


@pytest.mark.parametrize("flags", [0, 0x0100, 0x04, -(1 << 31)])
def test_a_start_without_a_body(flags: int) -> None:
    raw = b"\x06\0\0\0\x02" + struct.pack("<i", flags)
    assert twins.refusal(twins.transaction(raw + START_BODY)) == ("nFluxTxVersion", 5)


def start6(flags: int, tail: bytes) -> bytes:
    return b"\x06\0\0\0\x02" + struct.pack("<i", flags) + START_BODY + tail


def test_both_bits_parse_as_p2sh() -> None:
    alone = twins.good_transaction(start6(3, b""))
    assert alone.start is not None
    assert (alone.start.collateral_pubkey, len(alone.start.redeem_script)) == (b"", 33)


@pytest.mark.parametrize(
    ("section", "using", "version", "kind", "keys"),
    [
        (b"\0", False, 0, 0, 0),
        (b"\x01\x01\x02", True, 1, 2, 0),
        (b"\x01\x02\x01", True, 2, 1, 0),
        (b"\x01\xff\x80", True, -1, -128, 0),
        (b"\x01\x01\x01\0", True, 1, 1, 0),
        (b"\x01\x01\x01\x04" + var_bytes(bytes(33)) * 4, True, 1, 1, 4),
    ],
)
def test_delegates(section: bytes, using: bool, version: int, kind: int, keys: int) -> None:
    alone = twins.good_transaction(start6(0x0101, section))
    assert alone.start is not None and alone.start.delegates is not None
    found = alone.start.delegates
    assert (found.using, found.version, found.type, len(found.keys)) == (using, version, kind, keys)
    assert alone.txid == sha256d(alone.raw[: -66 - len(section)] + section)
    assert alone.full_id == sha256d(alone.raw)


@pytest.mark.parametrize("count", [5, 9])
def test_too_many_delegate_keys(count: int) -> None:
    section = b"\x01\x01\x01" + compact_size(count) + var_bytes(bytes(33)) * count
    offset = len(start6(0x0101, b"\x01\x01\x01"))
    assert twins.refusal(twins.transaction(start6(0x0101, section))) == ("delegate key count", offset)


@pytest.mark.parametrize("size", [0, 1, 33, 65, 66, 300])
def test_keys_of_any_length_are_kept_as_found(size: int) -> None:
    piece = start(POINT, bytes(size), bytes(size), 7, bytes(65))
    alone = twins.good_transaction(piece.raw)
    assert alone.start is not None and (alone.start.pubkey, alone.txid) == (bytes(size), piece.txid)


def test_confirmations_as_found() -> None:
    odd = confirm(POINT, 0xFFFFFFFF, -3, True, b"", b"", bytes(300))
    longer = confirm(POINT, 1, 2, False, b"[::1]:16127" * 30, bytes(65), bytes(65))
    parsed = twins.good_block(block(BASE, odd, longer), full_ids=True)
    assert parsed.kinds == bytes((COINBASE, NODE_CONFIRM, NODE_CONFIRM))
    assert ints(parsed.confirm_tiers, "b") == (-3, 2)
    assert ints(parsed.confirm_sig_times, "I") == (0xFFFFFFFF, 1)
    assert ints(parsed.confirm_ip_start, "I") == (0, 0, 330)
    assert parsed.confirm_outpoints == 2 * (POINT[:32] + POINT[:31:-1])
    assert parsed.txids[32:] == odd.txid + longer.txid
    assert parsed.full_ids == sha256d(odd.raw) + sha256d(longer.raw)


# --- merkle root --------------------------------------------------------------------------------------------


def chain_of(count: int) -> list[Piece]:
    return [BASE, *(ordinary(spend((i, PAY))) for i in range(count - 1))]


@pytest.mark.parametrize("count", [*range(1, 10), 31, 32, 33])
def test_merkle_root_of_every_shape(count: int) -> None:
    raw = block(*chain_of(count))
    assert twins.good_block(raw).tx_count == count
    wrong = raw[:36] + bytes((raw[36] ^ 1,)) + raw[37:]
    result = twins.block(wrong)
    assert isinstance(result, tuple) and result[0] == "MerkleMismatch"


@pytest.mark.parametrize(("count", "repeated"), [(3, 1), (6, 2), (7, 1), (12, 4)])
def test_a_list_that_repeats_its_end_is_refused(count: int, repeated: int) -> None:
    transactions = chain_of(count)
    good = block(*transactions)
    body = b"".join(t.raw for t in (*transactions, *transactions[-repeated:]))
    result = twins.block(good[:HEADER_SIZE] + compact_size(count + repeated) + body)
    assert isinstance(result, tuple) and result[0] == "MerkleMismatch" and "CVE-2012-2459" in result[3]


# --- headers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [4, 99, 0, -1, -(1 << 31)])
def test_versions_that_are_pow(version: int) -> None:
    raw = struct.pack("<i", version) + block(BASE)[4:]
    parsed = twins.good_block(raw)
    assert (parsed.pon, parsed.version, parsed.hash) == (False, version, sha256d(raw[:HEADER_SIZE]))


@pytest.mark.parametrize("sig", [b"", bytes(71), bytes(300)])
def test_the_signature_of_a_pon_block_is_not_hashed(sig: bytes) -> None:
    def head(root: bytes) -> bytes:
        return pon_header(bytes(32), root, 1, POINT, sig)

    raw, block_hash = assemble(head, True, [BASE])
    parsed = twins.good_block(raw)
    assert (parsed.pon, parsed.hash, parsed.proof) == (True, block_hash, sig)
    assert (block_hash, parsed.producer) == (sha256d(raw[:144]), POINT[:32] + b"\0\0\0\x01")


def test_pon_is_not_looked_for_in_the_parent_chains_blocks() -> None:
    raw = struct.pack("<i", 0x20000000) + block(BASE)[4:]
    assert isinstance(twins.block(raw, pon=False), ParsedBlock)
    assert twins.refusal(twins.block(raw))[0]


@pytest.mark.parametrize("parse", [twins.pure.parse_block, twins.compiled.parse_block])
def test_only_bytes_are_parsed(parse: Callable[[bytes], ParsedBlock]) -> None:
    with pytest.raises(TypeError):
        parse(None)  # type: ignore[arg-type]
