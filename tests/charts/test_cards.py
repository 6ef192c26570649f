"""Badges and preview images: what they say, and that no text can do more than be read."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from explorer.charts.badge import badge_svg
from explorer.charts.card import Badge, Card
from explorer.charts.colours import colours
from explorer.charts.picture import HEIGHT, WIDTH, card_png, known
from explorer.pages.render import ENVIRONMENT
from tests.site.markup import HOSTILE, Markup

SVG = "{http://www.w3.org/2000/svg}"
CARD = Card("Block", "2,020,000", "/block/2020000", (("Time", "2026-10-25"), ("Fees", "1 FLUX")), "ab" * 32)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_badge_says_name_and_value_in_the_colours_of_its_theme(theme: str) -> None:
    svg = badge_svg(Badge("Stratus nodes", "1,024", "stratus"), theme).decode()
    drawing = ElementTree.fromstring(svg)
    assert [e.text for e in drawing.iter(SVG + "text")] == ["Stratus nodes", "1,024"]
    assert drawing.findtext(SVG + "title") == "Stratus nodes: 1,024"
    assert {colours(theme)["stratus"], colours(theme)["stratus-soft"]} <= set(re.findall("#[0-9a-f]{6}", svg))
    assert "var(" not in svg


def test_each_text_of_a_badge_has_the_room_that_it_is_given() -> None:
    drawing = ElementTree.fromstring(badge_svg(Badge("Flux height", "2,020,000", "odd"), "light"))
    name, value = drawing.iter(SVG + "text")
    assert int(name.attrib["x"]) + int(name.attrib["textLength"]) < int(value.attrib["x"])
    assert int(value.attrib["x"]) + int(value.attrib["textLength"]) < int(drawing.attrib["width"])


@pytest.mark.parametrize("text", [*HOSTILE, "\x00\x1b\ufffe", "]]><script>"])
def test_hostile_text_stays_text(text: str) -> None:
    drawing = ElementTree.fromstring(badge_svg(Badge(text, text), "light"))
    assert {e.tag.removeprefix(SVG) for e in drawing.iter()} == {"svg", "title", "rect", "path", "text"}
    card = Card(text, text, "/block/5", ((text, text),), text)
    html = ENVIRONMENT.get_template("embed.html").render(card=card, theme="", simulated=False, network="main")
    page = Markup(html)
    assert page.problems == []
    assert {e.tag for e in page.elements} <= {
        "html", "head", "meta", "title", "link", "body", "main", "p", "span", "h1", "a", "dl", "div", "dt", "dd",
    }  # fmt: skip
    assert not [name for e in page.elements for name in e.attributes if name.startswith("on")]
    assert Image.open(io.BytesIO(card_png(card, "dark", text))).size == (WIDTH, HEIGHT)


def test_an_image_is_one_of_its_card_theme_and_note() -> None:
    images = {card_png(CARD, theme, note) for theme in ("light", "dark") for note in ("", "Simulated")}
    assert len(images) == 4 and card_png(CARD, "light") in images
    assert all(len(image) < 60_000 for image in images)
    long = Card("Address", "9" * 400, "/", (("x" * 300, "y" * 300),) * 9, "z" * 300)
    assert Image.open(io.BytesIO(card_png(long, "light"))).format == "PNG"
    assert known("é·€…a, schön") == "?·?…a, schoen"
