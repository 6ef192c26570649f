"""Texts that an answer holds in English, for programs, and that a page says in the language of its reader."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from explorer.languages.texts import _


class Phrase(str):
    """A text in English that knows the message and the values that it is made of.

    It is for answers that are JSON as well as a page, and are kept from request to request: the text itself never
    changes with the language. ``Phrase("…")`` marks its message for the catalogues.
    """

    message: str
    values: Mapping[str, object]

    def __new__(cls, message: str, /, **values: object) -> Self:
        """The English text; a value may be a phrase itself."""
        phrase = super().__new__(cls, message % values if values else message)
        phrase.message, phrase.values = message, values
        return phrase


def said(text: str) -> str:
    """A phrase in the language of the request; any other text as it is."""
    if not isinstance(text, Phrase):
        return text
    return _(text.message, **{name: _told(value) for name, value in text.values.items()})


def _told(value: object) -> object:
    return said(value) if isinstance(value, str) else value
