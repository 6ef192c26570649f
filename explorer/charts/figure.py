"""What a chart shows, before it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Point = tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A series by name: (x, y) in rising x, a gap where y is None; ``tone`` is a colour token of the style sheet."""

    name: str
    tone: str
    points: tuple[Point, ...]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the x axis with a name, drawn behind the lines; the last one has no end but the chart's."""

    name: str
    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """A level that the lines are measured against."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart: its title, what it shows in one sentence, and how numbers are written.

    ``x_mark`` and ``y_mark`` write them beside the axes, ``x_said`` and ``y_said`` in full; ``x_note`` adds to an
    x mark where there is room.
    """

    title: str
    summary: str
    lines: tuple[Line, ...]
    x_mark: Callable[[int], str]
    y_mark: Callable[[int], str]
    x_note: Callable[[int], str]
    x_said: Callable[[int], str]
    y_said: Callable[[int], str]
    x_steps: tuple[int, ...] = ()
    """Distances of the marks of the x axis to choose from; none: 1, 2, 5, 10, 20, …"""
    bands: tuple[Band, ...] = ()
    limits: tuple[Limit, ...] = ()
    y_unit: int = 1
    """What the steps of the y axis are counted in; zatoshi to a FLUX for amounts."""

    @property
    def xs(self) -> tuple[int, ...]:
        """Every x of any line, in rising order."""
        return tuple(sorted({x for line in self.lines for x, _ in line.points}))

    @property
    def ys(self) -> tuple[int, ...]:
        """Every y of any line, and the limits."""
        values = (y for line in self.lines for _, y in line.points if y is not None)
        return (*values, *(limit.value for limit in self.limits))
