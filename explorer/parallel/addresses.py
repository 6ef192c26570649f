"""Whether a text is an address of a parallel chain: a wrong character would count the issuer's coins as circulating.

Checksums are checked where the chain's own text form has one that needs no Keccak.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Final

from indexer.chain import base58
from indexer.errors import AddressError

TRON_PREFIX: Final = 0x41
_EVM: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_KADENA: Final = re.compile(r'[^\s"\\]{3,256}')
_KADENA_MODULE: Final = re.compile(r"[A-Za-z][\w.-]*")
_HEX_32: Final = re.compile(r"[0-9a-f]{64}")
_ASSET: Final = re.compile(r"[1-9][0-9]{0,19}")


def tron_bytes(text: str) -> bytes:
    """The 20 bytes of a Tron address ``T…``; AddressError when the text is none."""
    if len(text) > base58.LONGEST_TEXT:
        raise AddressError(f"no address has {len(text)} characters")
    payload = base58.decode(text)
    if len(payload) != 21 or payload[0] != TRON_PREFIX:
        raise AddressError("no Tron address: 21 bytes beginning with 41 are expected")
    return payload[1:]


def _evm(text: str) -> None:
    _expect(_EVM.fullmatch(text), "0x and 40 hex digits")


def _tron(text: str) -> None:
    tron_bytes(text)


def _solana(text: str) -> None:
    _expect(len(text) <= 44 and len(_base58(text)) == 32, "the Base58 text of 32 bytes")


def _kadena(text: str) -> None:
    _expect(_KADENA.fullmatch(text), "the name of an account, without spaces and quotes")


def _kadena_module(text: str) -> None:
    _expect(_KADENA_MODULE.fullmatch(text), "the name of a module, such as runonflux.flux")


def _ergo(text: str) -> None:
    raw = _base58(text) if len(text) <= base58.LONGEST_TEXT else b""
    _expect(len(raw) > 4 and hashlib.blake2b(raw[:-4], digest_size=32).digest()[:4] == raw[-4:], "an Ergo address")


def _ergo_token(text: str) -> None:
    _expect(_HEX_32.fullmatch(text), "a token id of 64 hex digits")


def _algorand(text: str) -> None:
    try:
        raw = base64.b32decode(text + "======")
    except (binascii.Error, ValueError):
        raw = b""
    whole = base64.b32encode(raw).decode().rstrip("=") == text  # or the last character has bits too many
    digest = hashlib.new("sha512_256", raw[:32]).digest()
    _expect(whole and len(raw) == 36 and digest[-4:] == raw[32:], "an Algorand address")


def _algorand_asset(text: str) -> None:
    _expect(_ASSET.fullmatch(text), "the number of an asset")


def _expect(good: object, form: str) -> None:
    if not good:
        raise AddressError(f"{form} is expected")


def _base58(text: str) -> bytes:
    number = 0
    for character in text:
        value = base58.ALPHABET.find(character)
        if value < 0:
            raise AddressError(f"{character!r} is no character of an address")
        number = number * 58 + value
    zeros = len(text) - len(text.lstrip(base58.ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


CHECK_CONTRACT: Final[Mapping[str, Callable[[str], None]]] = {
    "evm": _evm,
    "tron": _tron,
    "solana": _solana,
    "kadena": _kadena_module,
    "ergo": _ergo_token,
    "algorand": _algorand_asset,
}
CHECK_ADDRESS: Final[Mapping[str, Callable[[str], None]]] = {
    "evm": _evm,
    "tron": _tron,
    "solana": _solana,
    "kadena": _kadena,
    "ergo": _ergo,
    "algorand": _algorand,
}
