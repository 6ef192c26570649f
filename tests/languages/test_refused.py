"""What the rules say against an address or a signature: sentences of the catalogues, with values of their own."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from babel.messages.catalog import Catalog

from explorer.errors import bad_request
from explorer.languages.phrases import Phrase
from indexer.chain import bech32
from indexer.chain.address import address_type, decode_address
from indexer.chain.keys import NO_ADDRESS
from indexer.chain.messages import SIZE, read_signature
from indexer.chain.networks import MAIN, NETWORKS, TEST
from indexer.errors import AddressError
from tests.chain.test_address import INVALID, SHIELDED, TRANSPARENT

TEXTS = (
    "", "t" * 200, "t1", "t1abc0OIl", "KxuACDviz8Xvpn1xAh9MfopySZNuyajYMZWz16Dv2mHHryznWUp3", "Za1" + "q" * 60,
    "zA1" + "q" * 60, "za1b", "1BoatSLRHtKNngkdXEoeR76b53LETtpyT", "1BoatSLRHtKNngkdXEobR76b53LETtpyT", "100% zl1",
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
    yield from against(address_type, NO_ADDRESS)
    yield from against(bech32.decode, "a12UEL5L")
    yield from against(bech32._octets, [31, 31])


def test_every_sentence_of_the_rules_is_in_the_catalogues_and_no_other(source: Catalog) -> None:
    places = ((message.id, path) for message in source for path, _ in message.locations)
    assert {error.message for error in heard()} == {id for id, path in places if path.startswith("indexer/chain/")}


def test_a_refusal_reads_the_same_in_english_and_knows_its_sentence() -> None:
    for error in heard():
        phrase = bad_request(error).message
        assert isinstance(phrase, Phrase) and phrase == str(error) and "%(" not in phrase
        assert phrase.message == error.message and phrase.values == error.values
