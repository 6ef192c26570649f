"""Hashes against published vectors, recorded blocks and each other."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain import hashes
from indexer.chain.hashes import hash160, header_hash, merkle_root, ripemd160, sha256d
from indexer.chain.keys import hash_text, parse_hash
from indexer.chain.ripemd160 import ripemd160 as own_ripemd160
from indexer.errors import MerkleMismatch
from tests import recorded

# Dobbertin, Bosselaers, Preneel: the vectors published with RIPEMD-160.
RIPEMD160_VECTORS = {
    b"": "9c1185a5c5e9fc54612808977ee8f548b2258d31",
    b"a": "0bdc9d2d256b3ee9daae347be6f4dc835a467ffe",
    b"abc": "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
    b"message digest": "5d0689ef49d2fae572b881b123a85ffa21595f36",
    b"abcdefghijklmnopqrstuvwxyz": "f71c27109c692c1b56bbdceb5b9d2865b3708dbc",
    b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq": "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
    b"1234567890" * 8: "9b752e45573d4b39f4dbd3323cab82bf63326bfb",
}


@pytest.mark.parametrize("message", RIPEMD160_VECTORS)
def test_ripemd160_vectors(message: bytes) -> None:
    assert own_ripemd160(message).hex() == ripemd160(message).hex() == RIPEMD160_VECTORS[message]


@given(st.binary(max_size=300))
def test_own_ripemd160_equals_the_chosen_one(message: bytes) -> None:
    assert own_ripemd160(message) == ripemd160(message)


def test_own_ripemd160_serves_where_openssl_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, message: bytes) -> None:
        raise ValueError(f"unsupported hash type {name}")

    monkeypatch.setattr(hashlib, "new", refuse)
    assert hashes._choose_ripemd160() is own_ripemd160


def test_hash160_of_the_genesis_key() -> None:
    key = recorded.blocks()[0]["block"]["tx"][0]["vout"][0]["scriptPubKey"]["hex"][2:132]
    assert hash160(bytes.fromhex(key)).hex() == "62e907b15cbf27d5425399ebf6f0fb50ebb88f18"


def test_merkle_roots_of_all_recorded_blocks() -> None:
    for entry in (*recorded.blocks(), *recorded.stale_blocks()):
        block = entry["block"]
        txids = [parse_hash(tx["txid"]) for tx in block["tx"]]
        assert hash_text(merkle_root(txids)) == block["merkleroot"], entry["height"]


def test_header_hashes_of_all_recorded_blocks() -> None:
    seen = set()
    for display, raw in recorded.raw_by_hash().items():
        pon = int.from_bytes(raw[:4], "little", signed=True) >= 100
        size = 108 + 36 if pon else 140
        length = raw[size]  # every signature and solution of this chain is shorter than 253 bytes
        assert hash_text(header_hash(raw[: size + 1 + length], pon)) == display
        seen.add(pon)
    assert seen == {False, True}


LEAVES = [sha256d(bytes([i])) for i in range(7)]


@pytest.mark.parametrize("count", [2, 4, 6])
def test_repeating_the_end_of_the_list_is_refused(count: int) -> None:
    """The mutated list has the root of the honest one, so only the refusal tells them apart."""
    tail = {2: LEAVES[1:2], 4: LEAVES[3:4], 6: LEAVES[4:6]}[count]
    mutated = LEAVES[:count] + tail
    honest = merkle_root(LEAVES[:count])
    if len(mutated) % 2:  # an odd list repeats by itself: append once more
        mutated, honest = mutated + tail, merkle_root(mutated)
    with pytest.raises(MerkleMismatch, match="CVE-2012-2459"):
        merkle_root(mutated)
    assert len(honest) == 32


def test_the_mutated_list_would_have_the_same_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashes, "_repeats_a_pair", lambda level: False)
    assert merkle_root(LEAVES[:3]) == merkle_root([*LEAVES[:3], LEAVES[2]])
    assert merkle_root(LEAVES[:6]) == merkle_root([*LEAVES[:6], *LEAVES[4:6]])


def test_no_transactions_no_root() -> None:
    with pytest.raises(MerkleMismatch, match="without transactions"):
        merkle_root([])
