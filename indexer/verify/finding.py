"""What verify finds, and what it says of a check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KEPT = 100  # findings kept of a check; the others are counted


@dataclass(frozen=True, slots=True)
class Finding:
    """A stored value that disagrees with others: where it is, what was expected, what was found.

    ``height`` is the block it belongs to, None when no block is known.
    """

    collection: str
    id: str
    what: str
    expected: Any
    found: Any
    height: int | None = None

    def __str__(self) -> str:
        return f"{self.collection} {self.id}: {self.what} is {_text(self.found)}, expected {_text(self.expected)}"


def _text(value: Any) -> str:
    if value is None:
        return "missing"
    return bytes(value).hex() if isinstance(value, bytes | bytearray) else str(value)


@dataclass(slots=True)
class Findings:
    """The findings of one check, the first ones kept, all counted."""

    kept: list[Finding] = field(default_factory=list)
    count: int = 0

    def add(self, finding: Finding) -> None:
        """Note a finding."""
        self.count += 1
        if len(self.kept) < KEPT:
            self.kept.append(finding)

    def compare(
        self, collection: str, id: object, expected: dict[str, Any], found: dict[str, Any], height: int | None = None
    ) -> None:
        """Note every name whose two values differ."""
        for name, value in expected.items():
            if found.get(name) != value:
                self.add(Finding(collection, str(id), name, value, found.get(name), height))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.kept)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict of one check: true for the block ``height`` with ``hash`` (wire order)."""

    name: str
    checked: str  # how much was looked at, in words
    height: int
    hash: bytes
    seconds: float
    findings: tuple[Finding, ...]
    count: int  # of findings, also those not kept

    @property
    def good(self) -> bool:
        """Whether nothing was found."""
        return self.count == 0
