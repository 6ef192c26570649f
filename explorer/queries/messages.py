"""Whether the key of an address signed a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from explorer.errors import BadRequest, bad_request
from explorer.languages.phrases import Phrase
from explorer.queries.text import address_key
from explorer.queries.units import Address
from explorer.signatures import signer
from indexer.chain.address import address_type, encode_address
from indexer.chain.messages import read_signature
from indexer.chain.params import Network
from indexer.errors import AddressError

LONGEST: Final = 10_000  # characters of a message


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the key of ``address`` signed; ``signed_by`` is the address of the key that did, None for nobody's."""

    address: Address
    valid: bool
    signed_by: Address | None


def verdict(network: Network, address: str, signature: str, message: str) -> Verdict:
    """Check a message; BadRequest when address or signature are none.

    Browsers send the lines of a form with CRLF: both that and LF are tried, for the signed text had one of them.
    """
    key = address_key(address, network)
    if address_type(key) != "p2pkh":
        raise BadRequest(
            Phrase("this is an address of a script: only a key can sign a message, so ask for that of a key")
        )
    try:
        compact = read_signature(signature)
    except AddressError as error:
        raise bad_request(error) from error
    if len(message) > LONGEST:
        raise BadRequest(Phrase(
            "the message has %(number)s characters: at most %(most)s are checked",
            number=len(message), most=LONGEST,
        ))  # fmt: skip
    unix = message.replace("\r\n", "\n")
    signers = [signer(compact, text.encode("utf-8", "replace")) for text in (unix, unix.replace("\n", "\r\n"))]
    found = signers[0]
    return Verdict(address, key in signers, None if found is None else encode_address(found, network))
