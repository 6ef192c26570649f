"""Address text against real vectors, the daemon's own verdicts, and itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain import base58, bech32
from indexer.chain.address import address_type, decode_address, encode_address, script_for
from indexer.chain.hashes import hash160
from indexer.chain.keys import NO_ADDRESS, P2PKH, P2SH
from indexer.chain.networks import MAIN, NETWORKS, REGTEST, TEST
from indexer.chain.params import Network
from indexer.errors import AddressError
from tests import recorded

VECTORS: list[dict[str, Any]] = json.loads((recorded.DATA / "main" / "addresses.json").read_text())["vectors"]
TRANSPARENT = [v for v in VECTORS if v["valid"] and v["type"] in ("p2pkh", "p2sh")]
SHIELDED = [v for v in VECTORS if v["valid"] and v["type"] in ("sprout", "sapling")]
INVALID = [v for v in VECTORS if not v["valid"]]
KINDS = {"p2pkh": P2PKH, "p2sh": P2SH}

# What the vectors' own reasons become in our words.
REASONS = (
    ("base58: short", "empty|too few"),
    ("base58: char; bech32: checksum", "checksum does not match"),
    ("base58: char", "no character of an address|mixes upper and lower case"),
    ("base58: checksum", "checksum does not match"),
    ("unknown version bytes", "version bytes|private key"),
    ("payload length 42", "payload of 43 bytes, this one of 42"),
    ("hrp zs", "Zcash, not of Flux"),
)


def _networks(vector: dict[str, Any]) -> list[Network]:
    return [NETWORKS[name] for name in vector["network"].split("/")]


def _id(vector: dict[str, Any]) -> str:
    return vector["address"][:16] or "empty"


@pytest.mark.parametrize("vector", TRANSPARENT, ids=_id)
def test_transparent_vectors(vector: dict[str, Any]) -> None:
    key = bytes([KINDS[vector["type"]]]) + bytes.fromhex(vector["payload"])
    for network in _networks(vector):
        assert decode_address(vector["address"], network) == key
        assert encode_address(key, network) == vector["address"]
    assert address_type(key) == vector["type"]
    assert script_for(key).hex() == vector.get("scriptPubKey", script_for(key).hex())


@pytest.mark.parametrize("vector", TRANSPARENT, ids=_id)
def test_an_address_of_another_network_names_its_own(vector: dict[str, Any]) -> None:
    foreign = TEST if vector["network"] == "main" else MAIN
    owner = "main" if vector["network"] == "main" else "regtest or test"
    with pytest.raises(AddressError, match=f"address of {owner}, not of {foreign.name}"):
        decode_address(vector["address"], foreign)


@pytest.mark.parametrize("vector", SHIELDED, ids=_id)
def test_shielded_vectors_are_refused_with_the_reason(vector: dict[str, Any]) -> None:
    own = _networks(vector)
    for network in NETWORKS.values():
        with pytest.raises(AddressError, match=rf"shielded \({vector['type'].title()}\).*private") as error:
            decode_address(vector["address"], network)
        assert (f"not of {network.name}" in str(error.value)) == (network not in own)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
@pytest.mark.parametrize("vector", INVALID, ids=_id)
def test_invalid_vectors(vector: dict[str, Any], network: Network) -> None:
    expected = next(words for reason, words in REASONS if vector["reason"].startswith(reason))
    with pytest.raises(AddressError, match=expected):
        decode_address(vector["address"], network)


@pytest.mark.parametrize("private_key", ["KxuACDviz8Xvpn1xAh9MfopySZNuyajYMZWz16Dv2mHHryznWUp3"])
def test_a_private_key_is_told_apart_and_not_repeated(private_key: str) -> None:
    with pytest.raises(AddressError, match="private key") as error:
        decode_address(private_key, MAIN)
    assert private_key not in str(error.value)


@pytest.mark.parametrize("text", ["1" * 129, "za1" + "q" * 200, "t" * 100_000])
def test_overlong_text(text: str) -> None:
    with pytest.raises(AddressError, match=f"no address has {len(text)} characters"):
        decode_address(text, MAIN)


def _verdicts() -> Iterator[tuple[str, bool, str]]:
    for call in recorded.rpc_calls():
        if call["method"] == "validateaddress" and call["response"]["result"]:
            result = call["response"]["result"]
            yield call["params"][0], result["isvalid"], result.get("scriptPubKey", "")


def test_the_daemons_verdicts() -> None:
    network, seen = recorded.network(), set()
    for text, valid, script in _verdicts():
        seen.add(valid)
        if valid:
            assert script_for(decode_address(text, network)).hex() == script
            continue
        with pytest.raises(AddressError):
            decode_address(text, network)
    assert seen == {True, False}


def _key_of(script: bytes, kind: str) -> bytes:
    if kind == "scripthash":
        return bytes([P2SH]) + script[2:22]
    return bytes([P2PKH]) + (script[-22:-2] if kind == "pubkeyhash" else hash160(script[1:-1]))


def test_every_recorded_output_encodes_from_its_script() -> None:
    network, seen = recorded.network(), set()
    outputs = (o for b in recorded.blocks() for tx in b["block"]["tx"] for o in tx.get("vout", ()))
    for shown in (output["scriptPubKey"] for output in outputs):
        script, kind = bytes.fromhex(shown["hex"]), shown["type"]
        if kind not in ("pubkeyhash", "scripthash", "pubkey"):
            continue
        key = _key_of(script, kind)
        assert [encode_address(key, network)] == shown["addresses"]
        assert (script_for(key) == script) == (kind != "pubkey" and len(script) in (23, 25))
        seen.add((kind, len(script)))
    assert {("pubkeyhash", 25), ("pubkeyhash", 26), ("scripthash", 23), ("pubkey", 35), ("pubkey", 67)} <= seen


@given(st.sampled_from([MAIN, TEST, REGTEST]), st.sampled_from([P2PKH, P2SH]), st.binary(min_size=20, max_size=20))
def test_round_trip(network: Network, kind: int, digest: bytes) -> None:
    key = bytes([kind]) + digest
    assert decode_address(encode_address(key, network), network) == key


@given(st.binary(min_size=1, max_size=60))
def test_base58_round_trip(payload: bytes) -> None:
    assert base58.decode(base58.encode(payload)) == payload


@given(st.data())
def test_one_changed_character_is_noticed(data: st.DataObject) -> None:
    text = encode_address(bytes([P2PKH]) + data.draw(st.binary(min_size=20, max_size=20)), MAIN)
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in base58.ALPHABET if c != text[at]]))
    with pytest.raises(AddressError):
        decode_address(text[:at] + other + text[at + 1 :], MAIN)


@given(st.text(max_size=100))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        key = decode_address(text, MAIN)
    except AddressError:
        return
    assert encode_address(key, MAIN) == text


@pytest.mark.parametrize("key", [NO_ADDRESS, b"", bytes([9]) + bytes(20)], ids=["none", "empty", "kind"])
def test_a_key_of_no_address_has_no_text(key: bytes) -> None:
    for use in (address_type, script_for, lambda k: encode_address(k, MAIN)):
        with pytest.raises(AddressError, match="stands for no address"):
            use(key)


@pytest.mark.parametrize(
    "text, payload",
    # BIP 173: valid test vectors.
    [("A12UEL5L", ""), ("a12uel5l", ""), ("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
      "00443214c74254b635cf84653a56d7c675be77df")],
)  # fmt: skip
def test_bech32_vectors(text: str, payload: str) -> None:
    assert bech32.decode(text) == (text.lower().rpartition("1")[0], bytes.fromhex(payload))


@pytest.mark.parametrize(
    "text, words",
    [
        ("a12UEL5L", "mixes upper and lower"),
        ("1nwldj5", "wrong or missing"),  # no human-readable part
        ("x1b4n0q5v", "wrong or missing"),  # b is no symbol
        ("li1dgmt3", "wrong or missing"),  # too short for a checksum
        ("a12uel5m", "checksum"),
    ],
)
def test_bech32_refusals(text: str, words: str) -> None:
    with pytest.raises(AddressError, match=words):
        bech32.decode(text)


def test_bech32_padding_must_be_zero() -> None:
    with pytest.raises(AddressError, match="padding"):
        bech32._octets([31, 31])
    assert bech32._octets([31, 28]) == b"\xff"
