"""Proof of node against the recorded headers and the hand-made vector."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain import pon
from indexer.chain.keys import outpoint
from indexer.chain.networks import MAIN, REGTEST, TEST
from indexer.chain.params import Network, pon_active
from tests import recorded

# The daemon behind the recorded chain kept regtest's own PoN window and limits.
NETWORK = replace(recorded.network(), pon=REGTEST.pon)


def _producer(raw: bytes) -> bytes:
    if int.from_bytes(raw[:4], "little", signed=True) < 100:
        return b""
    return outpoint(raw[108:140], int.from_bytes(raw[140:144], "little"))


def test_difficulty_of_all_recorded_blocks() -> None:
    for entry in recorded.blocks():
        block = entry["block"]
        number = pon.difficulty(NETWORK, int(block["bits"], 16))
        assert float(f"{number:.16g}") == float(block["difficulty"]), entry["height"]


def test_recorded_blocks_are_pon_from_the_upgrade_on() -> None:
    for entry in recorded.blocks():
        assert pon_active(NETWORK, entry["height"]) == (entry["block"]["type"] == "PON"), entry["height"]


def test_next_bits_of_all_recorded_pon_blocks() -> None:
    blocks = [entry["block"] for entry in recorded.blocks()]
    for height in range(NETWORK.upgrades.pon, len(blocks)):
        span = blocks[height - 1]["time"] - blocks[height - NETWORK.pon.window]["time"]
        expected = pon.next_bits(NETWORK, height, int(blocks[height - 1]["bits"], 16), span)
        assert f"{expected:08x}" == blocks[height]["bits"], height


def test_producers_of_all_recorded_blocks() -> None:
    kinds = Counter(pon.producer_kind(_producer(bytes.fromhex(entry["hex"]))) for entry in recorded.blocks())
    assert kinds == {None: 1800, "node": 598, "emergency": 2, "test": 1}


def test_hand_made_header() -> None:
    vector = json.loads((recorded.DATA / "vectors" / "pon-header.json").read_text())
    raw = bytes.fromhex(vector["header_hex"])
    slot = pon.slot(MAIN, int.from_bytes(raw[100:104], "little"))
    assert slot == vector["slot"]
    assert pon.pon_hash(_producer(raw), raw[4:36], slot).hex() == vector["pon_hash_raw"]


def test_the_hash_is_compared_as_a_little_endian_number() -> None:
    smallest_target = 0x03000001  # exactly 1
    assert pon.eligible(b"\x01" + bytes(31), smallest_target)
    assert not pon.eligible(bytes(31) + b"\x01", smallest_target)


@pytest.mark.parametrize(
    "bits, number",
    [
        (0x1F07FFFF, 0x7FFFF << 8 * 28),
        (0x200FFFFF, 0xFFFFF << 8 * 29),
        (0x03123456, 0x123456),
        (0x02123456, 0x1234),
        (0x01003456, 0),
        (0x04923456, 0),  # negative
        (0x05009234, 0x92340000),
    ],
)
def test_compact_targets(bits: int, number: int) -> None:
    assert pon.target(bits) == number


@given(st.integers(1, 2**256 - 1))
def test_compact_keeps_the_leading_bytes(number: int) -> None:
    kept = pon.target(pon.compact(number))
    assert kept <= number < kept + max(kept >> 15, 1)
    assert pon.target(pon.compact(kept)) == kept


@pytest.mark.parametrize("network", [MAIN, TEST, REGTEST], ids=lambda network: network.name)
def test_difficulty_at_the_limit_is_one(network: Network) -> None:
    assert pon.difficulty(network, network.pow_limit_bits) == 1.0


def test_slots_count_from_genesis() -> None:
    assert pon.slot(MAIN, MAIN.genesis_time) == pon.slot(MAIN, MAIN.genesis_time + 29) == 0
    assert pon.slot(MAIN, MAIN.genesis_time + 30) == 1
