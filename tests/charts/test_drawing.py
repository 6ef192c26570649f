"""Charts as SVG: what they say, to whom, and what they leave out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from explorer.charts.colours import colours
from explorer.charts.drawing import NARROW, WIDE, alone, inline
from explorer.charts.figure import Band, Figure, Limit, Line
from explorer.charts.shapes import COLUMNS, spans
from tests.site.markup import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"
FIGURE = Figure(
    "Coins by height",
    "How many coins there were.",
    (
        Line("Made", "accent", ((0, 0), (50, 700), (100, 900))),
        Line("Kept", "nimbus", ((0, None), (50, 300), (100, 400)), dashed=True),
    ),
    x_mark=str,
    y_mark=lambda y: f"{y} coins",
    x_note=lambda x: f"day {x}",
    x_said=lambda x: f"Block {x}",
    y_said=lambda y: f"{y} whole coins",
    bands=(Band("Early", 0, 60), Band("Late", 60)),
    limits=(Limit("The end", 950),),
)


def texts(svg: str | bytes, tag: str = "text") -> list[str]:
    """The texts of the elements with a tag."""
    return [e.text or "" for e in ElementTree.fromstring(svg).iter(SVG + tag)]


def elements(svg: str | bytes, name: str) -> Iterator[ElementTree.Element]:
    """The elements inside of the group of a class."""
    for group in ElementTree.fromstring(svg).iter(SVG + "g"):
        if group.get("class") == name:
            yield from group


def test_title_and_description_stand_for_the_drawing() -> None:
    drawing = ElementTree.fromstring(inline(FIGURE, "coins", WIDE))
    assert drawing.get("role") == "img"
    labels = (drawing.get("aria-labelledby") or "").split()
    described = {e.get("id"): e.text for e in drawing if e.get("id")}
    assert [described[label] for label in labels] == ["Coins by height", "How many coins there were."]


def test_lines_bands_limits_and_marks() -> None:
    svg = inline(FIGURE, "coins", WIDE)
    said = texts(svg)
    assert {"Made", "Kept", "Early", "Late", "The end", "0 coins", "1000 coins", "20 · day 20"} <= set(said)
    lines = list(elements(svg, "series lines"))
    assert [line.get("stroke") for line in lines] == ["var(--accent)", "var(--nimbus)"]
    assert [line.get("stroke-dasharray") for line in lines] == [None, "6 4"]
    assert [(line.get("d") or "").count("L") for line in lines] == [2, 1]


def test_a_gap_ends_a_line() -> None:
    gap = Line("Made", "accent", ((0, 1), (1, 2), (2, None), (3, 4), (4, 5)))
    lines = list(elements(inline(replace(FIGURE, lines=(gap,)), "x", WIDE), "series lines"))
    assert [(line.get("d") or "").count("M") for line in lines] == [1, 1]


def test_a_narrow_chart_leaves_out_what_has_no_room() -> None:
    bands = (Band("A long name of an era", 0, 5), Band("Late", 5))
    said = texts(inline(replace(FIGURE, bands=bands), "coins", NARROW))
    assert "Late" in said and "A long name of an era" not in said
    assert "0" in said and not any("day" in text for text in said)


def test_bands_outside_of_the_chart_are_not_drawn() -> None:
    bands = (Band("Before", -20, 0), Band("All", -20, 400), Band("After", 400))
    shades = [e for e in elements(inline(replace(FIGURE, bands=bands), "x", WIDE), "bands") if e.tag == SVG + "rect"]
    assert [e.findtext(SVG + "title") for e in shades] == ["All"]
    assert shades[0].get("x") == "0.0"


def test_values_are_told_under_the_pointer() -> None:
    said = [e.findtext(SVG + "title") for e in elements(inline(FIGURE, "coins", WIDE), "columns")]
    assert said == [
        "Block 0\nMade: 0 whole coins",
        "Block 50\nMade: 700 whole coins\nKept: 300 whole coins",
        "Block 100\nMade: 900 whole coins\nKept: 400 whole coins",
    ]


@pytest.mark.parametrize("count", [0, 1, 2, COLUMNS, COLUMNS + 1, 1000])
def test_columns_cover_the_axis_without_gaps(count: int) -> None:
    found = list(spans(range(count)))
    assert len(found) <= COLUMNS
    assert all(left <= x <= right for left, x, right in found)
    assert [right for _, _, right in found[:-1]] == [left for left, _, _ in found[1:]]


@pytest.mark.parametrize(
    "lines",
    [(), (Line("Nothing", "accent", ()),), (Line("Unknown", "accent", ((1, None), (2, None))),),
     (Line("One", "accent", ((7, 7),)),), (Line("Zero", "accent", ((0, 0), (1, 0))),)],
)  # fmt: skip
def test_little_to_show(lines: tuple[Line, ...]) -> None:
    figure = replace(FIGURE, lines=lines, bands=(), limits=())
    for svg in (inline(figure, "x", WIDE), alone(figure, "dark")):
        assert "Coins by height" in texts(svg, "title")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chart_alone_has_the_colours_of_its_theme_and_asks_for_nothing(theme: str) -> None:
    svg = alone(FIGURE, theme).decode()
    assert "var(" not in svg
    assert {colours(theme)[name] for name in ("surface", "accent", "nimbus", "poor", "ink")} <= set(
        re.findall(r"#[0-9a-f]{6}", svg)
    )
    assert re.findall(r"<style|style=|<script|href|url\(|@import", svg) == []
    assert "Coins by height" in texts(svg)


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert alone(FIGURE, "light") == alone(FIGURE, "light")
    assert alone(FIGURE, "light") != alone(FIGURE, "dark")


@pytest.mark.parametrize("text", [*HOSTILE, "\x00\x1b\ufffe", "]]><script>", "<!--"])
def test_hostile_text_stays_text(text: str) -> None:
    hostile = replace(
        FIGURE, title=text, summary=text, lines=(Line(text, "accent", ((0, 1), (9, 2))),),
        bands=(Band(text, 0),), limits=(Limit(text, 1),), y_said=lambda y: text, y_mark=lambda y: text,
    )  # fmt: skip
    known = {"svg", "title", "desc", "g", "rect", "text", "line", "path"}
    for svg in (str(inline(hostile, "x", WIDE)), alone(hostile, "light").decode()):
        drawing = ElementTree.fromstring(svg)
        assert {e.tag.removeprefix(SVG) for e in drawing.iter()} <= known
        assert not [name for e in drawing.iter() for name in e.keys() if name.startswith("on") or "href" in name]
        shown = re.sub("[\x00-\x08\x0e-\x1f\ufffe]", "\ufffd", text)
        assert drawing.findtext(SVG + "desc") == shown
