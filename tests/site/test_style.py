"""The style sheet: contrast of every pair of colours that text is written in, in both themes."""

from __future__ import annotations

import re

import pytest

from explorer.pages.assets import FOLDER

STYLE = (FOLDER / "site.css").read_text()
TOKENS = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", STYLE)
}
ON_PAPER = [(ink, paper) for ink in ("ink", "muted", "faint", "accent") for paper in ("bg", "surface", "sunken")]
IN_BADGES = [(tone, f"{tone}-soft") for tone in ("good", "fair", "poor", "cumulus", "nimbus", "stratus")]
OTHERS = [
    *((tone, "surface") for tone in ("good", "poor")),
    ("on-accent", "accent"),
    ("ink", "accent-soft"),
    ("ink", "good-soft"),
    ("faint", "accent-soft"),
    ("fair", "surface"),
]
ENOUGH = 4.5  # WCAG 2.2, 1.4.3, AA


def luminance(colour: str) -> float:
    """The relative luminance of #rrggbb."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), ON_PAPER + IN_BADGES + OTHERS)
def test_text_can_be_read(ink: str, paper: str, theme: int) -> None:
    assert contrast(TOKENS[ink][theme], TOKENS[paper][theme]) >= ENOUGH


def test_colours_are_tokens_and_nothing_is_loaded() -> None:
    body = STYLE[STYLE.index("*, ::before") :]
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", body)) <= {"#8b95a5", "#5a677b", "#444"}
    assert re.findall(r"url\(|@import", STYLE) == []
