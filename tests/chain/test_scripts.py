"""Texts in nulldata scripts, and what is unspendable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain.scripts import nulldata_text, unspendable
from tests import recorded


@pytest.mark.parametrize(
    "script, text",
    [
        ("6a", None),
        ("6a00", None),
        ("6a05" + b"hello".hex(), "hello"),
        ("6a4c05" + b"hello".hex(), "hello"),
        ("6a4d0500" + b"hello".hex(), "hello"),
        ("6a4e05000000" + b"hello".hex(), "hello"),
        ("6a05" + b"hello".hex() + "01" + b"!".hex(), "hello!"),
        ("6a06" + "zażó".encode().hex(), "zażó"),
        ("6a02" + "c3" + "28", None),  # no UTF-8
        ("6a03" + b"a\nb".hex(), None),  # a line break is not printable
        ("6a04" + b"a\xe2\x80\xae".hex(), None),  # nor is an override of the writing direction
        ("6a0568", None),  # cut off inside the push
        ("6a4d05", None),  # cut off inside the length
        ("6a51", None),  # pushes a number, not data
        ("76a914" + "00" * 20 + "88ac", None),
        ("", None),
    ],
)
def test_nulldata_text(script: str, text: str | None) -> None:
    assert nulldata_text(bytes.fromhex(script)) == text


@given(st.binary(max_size=100))
def test_any_script_has_a_text_or_none(script: bytes) -> None:
    text = nulldata_text(b"\x6a" + script)
    assert text is None or text.isprintable()


def test_recorded_texts() -> None:
    """The texts that the daemon shows as pushes of its nulldata scripts."""
    scripts = [
        output["scriptPubKey"]
        for entry in recorded.blocks()
        for tx in entry["block"]["tx"]
        for output in tx.get("vout", ())
        if output["scriptPubKey"]["type"] == "nulldata"
    ]
    texts = 0
    for script in scripts:
        text = nulldata_text(bytes.fromhex(script["hex"]))
        assert unspendable(bytes.fromhex(script["hex"]))
        if text is not None:
            assert script["asm"].startswith("OP_RETURN ")
            texts += 1
    assert len(scripts) == 46
    assert 0 < texts < len(scripts)


@pytest.mark.parametrize(
    "script, expected",
    [(b"\x6a", True), (b"", False), (b"\x51", False), (b"\x51" * 10_000, False), (b"\x51" * 10_001, True)],
    ids=["return", "empty", "true", "longest", "too-long"],
)
def test_unspendable(script: bytes, expected: bool) -> None:
    assert unspendable(script) is expected
