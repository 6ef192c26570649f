"""Signed messages: signatures that the daemon took, and everything that is none."""

from __future__ import annotations

import base64
from functools import cache
from typing import Any
from urllib.parse import urlencode

import pytest
from coincurve import PrivateKey

from explorer.signatures import signer
from indexer.chain.address import encode_address
from indexer.chain.keys import P2SH
from indexer.chain.messages import key_address, message_digest, read_signature
from tests import recorded
from tests.explorer.client import Client
from tests.indexed import network
from tests.site.markup import HOSTILE, Markup

KEY = PrivateKey(bytes([7]) * 32)


@cache
def starts() -> list[tuple[str, str, bytes]]:
    """Txid, signature and public key of the recorded STARTs: the daemon checks them as signed messages."""
    return [
        (tx["txid"], tx["sig"], base64.b64decode(tx["collateral_pubkey"]))
        for block in recorded.blocks()
        for tx in block["block"]["tx"]
        if tx["version"] == 5 and tx.get("sig") and tx.get("collateral_pubkey")
    ]


def signed(message: bytes, *, compressed: bool = True) -> tuple[str, str]:
    """Address and signature of a message by a key of ours."""
    raw = KEY.sign_recoverable(message_digest(message), hasher=None)
    header = 27 + raw[64] + (4 if compressed else 0)
    address = encode_address(key_address(KEY.public_key.format(compressed=compressed)), network())
    return address, base64.b64encode(bytes([header]) + raw[:64]).decode()


def told(site: Client, address: str, signature: str, message: str) -> list[tuple[int, Any]]:
    """Status and answer of the API to the same question, asked in its three ways."""
    question = {"address": address, "signature": signature, "message": message}
    path = f"/api/v1/verify?{urlencode(question)}"
    twin = path.replace("/api/v1/verify", "/verify.json")
    answers = (site.get(path), site.get(twin), site.post("/api/v1/verify", json=question))
    return [(answer.status_code, answer.json()) for answer in answers]


def asked(site: Client, address: str, signature: str, message: str) -> tuple[int, Markup]:
    """Status and page of a question."""
    response = site.get(f"/verify?{urlencode({'address': address, 'signature': signature, 'message': message})}")
    return response.status_code, Markup(response.text)


def test_every_start_that_the_daemon_took_was_signed_by_its_key() -> None:
    assert len(starts()) > 100
    for txid, signature, key in starts():
        assert signer(read_signature(signature), txid.encode()) == key_address(key)


def test_a_signature_of_the_recorded_chain_on_the_page(site: Client) -> None:
    txid, signature, key = starts()[0]
    address = encode_address(key_address(key), network())
    status, shown = asked(site, f" {address} ", signature, txid)
    assert (status, shown.one("div", class_="good").text.startswith("Signed.")) == (200, True)
    status, shown = asked(site, address, signature, txid[:-1])
    assert (status, "Not signed by this address" in shown.one("main").text) == (200, True)


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("message", ["", "a", "ü\n" * 200, "one\r\ntwo", "x" * 9_999])
def test_messages_of_any_length_and_both_kinds_of_keys(site: Client, message: str, compressed: bool) -> None:
    address, signature = signed(message.encode(), compressed=compressed)
    status, shown = asked(site, address, signature, message.replace("\r\n", "\n").replace("\n", "\r\n"))
    assert (status, shown.one("p", class_="id").text) == (200, address)
    for code, body in told(site, address, signature, message):
        assert (code, {name: body[name] for name in body if name != "tip"}) == (
            200, {"address": address, "valid": True, "signed_by": body["signed_by"]},
        )  # fmt: skip
        assert body["signed_by"] == address or "\r" in message


def test_a_signature_is_of_its_text_only() -> None:
    address, signature = signed(b"pay me")
    compact = read_signature(signature)
    other = signer(compact, b"pay her")
    assert other is not None and encode_address(other, network()) != address
    assert signer(compact._replace(rs=bytes(64)), b"pay me") is None


ADDRESS, SIGNATURE = signed(b"m")


@pytest.mark.parametrize(
    ("address", "signature", "message", "words"),
    [
        ("x", SIGNATURE, "m", "address"),
        (encode_address(bytes([P2SH]) + bytes(20), network()), SIGNATURE, "m", "address of a script"),
        (ADDRESS, "", "m", "has 0 bytes"),
        (ADDRESS, "§§", "m", "no Base64"),
        (ADDRESS, SIGNATURE[:40], "m", "has 30 bytes"),
        (ADDRESS, base64.b64encode(bytes(65)).decode(), "m", "begins with 0"),
        (ADDRESS, SIGNATURE, "m" * 10_001, "at most 10000"),
    ],
)
def test_what_cannot_be_checked_is_refused_and_kept(
    site: Client, address: str, signature: str, message: str, words: str
) -> None:
    status, shown = asked(site, address, signature, message)
    assert status == 400
    assert words in shown.one("p", role="alert").text
    assert shown.one("input", id="address").attributes["value"] == address
    for code, body in told(site, address, signature, message):
        assert (code, body["error"]["code"]) == (400, "bad_request")
        assert words in body["error"]["message"] or not signature


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(site: Client, text: str) -> None:
    for address, signature in ((text, SIGNATURE), (ADDRESS, text), (ADDRESS, SIGNATURE)):
        _, shown = asked(site, address, signature, text)
        assert shown.problems == []
        assert len(list(shown.all("script"))) == 1 and [e for e in shown.elements if e.tag in ("img", "iframe")] == []
        assert shown.one("textarea", id="message").text == " ".join(text.split())
