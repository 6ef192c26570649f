"""A figure as SVG. The only module that imports leather, which draws axes, legend and lines.

Colours are written as tokens of the style sheet, ``var(--accent)``: inside of a page they follow its theme. A
chart that stands alone gets the colours of one theme in their place, so that it needs no style sheet either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from xml.etree.ElementTree import Element, tostring

import leather
from markupsafe import Markup

from explorer.charts.colours import colours
from explorer.charts.figure import Figure
from explorer.charts.scales import exact, round_up
from explorer.charts.shapes import FONT, Bands, Columns, Limits, element

_TOKEN: Final = re.compile(r"var\(--([a-z-]+)\)")
_NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in px, how many numbers stand beside each axis, whether those across have room for notes.

    ``told``: whether values are told under the pointer.
    """

    width: int
    height: int
    across: int
    up: int
    notes: bool = True
    told: bool = True


WIDE: Final = Size(1140, 380, 6, 6)
NARROW: Final = Size(360, 300, 2, 4, notes=False)
SMALL: Final = Size(360, 200, 2, 3, notes=False, told=False)
EMBEDDED: Final = Size(960, 420, 5, 6)
LETTERS: Final = 12  # px
MARGIN: Final = 18  # px


def inline(figure: Figure, name: str, size: Size) -> Markup:
    """A chart as an element of a page; ``name`` makes its ids unique there."""
    return Markup(written(_drawn(figure, name, size)))  # every text in it was escaped by ElementTree


def alone(figure: Figure, theme: str, size: Size = EMBEDDED) -> bytes:
    """A chart as a document of its own under its title, in the colours of a theme."""
    tokens = colours(theme)
    drawing = _drawn(figure, "chart", size, figure.title)
    drawing.set("width", str(size.width))
    drawing.set("height", str(size.height))
    drawing.insert(2, Element("rect", {"width": "100%", "height": "100%", "fill": "var(--surface)"}))
    return _TOKEN.sub(lambda token: tokens[token[1]], written(drawing)).encode()


def written(drawing: Element) -> str:
    """The text of a drawing, without characters that XML does not have."""
    return _NOT_XML.sub("\ufffd", tostring(drawing, encoding="unicode", short_empty_elements=False))


def _drawn(figure: Figure, name: str, size: Size, heading: str | None = None) -> Element:
    """The drawing with its title and description, which screen readers tell in its place."""
    drawing = Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {size.width} {size.height}", "role": "img",
        "class": "chart", "aria-labelledby": f"{name}-title {name}-summary",
    })  # fmt: skip
    element(drawing, "title", figure.title, id=f"{name}-title")
    element(drawing, "desc", figure.summary, id=f"{name}-summary")
    _style(size)
    drawing.append(_chart(figure, size, heading).to_svg_group(size.width, size.height))
    return drawing


def _style(size: Size) -> None:
    """How leather draws: it reads the settings of its module while it draws."""
    theme = leather.theme
    theme.title_color, theme.title_font_family, theme.title_font_size, theme.title_gap = "var(--ink)", FONT, 15, 12
    theme.background_color = "none"
    theme.margin = MARGIN / size.width
    theme.tick_color, theme.zero_color, theme.label_color = "var(--line)", "var(--line)", "var(--muted)"
    theme.legend_color = "var(--ink)"
    theme.tick_font_family = theme.legend_font_family = FONT
    theme.tick_font_size = theme.legend_font_size = LETTERS
    theme.tick_font_char_width = theme.legend_font_char_width = LETTERS * 0.58
    theme.legend_gap = 8


def _chart(figure: Figure, size: Size, heading: str | None) -> Any:
    def across(x: int, index: int, count: int) -> str:
        note = figure.x_note(x) if size.notes else ""
        return f"{figure.x_mark(x)} · {note}" if note else figure.x_mark(x)

    chart = leather.Chart(heading)
    for series, shape in _layers(figure, size.told):
        chart.add_series(series, shape)
    chart.set_x_scale(exact(figure.xs, size.across, figure.x_steps))
    chart.set_y_scale(round_up(figure.ys, size.up, figure.y_unit))
    chart.add_x_axis(tick_formatter=across)
    chart.add_y_axis(tick_formatter=lambda y, index, count: figure.y_mark(y))
    return chart


def _layers(figure: Figure, told: bool) -> Iterator[tuple[Any, Any]]:
    """Bands, limits, lines, columns: from the back to the front."""
    anywhere = leather.Series([(min(figure.xs, default=0), 0)])
    yield anywhere, Bands(figure.bands)
    yield anywhere, Limits(figure.limits)
    for line in figure.lines:
        if all(y is None for _, y in line.points):
            continue
        dashes = "6 4" if line.dashed else None
        yield leather.Series(list(line.points), name=line.name), leather.Line(f"var(--{line.tone})", 2, dashes)
    if told:
        yield anywhere, Columns(figure)
