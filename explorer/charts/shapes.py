"""What a chart shows besides lines: bands behind them, limits, and what is said under the pointer.

Each is what leather asks of a shape: it says whether it can show a series, draws it, and draws its legend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element, SubElement

from explorer.charts.figure import Band, Figure, Limit
from explorer.charts.scales import Scale

FONT: Final = "ui-sans-serif, -apple-system, BlinkMacSystemFont, 'Segoe UI', Roboto, Arial, sans-serif"
SMALL: Final = 11  # px
CHARACTER: Final = 6.2  # mean width of a character of SMALL
COLUMNS: Final = 80  # stretches of the x axis that tell their values


def element(parent: Element, tag: str, text: str = "", **attributes: object) -> Element:
    """A new element; an underscore in the name of an attribute stands for a hyphen."""
    made = SubElement(parent, tag, {name.replace("_", "-"): str(value) for name, value in attributes.items()})
    made.text = text or None
    return made


class Unlisted:
    """A shape that fits any series and is not in the legend."""

    def validate_series(self, series: Any) -> None:
        """Nothing is asked of the series."""

    def legend_to_svg(self, series: Any, palette: Any) -> list[tuple[Element, float]]:
        """No entry."""
        return []


@dataclass(frozen=True, slots=True)
class Bands(Unlisted):
    """Stretches of the x axis, every other one shaded, each with its name at the top where there is room."""

    bands: tuple[Band, ...]

    def to_svg(self, width: float, height: float, x_scale: Scale, y_scale: Scale, *_: object) -> Element:
        """The bands behind the lines."""
        group = Element("g", {"class": "bands"})
        for n, band in enumerate(self.bands):
            left, right = self._sides(band, x_scale, width)
            if right <= left:
                continue
            shade = element(
                group, "rect", x=left, y=0, width=round(right - left, 1), height=round(height, 1),
                fill="var(--muted)", fill_opacity=0.09 if n % 2 == 0 else 0.03,
            )  # fmt: skip
            element(shade, "title", band.name)
            self._name(group, band, left, right, n)
        return group

    def _sides(self, band: Band, scale: Scale, width: float) -> tuple[float, float]:
        end = scale.last if band.last is None else min(band.last, scale.last)
        return scale.project(max(band.first, scale.first), 0, width), scale.project(end, 0, width)

    def _name(self, group: Element, band: Band, left: float, right: float, n: int) -> None:
        if len(band.name) * CHARACTER + 8 <= right - left:
            element(
                group, "text", band.name, x=round((left + right) / 2, 1), y=14, fill="var(--muted)",
                font_size=SMALL, font_family=FONT, text_anchor="middle",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits(Unlisted):
    """Levels as dashed lines with their names above them, from the left."""

    limits: tuple[Limit, ...]

    def to_svg(self, width: float, height: float, x_scale: Scale, y_scale: Scale, *_: object) -> Element:
        """The levels in front of the bands."""
        group = Element("g", {"class": "limits"})
        for limit in self.limits:
            y = y_scale.project(limit.value, height, 0)
            element(
                group, "line", x1=0, x2=round(width, 1), y1=y, y2=y, stroke="var(--poor)", stroke_dasharray="2 4"
            )
            element(
                group, "text", limit.name, x=6, y=round(y - 5, 1), fill="var(--poor)", font_size=SMALL, font_family=FONT
            )
        return group


@dataclass(frozen=True, slots=True)
class Columns(Unlisted):
    """Invisible columns around the points, that tell the values under the pointer without a script."""

    figure: Figure

    def to_svg(self, width: float, height: float, x_scale: Scale, y_scale: Scale, *_: object) -> Element:
        """The columns in front of everything."""
        group = Element("g", {"class": "columns"})
        lines = [(line.name, dict(line.points)) for line in self.figure.lines]
        for left, x, right in spans(self.figure.xs):
            edges = [x_scale.project(edge, 0, width) for edge in (left, right)]
            column = element(
                group, "rect", x=edges[0], y=0, width=round(edges[1] - edges[0], 1), height=round(height, 1),
                fill="transparent",
            )  # fmt: skip
            element(column, "title", "\n".join(self._said(x, lines)))
        return group

    def _said(self, x: int, lines: Iterable[tuple[str, Mapping[int, int | None]]]) -> Iterator[str]:
        yield self.figure.x_said(x)
        for name, points in lines:
            if (y := points.get(x)) is not None:
                yield f"{name}: {self.figure.y_said(y)}"


def spans(xs: Iterable[int]) -> Iterator[tuple[int, int, int]]:
    """Around at most ``COLUMNS`` of the points: where the point's column begins, the point, where it ends."""
    chosen = list(xs)
    chosen = chosen[:: -(-len(chosen) // COLUMNS) or 1]
    middles = [(a + b) // 2 for a, b in zip(chosen, chosen[1:], strict=False)]
    yield from zip([*chosen[:1], *middles], chosen, [*middles, *chosen[-1:]], strict=True)
