"""What an open page looks like to a browser: its parts, and what is wider than its window."""

from __future__ import annotations

from typing import Any

from tests.browser.watched import DESKTOP, PHONE, Watched

LANDMARKS = {"header": 1, "main": 1, "footer": 1, "h1": 1}
FRAMED, LANDMARKS_FRAMED = "/embed/", {"header": 0, "main": 1, "footer": 0, "h1": 1}
FACTS = """() => {
  const wide = document.documentElement.clientWidth;
  const clipped = (e) => e.parentElement && (
    getComputedStyle(e.parentElement).overflowX !== "visible" || clipped(e.parentElement));
  const beyond = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > wide + 1 && !clipped(e));
  return {
    title: document.title,
    lang: document.documentElement.lang,
    landmarks: Object.fromEntries(["header", "main", "footer", "h1"].map(
      (tag) => [tag, document.querySelectorAll(tag === "h1" ? tag : `body > ${tag}`).length])),
    scroll: document.documentElement.scrollWidth - wide,
    beyond: beyond.slice(0, 3).map((e) => `${e.tagName.toLowerCase()}.${e.className} ${e.textContent.slice(0, 40)}`),
  };
}"""

Facts = dict[int, dict[str, Any]]
"""By the width of the window, px."""


def facts_of(view: Watched) -> Facts:
    """The facts of the open page, first wide, then narrow: the window stays narrow."""
    found = {}
    for size in (DESKTOP, PHONE):
        view.resize(size)
        found[size[0]] = view.page.evaluate(FACTS)
    return found


def too_wide(facts: Facts) -> list[tuple[int, Any, Any]]:
    """The widths at which a page is wider than its window, by how much, and what sticks out."""
    return [(width, found["scroll"], found["beyond"]) for width, found in facts.items()
            if found["scroll"] > 0 or found["beyond"]]  # fmt: skip


def lacks(facts: Facts, path: str) -> list[str]:
    """What a page does not say about itself."""
    found = facts[DESKTOP[0]]
    expected = LANDMARKS_FRAMED if path.startswith(FRAMED) else LANDMARKS
    said = {"landmarks": found["landmarks"] == expected, "language": found["lang"] == "en",
            "title": found["title"].endswith("Flux Explorer")}  # fmt: skip
    return [f"{name} of {path}: {found}" for name, is_right in said.items() if not is_right]
