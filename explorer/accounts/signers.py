"""Who may sign in: the addresses of keys, those of this network and ZelIDs (Bitcoin's, which begin with 1)."""

from __future__ import annotations

from typing import Final, NamedTuple

from explorer.errors import BadRequest, bad_request
from explorer.languages.phrases import Phrase
from explorer.signatures import signer
from indexer.chain.address import address_type, decode_address
from indexer.chain.messages import BITCOIN_MAGIC, MAGIC, read_signature, zelid_key
from indexer.chain.params import Network
from indexer.errors import AddressError

LONGEST_SIGNATURE: Final = 200  # characters; 88 without spaces


class Signer(NamedTuple):
    """An address that can sign: its key (21 bytes), and what its wallets begin a message with."""

    key: bytes
    magic: bytes


def read_signer(text: str, network: Network) -> Signer:
    """Who signs with an address; BadRequest says why it cannot be one."""
    try:
        zelid = zelid_key(text)
        if zelid is not None:
            return Signer(zelid, BITCOIN_MAGIC)
        key = decode_address(text, network)
    except AddressError as error:
        raise bad_request(error) from error
    if address_type(key) != "p2pkh":
        raise BadRequest(
            Phrase("this is an address of a script: only a key can sign, so sign in with the address of a key")
        )
    return Signer(key, MAGIC)


def has_signed(network: Network, address: str, signature: str, message: str) -> bool:
    """Whether the key of an address signed a message; BadRequest when the signature is none."""
    known = read_signer(address, network)
    if len(signature) > LONGEST_SIGNATURE:
        raise BadRequest(Phrase("the signature has %(number)s characters: one in Base64 has 88", number=len(signature)))
    try:
        compact = read_signature(signature)
    except AddressError as error:
        raise bad_request(error) from error
    return signer(compact, message.encode(), known.magic) == known.key
