"""axe-core on an open page; it runs beside the page, whose policy forbids scripts of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

RUN = """(options) => axe.run(document, {
    resultTypes: ["violations"], selectors: false, iframes: false, ...options,
  }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 200)}`)))"""
"""Cards in frames are pages of their own."""
FEW = """(most) => {
  for (const parent of document.querySelectorAll("main *, main")) {
    const seen = {};
    for (const child of [...parent.children]) {
      seen[child.tagName] = (seen[child.tagName] || 0) + 1;
      if (seen[child.tagName] > most) child.remove();
    }
  }
}"""
"""Contrast costs a look at every element on top of every other: of many alike the first stand for all."""
ALIKE = 6
ONLY_COLOURS = {"runOnly": ["color-contrast"]}
"""Elements, names and roles are the same in the dark."""


class Axe:
    """axe-core from a folder in which npm has installed it."""

    def __init__(self, folder: Path) -> None:
        self._script = (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()

    def light_and_dark(self, page: Page) -> list[str]:
        """What it finds on a page in light and in dark; the page is left in light, shortened."""
        page.evaluate(FEW, ALIKE)
        return self.whole(page)

    def whole(self, page: Page) -> list[str]:
        """The same of a page that is used afterwards: nothing of it is left out, nothing goes."""
        page.evaluate(f"{self._script}; undefined")
        light = self._violations(page, {})
        page.emulate_media(color_scheme="dark")
        dark = self._violations(page, ONLY_COLOURS)
        page.emulate_media(color_scheme="light")
        return light + [f"dark: {text}" for text in dark]

    def _violations(self, page: Page, options: dict[str, Any]) -> list[str]:
        found: list[str] = page.evaluate(RUN, options)
        return found
