"""Base58 with a four-byte checksum: the text form of transparent and Sprout addresses.

Source: ``base58.cpp:EncodeBase58Check, DecodeBase58Check``.
"""

from __future__ import annotations

from indexer.chain.hashes import sha256d
from indexer.errors import AddressError

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
CHECKSUM_SIZE = 4
LONGEST_TEXT = 128  # a Sprout address has 95 characters

_PAIRS = tuple(a + b for a in ALPHABET for b in ALPHABET)  # two digits a division: lists show many addresses
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def encode(payload: bytes) -> str:
    """The Base58Check text of version bytes and payload."""
    return plain(payload + sha256d(payload)[:CHECKSUM_SIZE])


def plain(raw: bytes) -> str:
    """The Base58 text of bytes, nothing added: other chains have other checksums, or none."""
    number, pairs = int.from_bytes(raw, "big"), []
    while number:
        number, value = divmod(number, len(_PAIRS))
        pairs.append(_PAIRS[value])
    text = "".join(reversed(pairs)).lstrip(ALPHABET[0])
    return ALPHABET[0] * (len(raw) - len(raw.lstrip(b"\0"))) + text


def decode(text: str) -> bytes:
    """Version bytes and payload of a Base58Check text; AddressError says what is wrong with it.

    Takes time quadratic in the length: the caller bounds it with LONGEST_TEXT.
    """
    if not text:
        raise AddressError("the address is empty")
    for position, character in enumerate(text, 1):
        if character not in _VALUES:
            raise AddressError(
                "%(character)s at position %(position)s is no character of an address",
                character=repr(character), position=position,
            )  # fmt: skip
    raw = _number(text)
    payload, checksum = raw[:-CHECKSUM_SIZE], raw[-CHECKSUM_SIZE:]
    if len(raw) <= CHECKSUM_SIZE:
        raise AddressError("%(number)s characters are too few for an address", number=len(text))
    if sha256d(payload)[:CHECKSUM_SIZE] != checksum:
        raise AddressError("the checksum does not match: a character is wrong, missing or too many")
    return payload


def numbers_beginning_with(text: str, length: int) -> range:
    """The numbers whose Base58 texts have ``length`` characters and begin with ``text``; none when none do."""
    if not 0 < len(text) <= length or any(character not in _VALUES for character in text):
        return range(0)
    first, last = (int.from_bytes(_number(text.ljust(length, fill)), "big") for fill in (ALPHABET[0], ALPHABET[-1]))
    return range(first, last + 1)


def _number(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _VALUES[character]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
