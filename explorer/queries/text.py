"""What people write and read: addresses, tiers, hashes, heights, scripts as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

from explorer.errors import BadRequest, bad_request
from explorer.languages.phrases import Phrase
from explorer.queries.units import TIERS, FundName, ScriptType, Tier
from indexer.chain.address import decode_address, encode_address
from indexer.chain.keys import NO_ADDRESS, parse_hash
from indexer.chain.params import Network
from indexer.chain.payouts import FUND_NAMES
from indexer.errors import AddressError
from indexer.parse.columns import FORM_TYPES

_HEIGHT = re.compile(r"\d{1,15}\Z", re.ASCII)
_HASH = re.compile(r"[0-9a-fA-F]{64}\Z")


def address_text(key: bytes, network: Network) -> str | None:
    """An address key as text; None for NO_ADDRESS."""
    return None if key == NO_ADDRESS else encode_address(key, network)


def address_key(text: str, network: Network) -> bytes:
    """The key of an address; BadRequest says what is wrong with it."""
    try:
        return decode_address(text, network)
    except AddressError as error:
        raise bad_request(error) from error


def tier_name(tier: int) -> Tier:
    """The name of a tier, 1 to 3."""
    return TIERS[tier - 1]


def fund_name(code: int) -> FundName:
    """The name of a fund by its code in ``payouts``."""
    return cast(FundName, FUND_NAMES[code])


def script_type(form: int) -> ScriptType:
    """The daemon's word for a form of output script."""
    return cast(ScriptType, FORM_TYPES[form])


def parse_height(text: str) -> int:
    """A height; BadRequest unless it is a whole number."""
    if _HEIGHT.match(text) is None:
        raise BadRequest(Phrase("%(text)s is no height: expected a whole number such as 2020000", text=repr(text[:80])))
    return int(text)


def parse_txid(text: str) -> bytes:
    """The wire bytes of a txid or block hash; BadRequest unless it has 64 hex digits."""
    if _HASH.match(text) is None:
        raise BadRequest(Phrase("%(text)s is no hash or txid: expected 64 hex digits", text=repr(text[:80])))
    return parse_hash(text)


def parse_block_reference(text: str) -> int | bytes:
    """A height, or the wire bytes of a block hash."""
    if _HASH.match(text):
        return parse_hash(text)
    if _HEIGHT.match(text):
        return int(text)
    raise BadRequest(Phrase("%(text)s is no block: expected a height or a hash of 64 hex digits", text=repr(text[:80])))


def script_text(script: bytes) -> str | None:
    """The concatenated pushes of a nulldata script when they are printable UTF-8, else None."""
    try:
        text = pushed(script).decode("utf-8")
    except ValueError:
        return None
    return text if text and text.isprintable() else None


def pushed(script: bytes) -> bytes:
    """The concatenated pushes of a nulldata script; ValueError when something else follows its first opcode."""
    return b"".join(_pushes(script[1:]))


def _pushes(script: bytes) -> Iterator[bytes]:
    """What a script pushes; ValueError at the first opcode that pushes nothing or too much."""
    at = 0
    while at < len(script):
        opcode = script[at]
        width = {0x4C: 1, 0x4D: 2, 0x4E: 4}.get(opcode, 0)
        if opcode > 0x4B and not width:
            raise ValueError("not a push")
        size = int.from_bytes(script[at + 1 : at + 1 + width], "little") if width else opcode
        at += 1 + width
        if at + size > len(script):
            raise ValueError("push beyond the end")
        yield script[at : at + size]
        at += size
