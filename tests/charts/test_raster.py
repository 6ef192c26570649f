"""Charts as PNG: the lines are where the numbers are, whatever the texts are."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image

from explorer.charts.colours import colours
from explorer.charts.figure import Band, Limit, Line
from explorer.charts.raster import BOTTOM, LEFT, RIGHT, TOP, figure_png
from tests.charts.test_drawing import FIGURE
from tests.site.markup import HOSTILE


def image(*lines: Line, theme: str = "light") -> Image.Image:
    """The figure with other lines, as it is drawn."""
    figure = replace(FIGURE, lines=lines, bands=(), limits=(), y_mark=str)
    return Image.open(io.BytesIO(figure_png(figure, theme))).convert("RGB")


def near(picture: Image.Image, x: int, y: int, colour: str) -> bool:
    """Whether a pixel has nearly a colour."""
    wanted = tuple(int(colour[n : n + 2], 16) for n in (1, 3, 5))
    found = picture.getpixel((x, y))
    assert isinstance(found, tuple)
    return all(abs(a - b) < 40 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_line_goes_where_its_numbers_are(theme: str) -> None:
    accent = colours(theme)["accent"]
    picture = image(Line("Made", "accent", ((0, 0), (50, 1000), (100, 500))), theme=theme)
    assert picture.size == (1200, 630)
    middle, half = (LEFT + RIGHT) // 2, (TOP + BOTTOM) // 2
    assert near(picture, middle, TOP + 1, accent) and near(picture, RIGHT - 4, half - 1, accent)
    assert near(picture, (LEFT + middle) // 2, half, accent)
    assert near(picture, 4, 4, colours(theme)["surface"])


def test_a_gap_is_left_out_and_dashes_leave_some() -> None:
    accent = colours("light")["accent"]
    level = (TOP + BOTTOM) // 2
    top = Line("Top", "good", ((0, 1000),))
    gap = image(Line("Made", "accent", ((0, 500), (25, 500), (50, None), (75, 500), (100, 500))), top)
    assert near(gap, LEFT + 100, level, accent) and not near(gap, (LEFT + RIGHT) // 2, level, accent)
    dashed = image(Line("Made", "accent", ((0, 500), (100, 500)), dashed=True), top)
    drawn = [near(dashed, x, level, accent) for x in range(LEFT + 10, RIGHT - 10)]
    assert 0.5 < sum(drawn) / len(drawn) < 0.75


@pytest.mark.parametrize("text", [*HOSTILE, "\x00\u202e", "x" * 500])
def test_any_text_and_any_lack_of_numbers_is_drawn(text: str) -> None:
    hostile = replace(
        FIGURE, title=text, lines=(Line(text, "accent", ((0, 1), (9, 2))),), bands=(Band(text, 0), Band(text, -9, -5)),
        limits=(Limit(text, 1),), y_mark=lambda y: text,
    )  # fmt: skip
    assert figure_png(hostile, "dark", text) == figure_png(hostile, "dark", text)
    assert figure_png(replace(hostile, lines=()), "light")
