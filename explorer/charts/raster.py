"""A figure as PNG, 1200 × 630 px, for readers that show no SVG.

It is drawn twice as large and then reduced, so that edges are smooth.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Final

from PIL import Image, ImageDraw

from explorer.charts.colours import colours
from explorer.charts.figure import Figure, Line
from explorer.charts.picture import COLOURS, HEIGHT, PENCIL, WIDTH, font, known
from explorer.charts.scales import Scale, exact, round_up

FINER: Final = 2
LEFT: Final = 120  # px, of the area that the lines are drawn in; more where the marks beside it are long
TOP: Final = 128
RIGHT: Final = 1160
BOTTOM: Final = 566
MARKS: Final = 6
DASH: Final = (14.0, 9.0)  # px drawn, px left out
SHADES: Final = (0.10, 0.04)  # of every other band
LETTERS: Final = 22  # px

Paint = Mapping[str, str]
Place = tuple[float, float]


def figure_png(figure: Figure, theme: str, note: str = "") -> bytes:
    """The figure as an image of a theme; ``note`` stands beside the title. From any thread, one after the other."""
    with PENCIL:
        image = _Sheet(figure, colours(theme)).drawn(note)
        kept = io.BytesIO()
        image.quantize(COLOURS, Image.Quantize.FASTOCTREE).save(kept, "PNG")
        return kept.getvalue()


class _Sheet:
    """A figure on the way to its image: places are in px of the image, drawn ``FINER``."""

    def __init__(self, figure: Figure, paint: Paint) -> None:
        self._figure, self._paint = figure, paint
        self._across: Scale = exact(figure.xs, MARKS, figure.x_steps)
        self._up: Scale = round_up(figure.ys, MARKS, figure.y_unit)
        widest = max(font(LETTERS).getlength(known(figure.y_mark(y))) for y in self._up.ticks())
        self._left = min(max(LEFT, round(widest) + 34), RIGHT // 2)
        self._image = Image.new("RGB", (WIDTH * FINER, HEIGHT * FINER), paint["surface"])
        self._draw = ImageDraw.Draw(self._image)

    def drawn(self, note: str) -> Image.Image:
        """The whole figure, from the back to the front."""
        self._bands()
        self._marks()
        self._limits()
        for line in self._figure.lines:
            for run in _runs(line):
                self._path([self._place(x, y) for x, y in run], self._paint[line.tone], 3.5, line.dashed)
        self._text((self._left, 56), self._figure.title, "ink", 34)
        if note:
            self._text((RIGHT, 56), note, "fair", LETTERS, "rs")
        self._legend()
        return self._image.reduce(FINER)

    def _place(self, x: int, y: int) -> Place:
        return self._across.project(x, self._left, RIGHT), self._up.project(y, BOTTOM, TOP)

    def _bands(self) -> None:
        for n, band in enumerate(self._figure.bands):
            first = max(band.first, self._across.first)
            last = self._across.last if band.last is None else min(band.last, self._across.last)
            left, right = (self._across.project(x, self._left, RIGHT) for x in (first, last))
            if right <= left:
                continue
            shade = _mixed(self._paint["muted"], self._paint["surface"], SHADES[n % 2])
            self._draw.rectangle(_fine(left, TOP, right, BOTTOM), fill=shade)
            if font(18).getlength(band.name) + 12 <= right - left:
                self._text(((left + right) / 2, TOP + 24), band.name, "muted", 18, "ms")

    def _marks(self) -> None:
        for y in self._up.ticks():
            at = self._up.project(y, BOTTOM, TOP)
            self._draw.line(_fine(self._left, at, RIGHT, at), fill=self._paint["line"], width=FINER)
            self._text((self._left - 14, at), self._figure.y_mark(y), "muted", LETTERS, "rm")
        for x in self._across.ticks():
            at = self._across.project(x, self._left, RIGHT)
            note = self._figure.x_note(x)
            said = f"{self._figure.x_mark(x)} · {note}" if note else self._figure.x_mark(x)
            self._draw.line(_fine(at, BOTTOM, at, BOTTOM + 8), fill=self._paint["line"], width=FINER)
            self._text((at, BOTTOM + 36), said, "muted", 19, "ms")

    def _limits(self) -> None:
        for limit in self._figure.limits:
            at = self._up.project(limit.value, BOTTOM, TOP)
            self._path([(self._left, at), (RIGHT, at)], self._paint["poor"], 2, True)
            self._text((self._left + 10, at - 8), limit.name, "poor", 19)

    def _legend(self) -> None:
        left = float(self._left)
        for line in self._figure.lines:
            self._draw.rectangle(_fine(left, 84, left + 16, 100), fill=self._paint[line.tone])
            self._text((left + 26, 100), line.name, "ink", LETTERS)
            left += 26 + font(LETTERS).getlength(known(line.name)) + 36

    def _path(self, places: list[Place], fill: str, width: float, dashed: bool) -> None:
        for piece in _dashes(places) if dashed else [places]:
            fine = [(x * FINER, y * FINER) for x, y in piece]
            self._draw.line(fine, fill=fill, width=round(width * FINER), joint="curve")

    def _text(self, at: Place, text: str, tone: str, size: int, anchor: str = "ls") -> None:
        place = (at[0] * FINER, at[1] * FINER)
        self._draw.text(place, known(text), font=font(size * FINER), fill=self._paint[tone], anchor=anchor)


def _fine(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return left * FINER, top * FINER, right * FINER, bottom * FINER


def _runs(line: Line) -> Iterator[list[tuple[int, int]]]:
    """The points between the gaps of a line, as far as there are two or more."""
    run: list[tuple[int, int]] = []
    for x, y in (*line.points, (0, None)):
        if y is not None:
            run.append((x, y))
            continue
        if len(run) > 1:
            yield run
        run = []


def _dashes(places: list[Place]) -> Iterator[list[Place]]:
    """A path cut into dashes; their lengths go on around corners."""
    drawing, left = True, DASH[0]
    piece = [places[0]]
    for (x0, y0), (x1, y1) in zip(places, places[1:], strict=False):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        gone = 0.0
        while length - gone > left:
            gone += left
            corner = (x0 + (x1 - x0) * gone / length, y0 + (y1 - y0) * gone / length)
            if drawing:
                yield [*piece, corner]
            drawing, left, piece = not drawing, DASH[drawing], [corner]
        left -= length - gone
        piece.append((x1, y1))
    if drawing and len(piece) > 1:
        yield piece


def _mixed(front: str, back: str, share: float) -> str:
    """A colour over another, so much of it."""
    pairs = ((int(front[n : n + 2], 16), int(back[n : n + 2], 16)) for n in (1, 3, 5))
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
