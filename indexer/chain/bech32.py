"""Bech32, the text form of Sapling addresses: read only, to recognise them.

Source: BIP 173; ``bech32.cpp``.
"""

from __future__ import annotations

from collections.abc import Iterable

from indexer.errors import AddressError

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
CHECKSUM_SIZE = 6

_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            check ^= generator if top >> bit & 1 else 0
    return check


def _expand(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def decode(text: str) -> tuple[str, bytes]:
    """The human-readable part and the payload of a Bech32 text; AddressError says what is wrong with it."""
    if text != text.lower() and text != text.upper():
        raise AddressError("the address mixes upper and lower case")
    prefix, _, symbols = text.lower().rpartition("1")
    values = [ALPHABET.find(symbol) for symbol in symbols]
    if not prefix or len(values) < CHECKSUM_SIZE or -1 in values:
        raise AddressError("a character is wrong or missing in this shielded address")
    if _polymod(_expand(prefix) + values) != 1:
        raise AddressError("the checksum does not match: a character is wrong, missing or too many")
    return prefix, _octets(values[:-CHECKSUM_SIZE])


def _octets(values: list[int]) -> bytes:
    number = 0
    for value in values:
        number = number << 5 | value
    padding = 5 * len(values) % 8
    if padding > 4 or number & ((1 << padding) - 1):
        raise AddressError("the padding of this shielded address is not zero")
    return (number >> padding).to_bytes(5 * len(values) // 8, "big")
