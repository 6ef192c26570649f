"""Parameters of Blockbook's questions, read from a query string or from the ``params`` of a message.

Like the original, what is not understood as a page is the first page; everything else is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from explorer.api.blockbook.accounts import DETAILS, MOST_ON_PAGE, Details, Wanted
from explorer.errors import BadRequest

HIGHEST: Final = 1 << 53
DIGITS: Final = 16

Given = Mapping[str, Any]


def whole(given: Given, name: str) -> int | None:
    """A whole number, also as text; None when it is not given."""
    value = given.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= DIGITS:
        value = int(value)
    if type(value) is not int or not 0 <= value < HIGHEST:
        raise BadRequest(f"{name}: expected a whole number")
    return value


def text(given: Given, name: str) -> str:
    """A text that must be given."""
    value = given.get(name)
    if not isinstance(value, str) or not value:
        raise BadRequest(f"{name}: expected a text")
    return value


def flag(given: Given, name: str) -> bool:
    """Whether something is switched on."""
    return given.get(name) in (True, "true", "1")


def page_of(given: Given) -> int:
    """The number of the page, from 1."""
    return max(1, whole(given, "page") or 1)


def size_of(given: Given, default: int) -> int:
    """How many items a page has, at most 1000."""
    return min(whole(given, "pageSize") or default, MOST_ON_PAGE)


def wanted_of(given: Given, details: Details, size: int) -> Wanted:
    """What is wanted of an address; ``details`` and ``size`` are those of who does not say."""
    named = given.get("details") or details
    if named not in DETAILS:
        raise BadRequest(f"details is {str(named)[:20]!r}: expected one of {', '.join(DETAILS)}")
    first, last = whole(given, "from") or 0, whole(given, "to") or None
    return Wanted(named, page_of(given), size_of(given, size), first, last)
