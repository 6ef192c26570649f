"""axe-core on every page in light and dark, Lighthouse on the pages that most people open."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.examples import Examples
from tests.browser.routes import Crawl
from tests.browser.watched import watched
from tests.npm.install import installed, node

pytestmark = pytest.mark.browser

ENOUGH = 95
AXE = """(options) => axe.run(document, {
    resultTypes: ["violations"], selectors: false, iframes: false, ...options,
  }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map((node) => `${id}: ${node.html.slice(0, 200)}`)))"""
"""Cards in frames are pages of their own."""
ONLY_COLOURS = {"runOnly": ["color-contrast"]}
"""Elements, names and roles are the same in the dark."""


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with axe-core and Lighthouse."""
    return installed("audit", tmp_path_factory.mktemp("audit"))


def violations(page: Page, axe: str, options: dict[str, Any]) -> list[str]:
    """What axe-core finds on an open page; it runs beside the page, whose policy forbids scripts of others."""
    page.evaluate(f"{axe}; undefined")
    found: list[str] = page.evaluate(AXE, options)
    return found


def test_axe_finds_nothing_on_any_page_in_light_or_dark(browser: Browser, crawl: Crawl, audit: Path) -> None:
    axe = (audit / "node_modules" / "axe-core" / "axe.min.js").read_text()
    found: dict[str, list[str]] = {}
    with watched(browser, str(crawl.http.base_url).rstrip("/")) as view:
        for path in crawl.one_each():
            view.page.emulate_media(color_scheme="light")
            page = view.go(path)
            light = violations(page, axe, {})
            page.emulate_media(color_scheme="dark")
            dark = violations(page, axe, ONLY_COLOURS)
            found[path] = light + [f"dark: {text}" for text in dark]
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_lighthouse_gives_high_scores(chromium: str, origin: str, examples: Examples, audit: Path) -> None:
    paths = ["/", "/block/800", examples.address, examples.node, "/nodes/cumulus"]
    urls = [origin + path for path in paths]
    done = subprocess.run(
        [node(), "score.js", chromium, str(ENOUGH), *urls], cwd=audit, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [entry["url"] for entry in told] == urls
    low = [entry for entry in told if min(entry["scores"].values()) < ENOUGH]
    assert low == [], json.dumps(low, indent=1)
