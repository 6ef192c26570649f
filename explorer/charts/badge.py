"""A badge as SVG: a name and a value side by side, in the colours of a theme."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from explorer.charts.card import Badge
from explorer.charts.colours import colours
from explorer.charts.drawing import written
from explorer.charts.shapes import FONT, element

HEIGHT: Final = 24  # px
LETTERS: Final = 12  # px
WIDTHS: Final = {"narrow": ("ijlI.,:;'|! ", 3.6), "wide": ("mwMW%", 10.2)}
MEAN: Final = 7.0  # px, of the other characters
PADDING: Final = 9  # px, on either side of a text
SOFT: Final = frozenset(("accent", "good", "fair", "poor", "cumulus", "nimbus", "stratus"))


def badge_svg(badge: Badge, theme: str) -> bytes:
    """The badge as a document that needs nothing else; readers are told both texts."""
    paint = colours(theme)
    left, right = (round(_width(text)) + 2 * PADDING for text in (badge.name, badge.value))
    whole = left + right
    drawing = Element("svg", {
        "xmlns": "http://www.w3.org/2000/svg", "width": str(whole), "height": str(HEIGHT),
        "viewBox": f"0 0 {whole} {HEIGHT}", "role": "img", "aria-labelledby": "badge",
    })  # fmt: skip
    element(drawing, "title", f"{badge.name}: {badge.value}", id="badge")
    tone = badge.tone if badge.tone in SOFT else "muted"
    behind = paint[f"{tone}-soft"] if tone in SOFT else paint["sunken"]
    shape = {"x": "0.5", "y": "0.5", "height": str(HEIGHT - 1), "rx": "5", "width": str(whole - 1)}
    drawing.append(Element("rect", {**shape, "fill": paint["surface"]}))
    element(drawing, "path", d=f"M{left} .5H{whole - 5.5}a5 5 0 0 1 5 5v13a5 5 0 0 1-5 5H{left}Z", fill=behind)
    drawing.append(Element("rect", {**shape, "fill": "none", "stroke": paint["line"]}))
    _text(drawing, badge.name, PADDING, left - 2 * PADDING, paint["muted"], 400)
    _text(drawing, badge.value, left + PADDING, right - 2 * PADDING, paint[tone], 600)
    return written(drawing).encode()


def _text(drawing: Element, text: str, x: int, length: int, fill: str, weight: int) -> None:
    """A text that takes exactly its room, whatever the font of the reader."""
    element(
        drawing, "text", text, x=x, y=16, textLength=length, lengthAdjust="spacingAndGlyphs", fill=fill,
        font_family=FONT, font_size=LETTERS, font_weight=weight,
    )  # fmt: skip


def _width(text: str) -> float:
    """About how wide a text is in a font without serifs, in px."""
    special = {character: width for characters, width in WIDTHS.values() for character in characters}
    return sum(special.get(character, MEAN) for character in text)
