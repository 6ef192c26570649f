"""What the rules of the chain say against a text that is no address or signature, as phrases of ours.

The rules speak English and know no pages (``indexer/chain``). Each of their sentences is here once more, for the
catalogues; one that is not is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from explorer.languages import N_
from explorer.languages.phrases import Phrase
from indexer.errors import AddressError

MESSAGES: Final = (
    N_("the address is empty"),
    N_("no address has %(number)s characters"),
    N_("%(number)s characters are too few for an address"),
    N_("%(character)s at position %(position)s is no character of an address"),
    N_("the checksum does not match: a character is wrong, missing or too many"),
    N_("this is a private key, not an address: whoever has seen it can spend its coins"),
    N_(
        "no Flux address begins with the version bytes %(version)s; those of %(network)s look like %(first)s and "
        "%(second)s"
    ),
    N_(
        "this is a shielded (%(pool)s) address: what it holds and does is private, and no explorer can show it"
    ),
    N_(
        "this is a shielded (%(pool)s) address of %(owner)s, not of %(network)s: what it holds and does is private, "
        "and no explorer can show it"
    ),
    N_("this is a shielded address of %(owner)s, not of Flux"),
    N_("this is an address of %(owner)s, not of %(network)s"),
    N_("a Sapling address has a payload of %(size)s bytes, this one of %(number)s"),
    N_("the address mixes upper and lower case"),
    N_("a character is wrong or missing in this shielded address"),
    N_("the padding of this shielded address is not zero"),
    N_("the signature is no Base64: copy it whole, it ends with ="),
    N_("the signature has %(number)s bytes: a signature of a message has %(size)s"),
    N_("the signature begins with %(number)s: expected %(first)s to %(last)s"),
)
_PLACE: Final = re.compile(r"%\((\w+)\)s")


def refusal(error: AddressError) -> str:
    """What the error says, as a phrase."""
    text = str(error)
    for message, pattern in _patterns():
        if (found := pattern.fullmatch(text)) is not None:
            return Phrase(message, **found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((message, re.compile("".join(_pieces(message)), re.DOTALL)) for message in MESSAGES)


def _pieces(message: str) -> Iterator[str]:
    """A message as the pattern of what is made of it: its places stand for any text."""
    for n, piece in enumerate(_PLACE.split(message)):
        yield f"(?P<{piece}>.+?)" if n % 2 else re.escape(piece)
