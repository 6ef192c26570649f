"""Every page in a real browser, wide and narrow, with and without JavaScript: nothing fails and everything fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.routes import Crawl
from tests.browser.watched import DESKTOP, PHONE, Watched, watched

pytestmark = pytest.mark.browser

FIRST_VISIT, LATER_VISIT = 150_000, 30_000  # bytes over the wire
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


@dataclass
class Seen:
    """What a look at a page gave: its facts at each width, complaints, bytes of a first and of a later visit."""

    path: str
    facts: dict[int, dict[str, Any]]
    complaints: list[str]
    first: int
    later: int


class Scales:
    """Weighs what comes over the wire; what browsers keep for ever is not asked for on a later visit."""

    def __init__(self, page: Page) -> None:
        self.first = self.later = 0
        self._kept: dict[str, bool] = {}
        wire = page.context.new_cdp_session(page)
        wire.on("Network.responseReceived", self._begins)
        wire.on("Network.loadingFinished", self._ends)
        wire.send("Network.enable")

    def _begins(self, event: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
        self._kept[event["requestId"]] = "immutable" in headers.get("cache-control", "")

    def _ends(self, event: dict[str, Any]) -> None:
        size = int(event["encodedDataLength"])
        self.first += size
        self.later += 0 if self._kept.get(event["requestId"]) else size


def look(view: Watched, path: str) -> Seen:
    """Load a page in a wide window, then make it narrow."""
    scales, facts = Scales(view.page), {}
    page = view.go(path)
    for size in (DESKTOP, PHONE):
        view.resize(size)
        facts[size[0]] = page.evaluate(FACTS)
    return Seen(path, facts, view.complaints, scales.first, scales.later)


@pytest.fixture(scope="module", params=[True, False], ids=["with JavaScript", "without JavaScript"])
def walk(request: pytest.FixtureRequest, browser: Browser, crawl: Crawl) -> Iterator[list[Seen]]:
    """A look at one page of each kind, with JavaScript also at those that differ only by what the chain has in them."""
    origin = str(crawl.http.base_url).rstrip("/")
    seen: list[Seen] = []
    for path in crawl.one_each(examples=request.param):
        with watched(browser, origin, script=request.param) as view:
            seen.append(look(view, path))
    yield seen


def test_nothing_fails_and_nobody_else_is_asked(walk: list[Seen]) -> None:
    assert len(walk) > 30
    assert [complaint for seen in walk for complaint in seen.complaints] == []


def test_no_page_is_wider_than_its_window(walk: list[Seen]) -> None:
    wide = [(seen.path, width, facts["scroll"], facts["beyond"]) for seen in walk for width, facts in seen.facts.items()
            if facts["scroll"] > 0 or facts["beyond"]]  # fmt: skip
    assert wide == []


def test_a_page_says_what_it_is(walk: list[Seen]) -> None:
    for seen in walk:
        facts = seen.facts[DESKTOP[0]]
        expected = LANDMARKS_FRAMED if seen.path.startswith(FRAMED) else LANDMARKS
        assert (facts["landmarks"], facts["lang"]) == (expected, "en"), seen.path
        assert facts["title"].endswith("Flux Explorer"), seen.path


def test_pages_are_light(walk: list[Seen]) -> None:
    heavy = [(seen.path, seen.first, seen.later) for seen in walk
             if not (0 < seen.later <= LATER_VISIT and seen.first <= FIRST_VISIT)]  # fmt: skip
    assert heavy == []


def test_keys_lead_into_the_content_and_are_seen(browser: Browser, crawl: Crawl) -> None:
    with watched(browser, str(crawl.http.base_url).rstrip("/")) as view:
        page = view.go("/blocks")
        page.keyboard.press("Tab")
        skip = page.locator("a.skip")
        assert skip.evaluate("e => e === document.activeElement && e.getBoundingClientRect().top >= 0")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
