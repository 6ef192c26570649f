"""What the rules say against an address or a signature is known to the catalogues, sentence by sentence."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from explorer.languages.phrases import Phrase
from explorer.queries.refused import MESSAGES, refusal
from indexer.chain import bech32
from indexer.chain.address import decode_address
from indexer.chain.messages import SIZE, read_signature
from indexer.chain.networks import MAIN, NETWORKS, TEST
from indexer.errors import AddressError
from tests.chain.test_address import INVALID, SHIELDED, TRANSPARENT

TEXTS = (
    "", "t" * 200, "t1", "t1abc0OIl", "KxuACDviz8Xvpn1xAh9MfopySZNuyajYMZWz16Dv2mHHryznWUp3", "Za1" + "q" * 60,
    "zA1" + "q" * 60, "za1b", "1BoatSLRHtKNngkdXEoeR76b53LETtpyT", "1BoatSLRHtKNngkdXEobR76b53LETtpyT",
)  # fmt: skip
SIGNATURES = ("no base64!", base64.b64encode(bytes(5)).decode(), base64.b64encode(bytes(SIZE)).decode())


def against(read: object, *asked: object) -> Iterator[AddressError]:
    """The error of a reader, if it has one."""
    assert callable(read)
    try:
        read(*asked)
    except AddressError as error:
        yield error


def heard() -> Iterator[AddressError]:
    """Errors of all kinds, from the daemon's vectors and from texts that are nothing."""
    vectors = [vector["address"] for vector in (*INVALID, *SHIELDED, *TRANSPARENT)]
    for text in (*TEXTS, *vectors):
        for network in (*NETWORKS.values(), TEST, MAIN):
            yield from against(decode_address, text, network)
    for signature in SIGNATURES:
        yield from against(read_signature, signature)
    yield from against(bech32.decode, "a12UEL5L")
    yield from against(bech32._octets, [31, 31])


def test_every_refusal_is_a_phrase_and_reads_the_same_in_english() -> None:
    told = [(error, refusal(error)) for error in heard()]
    assert {str(error) for error, phrase in told if not isinstance(phrase, Phrase)} == set()
    assert all(str(error) == phrase for error, phrase in told)
    assert {phrase.message for _, phrase in told if isinstance(phrase, Phrase)} == set(MESSAGES)


def test_a_refusal_that_is_not_known_is_told_as_it_is() -> None:
    assert refusal(AddressError("something new")) == "something new"
