"""Axes: from numbers to places on the drawing, and which numbers are written beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STEPS: Final = (1, 2, 5, 10)
MARGIN: Final = 16  # the part of the axis at its end that is too near to the edge for a mark


def step(span: int, most: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, … of which at most ``most`` fit into ``span``; at least 1."""
    size = 1
    while size * STEPS[-1] * most < span:
        size *= STEPS[-1]
    return next(size * part for part in STEPS if size * part * most >= span)


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from ``first`` to ``last``, with a number written at each of ``marks``: what leather asks of a scale."""

    first: int
    last: int
    marks: tuple[int, ...]

    def contains(self, value: int) -> bool:
        """Whether a value lies on the axis."""
        return self.first <= value <= self.last

    def ticks(self) -> list[int]:
        """The numbers that are written beside the axis."""
        return list(self.marks)

    def project(self, value: int, start: float, end: float) -> float:
        """The place of a value between two places, to a tenth."""
        return round(float(start) + (float(end) - float(start)) * (value - self.first) / (self.last - self.first), 1)


def exact(values: tuple[int, ...], most: int, steps: tuple[int, ...] = ()) -> Scale:
    """An axis that begins and ends with the values, marked at round numbers but not where a mark would be cut off.

    ``steps`` are the distances of marks to choose from, rising; none: 1, 2, 5, 10, 20, …
    """
    first, last = min(values, default=0), max(values, default=0)
    last = max(last, first + 1)
    size = next((own for own in steps if own * most >= last - first), 0) or step(last - first, most)
    return Scale(first, last, tuple(range(-(-first // size) * size, last - (last - first) // MARGIN + 1, size)))


def round_up(values: tuple[int, ...], most: int, unit: int) -> Scale:
    """An axis from 0 (or below the least value) to the round number above all values, in whole ``unit``."""
    low, high = min(0, min(values, default=0)), max(0, max(values, default=0))
    size = step(-(-max(high - low, 1) // unit), most) * unit
    first, last = low // size * size, max(-(-high // size), 1) * size
    return Scale(first, last, tuple(range(first, last + 1, size)))
