"""Texts in the language of the request. The source is English; what has no translation stays English.

A message is a whole sentence with named places: ``_("paid in block %(height)s", height=group(height))``. One that is
called with values is formatted, one without is taken as it is. Texts of a module are marked with ``N_`` and translated
when they are shown, because a module has no request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Final, Generic, TypeVar

from explorer.languages.catalogue import CATALOGUES, ENGLISH

K = TypeVar("K")
V = TypeVar("V")

_CURRENT: Final[ContextVar[str]] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """The code of the language that texts are in now."""
    return _CURRENT.get()


def speak(code: str) -> None:
    """Let the texts of this request, with its tasks and threads, be in a language."""
    _CURRENT.set(code)


def N_(message: str) -> str:
    """Mark a text for the catalogues; ``_`` translates it when it is shown."""
    return message


def _(message: str, /, **values: object) -> str:
    """A text in the language of the request, its places filled."""
    text = CATALOGUES[_CURRENT.get()].gettext(message)
    return text % values if values else text


def pgettext(context: str, message: str, /, **values: object) -> str:
    """A text that means different things in different places, by a word for the place."""
    text = CATALOGUES[_CURRENT.get()].pgettext(context, message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The form of a text for a number; ``%(num)s`` is the number, its thousands grouped."""
    text = CATALOGUES[_CURRENT.get()].ngettext(one, many, number)
    return text % {"num": f"{number:,}", **values}


class Told(Mapping[K, V], Generic[K, V]):
    """A table that is kept in English, and the function that says one of its values in the reader's language."""

    def __init__(self, marked: Mapping[K, V], say: Callable[[V], V]) -> None:
        self._marked, self._say = marked, say

    def __getitem__(self, key: K) -> V:
        """The words for a key; KeyError for one that is not in the table."""
        return self._say(self._marked[key])

    def __iter__(self) -> Iterator[K]:
        return iter(self._marked)

    def __len__(self) -> int:
        return len(self._marked)


class Marked(Told[K, str]):
    """A table of texts that were marked with ``N_``: whoever reads it gets them in the language of the request."""

    def __init__(self, messages: Mapping[K, str]) -> None:
        super().__init__(messages, _)
