"""Numbers of strangers: what is no amount is refused with a word on what it was.

Amounts come in units of the token, with its decimals, and leave in zatoshi (8 decimals), rounded down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from indexer.errors import Garbled

COIN_DECIMALS: Final = 8
LIMIT: Final = 1 << 63  # what 64 bits with a sign hold
LONGEST: Final = 100  # characters shown of an answer
LONGEST_DIGITS: Final = 78  # of 2^256
LARGEST_EXPONENT: Final = 30


def whole(value: Any, what: str) -> int:
    """A whole number that is not negative, given as JSON number; Garbled says what else ``what`` is."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Garbled(f"{what} is {shown(value)}: a whole number is expected")
    return value


def digits(value: Any, what: str) -> int:
    """A whole number given as text of digits."""
    if not isinstance(value, str) or not (value.isascii() and value.isdigit()) or len(value) > LONGEST_DIGITS:
        raise Garbled(f"{what} is {shown(value)}: digits in a text are expected")
    return int(value)


def hex_digits(value: Any, what: str) -> int:
    """A whole number given as text of hex digits with 0x, as Ethereum's JSON-RPC writes quantities."""
    if not isinstance(value, str) or not value.startswith("0x") or not 2 < len(value) <= 66:
        raise Garbled(f"{what} is {shown(value)}: hex digits with 0x are expected")
    return word(value[2:], what)


def word(value: Any, what: str) -> int:
    """A number given as text of up to 64 hex digits."""
    if not isinstance(value, str) or not 0 < len(value) <= 64 or not set(value) <= set("0123456789abcdefABCDEF"):
        raise Garbled(f"{what} is {shown(value)}: up to 64 hex digits are expected")
    return int(value, 16)


def decimal(value: Any, what: str) -> Decimal:
    """A number of coins as Pact gives it: a JSON number, or ``{"decimal": "…"}``, or ``{"int": …}``."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((form, given),) = value.items()
        value = Decimal(digits(given, what)) if form == "int" and isinstance(given, str) else given
        if form == "decimal" and isinstance(given, str):
            value = _decimal_text(given, what)
        elif form not in ("decimal", "int"):
            value = None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Garbled(f"{what} is {shown(value)}: a number is expected")
    number = Decimal(value)
    if not number.is_finite() or number < 0 or number.adjusted() > LARGEST_EXPONENT:
        raise Garbled(f"{what} is {shown(number)}: a number of coins is expected")
    return number


def _decimal_text(text: str, what: str) -> Decimal:
    whole_part, _, fraction = text.partition(".")
    if len(text) > LONGEST_DIGITS or not (whole_part + fraction).isdigit() or not text.isascii():
        raise Garbled(f"{what} is {shown(text)}: a number is expected")
    return Decimal(text)


def zatoshi(units: int, decimals: int, what: str) -> int:
    """Units of a token with ``decimals`` in zatoshi, rounded down; Garbled above what 64 bits hold."""
    shift = COIN_DECIMALS - decimals
    scale: int = 10 ** abs(shift)
    amount = units * scale if shift >= 0 else units // scale
    if amount >= LIMIT:
        raise Garbled(f"{what} is {shown(units)}: more than can be")
    return amount


def coins(number: Decimal, what: str) -> int:
    """A number of coins in zatoshi, rounded down."""
    return zatoshi(int(number.scaleb(COIN_DECIMALS)), COIN_DECIMALS, what)


def require_decimals(found: int, expected: int) -> None:
    """Refuse a token with other decimals than the settings say: every amount would be off by a power of ten."""
    if found != expected:
        raise Garbled(f"the token has {found} decimals, the settings say {expected}")


def require_backed(minted: int, held: Sequence[int]) -> None:
    """Refuse holdings of more than was minted."""
    if sum(held) > minted:
        raise Garbled(f"the issuer holds {sum(held)} zatoshi of {minted} minted: more than there are")


def shown(value: Any) -> str:
    """The beginning of a value of an answer, for a message."""
    text = repr(value) if not isinstance(value, Decimal | int) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def field(value: Any, *path: str) -> Any:
    """What stands under a path of names in a JSON answer; Garbled when there is no such thing."""
    for depth, name in enumerate(path):
        if not isinstance(value, Mapping) or name not in value:
            raise Garbled(f"the answer has no {'.'.join(path[: depth + 1])}")
        value = value[name]
    return value
