"""What a card shows, before it is written as a page or drawn as an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A subject in few words: what it is, its name or number, a hash or address, and some facts.

    ``path`` is its page, ``tone`` a colour token of the style sheet.
    """

    kind: str
    title: str
    path: str
    facts: tuple[tuple[str, str], ...]
    mark: str = ""
    tone: str = "accent"


@dataclass(frozen=True, slots=True)
class Badge:
    """A fact in a line: its name, its value, and a colour token of the style sheet."""

    name: str
    value: str
    tone: str = "accent"
