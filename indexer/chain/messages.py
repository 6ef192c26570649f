"""Messages signed with the key of an address: what is hashed, and how the signature is written.

Source: ``rpc/misc.cpp:verifymessage``, ``main.cpp:strMessageMagic``, ``pubkey.cpp:CPubKey::RecoverCompact``.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, NamedTuple

from indexer.chain import base58
from indexer.chain.hashes import hash160, sha256d
from indexer.chain.keys import P2PKH
from indexer.errors import AddressError

MAGIC: Final = b"Zelcash Signed Message:\n"
BITCOIN_MAGIC: Final = b"Bitcoin Signed Message:\n"
"""What Bitcoin's wallets begin with, and with them whoever signs as a ZelID: ``util/message.cpp:MESSAGE_MAGIC``."""
ZELID_PREFIX: Final = b"\0"  # a ZelID is an address of Bitcoin's main net: chainparams.cpp:PUBKEY_ADDRESS
ZELID_SIZE: Final = 21
SIZE: Final = 65  # header, r and s
FIRST_HEADER: Final = 27
COMPRESSED_HEADER: Final = 31  # headers from here on up to 34 tell that the address is that of the compressed key
LAST_HEADER: Final = 34


class CompactSignature(NamedTuple):
    """A signature from which the key can be recovered: which of the four candidates, and r and s in 64 bytes."""

    candidate: int
    compressed: bool
    rs: bytes


def message_digest(message: bytes, magic: bytes = MAGIC) -> bytes:
    """The 32 bytes that are signed for a message: SHA-256 twice over magic and message, each after its length."""
    return sha256d(_sized(magic) + _sized(message))


def zelid_key(text: str) -> bytes | None:
    """The address key behind a ZelID (a Bitcoin address that begins with 1); None when the text is none."""
    if not text.startswith("1") or len(text) > base58.LONGEST_TEXT:
        return None
    payload = base58.decode(text)
    is_zelid = len(payload) == ZELID_SIZE and payload.startswith(ZELID_PREFIX)
    return bytes([P2PKH]) + payload[1:] if is_zelid else None


def read_signature(text: str) -> CompactSignature:
    """The signature in a Base64 text; AddressError says why it is none."""
    try:
        raw = base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        raise AddressError("the signature is no Base64: copy it whole, it ends with =") from None
    if len(raw) != SIZE:
        raise AddressError(
            "the signature has %(number)s bytes: a signature of a message has %(size)s", number=len(raw), size=SIZE
        )
    if not FIRST_HEADER <= raw[0] <= LAST_HEADER:
        raise AddressError(
            "the signature begins with %(number)s: expected %(first)s to %(last)s",
            number=raw[0], first=FIRST_HEADER, last=LAST_HEADER,
        )  # fmt: skip
    return CompactSignature((raw[0] - FIRST_HEADER) & 3, raw[0] >= COMPRESSED_HEADER, raw[1:])


def key_address(public_key: bytes) -> bytes:
    """The address key of a public key as it is serialized."""
    return bytes([P2PKH]) + hash160(public_key)


def _sized(text: bytes) -> bytes:
    """A text after its length as CompactSize (``serialize.h:WriteCompactSize``)."""
    size = len(text)
    if size < 0xFD:
        return bytes([size]) + text
    if size < 1 << 16:
        return b"\xfd" + size.to_bytes(2, "little") + text
    return b"\xfe" + size.to_bytes(4, "little") + text
