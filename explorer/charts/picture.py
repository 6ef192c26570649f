"""A card as PNG for the previews of links, 1200 × 630 px. With ``raster`` the only module that imports Pillow.

The letters are those of the font that Pillow brings, so that a server needs none; what it has no letter for is
written as a question mark.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from threading import Lock
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from explorer.charts.card import Card
from explorer.charts.colours import colours

WIDTH: Final = 1200
HEIGHT: Final = 630
MARGIN: Final = 72
COLOURS: Final = 64  # of the palette: text in a few colours, with its edges
BARS: Final = (120, 84, 48)  # px, of the mark
PENCIL: Final = Lock()  # letters of one font are not drawn by two threads
LETTERS: Final = frozenset(map(chr, range(0x20, 0x7F))) | set("·…")
SPELLED: Final = str.maketrans({
    "ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss",
    "„": '"', "“": '"', "”": '"', "’": "'", "–": "-", "\u2212": "-", "×": "x",
})  # fmt: skip
"""What the font lacks, as it is written where it is lacking."""


def card_png(card: Card, theme: str, note: str = "") -> bytes:
    """The card as an image; ``note`` stands at its foot. From any thread: one image is drawn after the other."""
    with PENCIL:
        return _drawn(card, colours(theme), note)


def _drawn(card: Card, paint: Mapping[str, str], note: str) -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), paint["surface"])
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 12), fill=paint[card.tone])
    _head(draw, card, paint["muted"], paint["accent"])
    width = WIDTH - 2 * MARGIN
    size = _fitting(card.title, (92, 80, 68, 58, 48, 40, 34), width)
    _write(draw, (MARGIN, 236), card.title, size, paint["ink"], width, bold=True, anchor="ls")
    if card.mark:
        size = _fitting(card.mark, (34, 30, 26, 22), width)
        _write(draw, (MARGIN, 296), card.mark, size, paint["muted"], width, anchor="ls")
    _facts(draw, card, paint["muted"], paint["ink"], paint["line"])
    if note:
        _write(draw, (MARGIN, HEIGHT - 20), note, 26, paint["fair"], width, anchor="ls")
    kept = io.BytesIO()
    image.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(kept, "PNG")
    return kept.getvalue()


def _head(draw: ImageDraw.ImageDraw, card: Card, muted: str, accent: str) -> None:
    """The kind of the subject, and on the right whose site this is."""
    _write(draw, (MARGIN, 112), card.kind, 38, muted, 620, anchor="ls")
    name = "Flux Explorer"
    left = WIDTH - MARGIN - _length(name, 34)
    _write(draw, (left, 112), name, 34, muted, 400, anchor="ls")
    for n, width in enumerate(BARS):
        top = 82 + 11 * n
        draw.rectangle((left - 66, top, left - 66 + width * 44 // BARS[0], top + 7), fill=accent)


def _facts(draw: ImageDraw.ImageDraw, card: Card, muted: str, ink: str, line: str) -> None:
    """Up to four facts, two in a row."""
    half = (WIDTH - 2 * MARGIN) // 2
    for n, (name, value) in enumerate(card.facts[:4]):
        left, top = MARGIN + n % 2 * half, 346 + n // 2 * 122
        if n % 2 == 0:
            draw.line((MARGIN, top, WIDTH - MARGIN, top), fill=line, width=2)
        _write(draw, (left, top + 44), name, 26, muted, half - 24, anchor="ls")
        size = _fitting(value, (38, 34, 30, 26), half - 24)
        _write(draw, (left, top + 92), value, size, ink, half - 24, anchor="ls")


def _write(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: int, fill: str, width: int,
    *, bold: bool = False, anchor: str,
) -> None:  # fmt: skip
    """A line of text, cut where it would not fit."""
    shown = known(text)
    while _length(shown, size) > width and len(shown) > 1:
        shown = shown.rstrip("…")[:-1] + "…"
    draw.text(at, shown, font=font(size), fill=fill, anchor=anchor, stroke_width=1 if bold else 0)


def known(text: str) -> str:
    """A text in the letters that the font has."""
    return "".join(letter if letter in LETTERS else "?" for letter in text.translate(SPELLED))


def _fitting(text: str, sizes: tuple[int, ...], width: int) -> int:
    """The largest of the sizes in which a text fits, or the smallest."""
    return next((size for size in sizes if _length(known(text), size) <= width), sizes[-1])


def _length(text: str, size: int) -> float:
    return font(size).getlength(text)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font that Pillow brings, in a size."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):  # a Pillow that was built without FreeType
        raise RuntimeError("this Pillow has no FreeType: install its wheel from PyPI, pip install --force pillow")
    return found
