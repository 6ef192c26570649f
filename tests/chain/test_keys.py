"""Position keys: they round-trip, keep the order of the chain, and fit a signed 64-bit integer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain import keys

HEIGHTS = st.integers(0, (1 << 28) - 1)
INDEXES = st.integers(0, keys.MAX_TRANSACTIONS - 1)
VOUTS = st.integers(0, keys.MAX_OUTPUTS - 1)
HASHES = st.binary(min_size=32, max_size=32)
POSITIONS = st.tuples(HEIGHTS, INDEXES, VOUTS)


@given(POSITIONS)
def test_positions_round_trip(position: tuple[int, int, int]) -> None:
    height, index, vout = position
    txkey, outkey = keys.txkey(height, index), keys.outkey(*position)
    assert (keys.txkey_height(txkey), keys.txkey_index(txkey)) == (height, index)
    assert (keys.outkey_txkey(outkey), keys.outkey_vout(outkey)) == (txkey, vout)
    assert keys.outkey_height(outkey) == height
    assert keys.first_outkey(height) <= outkey < keys.first_outkey(height + 1)
    assert keys.is_coinbase(outkey) == (index == 0)
    assert 0 <= outkey < 1 << 63


@given(POSITIONS, POSITIONS)
def test_keys_keep_the_order_of_the_chain(one: tuple[int, int, int], other: tuple[int, int, int]) -> None:
    assert (keys.outkey(*one) < keys.outkey(*other)) == (one < other)
    assert (keys.txkey(*one[:2]) < keys.txkey(*other[:2])) == (one[:2] < other[:2])


@given(HASHES, st.integers(0, 2**32 - 1), HASHES, st.integers(0, 2**32 - 1))
def test_outpoints_compare_as_bytes(txid: bytes, index: int, other: bytes, other_index: int) -> None:
    point, further = keys.outpoint(txid, index), keys.outpoint(other, other_index)
    assert (point < further) == ((txid, index) < (other, other_index))
    assert keys.outpoint_index(point) == index
    assert keys.parse_outpoint(keys.outpoint_text(point)) == point


TXID = "163562d7ca28cfc4a224efeec6d90716aba1a27001bd7af5e4d1cf2c78fb2c4b"


@pytest.mark.parametrize(
    "text",
    [f"{TXID}:7", f"{TXID}-7", f"COutPoint({TXID}, 7)", f"COutPoint({TXID},7)", f"  {TXID.upper()}:7 ", f"{TXID}:007"],
)
def test_spellings_of_an_outpoint(text: str) -> None:
    assert keys.parse_outpoint(text) == bytes.fromhex(TXID)[::-1] + bytes([0, 0, 0, 7])


@pytest.mark.parametrize(
    "text",
    ["", TXID, f"{TXID}:", f"{TXID}:-", f"{TXID[1:]}:7", f"{TXID}:4294967296", f"{TXID}_7", "COutPoint(163562d7ca, 7)"],
)
def test_no_outpoints(text: str) -> None:
    assert keys.parse_outpoint(text) is None


def test_hashes_are_shown_reversed() -> None:
    assert keys.hash_text(keys.parse_hash(TXID)) == TXID
    assert keys.parse_hash(TXID)[0] == 0x4B
    for text in ("", TXID[2:], f"{TXID}00", f"{TXID[:-1]} ", "zz" * 32):
        with pytest.raises(ValueError):
            keys.parse_hash(text)
