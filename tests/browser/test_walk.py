"""Every page in a real browser, wide and narrow, with and without JavaScript: nothing fails and everything fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.axe import Axe
from tests.browser.looks import Facts, facts_of, lacks, too_wide
from tests.browser.routes import Crawl
from tests.browser.watched import Watched, watched
from tests.demo.site import Site

pytestmark = pytest.mark.browser

FIRST_VISIT, LATER_VISIT = 150_000, 30_000  # bytes over the wire


@dataclass
class Seen:
    """What a look at a page gave: its facts at each width, complaints, bytes of a first and of a later visit.

    ``barriers`` is what axe-core finds, where it was asked.
    """

    path: str
    facts: Facts
    complaints: list[str]
    first: int
    later: int
    barriers: list[str]


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


def look(view: Watched, path: str, axe: Axe | None = None) -> Seen:
    """Load a page in a wide window, then make it narrow; axe-core looks at what was loaded."""
    scales = Scales(view.page)
    page = view.go(path)
    facts = facts_of(view)
    first, later = scales.first, scales.later
    return Seen(path, facts, view.complaints, first, later, axe.light_and_dark(page) if axe else [])


@pytest.fixture(scope="module")
def scripted(browser: Browser, crawl: Crawl, origin: str, audit: Path) -> list[Seen]:
    """The first visit of somebody to each page of the walk."""
    axe, seen = Axe(audit), []
    for path in crawl.one_each():
        with watched(browser, origin) as view:
            seen.append(look(view, path, axe))
    return seen


@pytest.fixture(scope="module")
def bare(browser: Browser, crawl: Crawl, origin: str) -> list[Seen]:
    """A look without JavaScript at one page of each kind."""
    seen = []
    for path in crawl.one_each(examples=False):
        with watched(browser, origin, script=False) as view:
            seen.append(look(view, path))
    return seen


@pytest.fixture(params=["scripted", "bare"], ids=["with JavaScript", "without JavaScript"])
def walk(request: pytest.FixtureRequest) -> list[Seen]:
    """Each walk through the site."""
    seen: list[Seen] = request.getfixturevalue(request.param)
    return seen


def test_nothing_fails_and_nobody_else_is_asked(walk: list[Seen]) -> None:
    assert len(walk) > 30
    assert [complaint for seen in walk for complaint in seen.complaints] == []


def test_no_page_is_wider_than_its_window(walk: list[Seen]) -> None:
    assert {seen.path: wide for seen in walk if (wide := too_wide(seen.facts))} == {}


def test_a_page_says_what_it_is(walk: list[Seen]) -> None:
    assert [lack for seen in walk for lack in lacks(seen.facts, seen.path)] == []


def test_pages_are_light(walk: list[Seen]) -> None:
    heavy = [(seen.path, seen.first, seen.later) for seen in walk
             if not (0 < seen.later <= LATER_VISIT and seen.first <= FIRST_VISIT)]  # fmt: skip
    assert heavy == []


def test_axe_finds_nothing_in_light_or_dark(scripted: list[Seen]) -> None:
    assert {seen.path: seen.barriers for seen in scripted if seen.barriers} == {}


def test_the_walk_goes_through_both_eras(scripted: list[Seen], network: Site) -> None:
    paths = {seen.path for seen in scripted}
    blocks = [network.json(f"/blocks/{found[1]}") for path in paths if (found := re.fullmatch(r"/block/(\d+)", path))]
    assert {block["type"] for block in blocks if block} == {"pow", "pon"}
    assert "/producers" in paths and network.json("/producers")["items"]


def test_keys_lead_into_the_content_and_are_seen(browser: Browser, origin: str) -> None:
    with watched(browser, origin) as view:
        page = view.go("/blocks")
        page.keyboard.press("Tab")
        skip = page.locator("a.skip")
        assert skip.evaluate("e => e === document.activeElement && e.getBoundingClientRect().top >= 0")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        page.keyboard.press("Tab")
        assert page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)") >= 2
