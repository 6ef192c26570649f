"""Numbers in columns: as a table of a page, and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from explorer.api.json import amount_text
from explorer.pages.formats import iso

Kind = Literal["height", "time", "amount", "number", "text"]
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its name; the kind says what is in it: heights, Unix seconds, zatoshi, other numbers, or text."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns and rows; None is what is not known."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[int | str | None, ...], ...]

    def csv(self) -> str:
        """The sheet as CSV (RFC 4180): amounts in FLUX with 8 decimals, times in ISO 8601, unknown cells empty."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(_inert(column.name) for column in self.columns)
        kinds = [column.kind for column in self.columns]
        writer.writerows([_cell(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in self.rows)
        return text.getvalue()


def _cell(value: int | str | None, kind: Kind) -> str:
    return "" if value is None else WRITTEN[kind](value)


def _inert(text: str) -> str:
    """A text that no spreadsheet calculates."""
    return f"'{text}" if text.startswith(FORMULA) else text


WRITTEN: Final[Mapping[Kind, Callable[[Any], str]]] = {
    "height": str, "time": iso, "amount": amount_text, "number": str, "text": _inert,
}  # fmt: skip
