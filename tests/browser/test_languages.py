"""The site in German, in a real browser: the switch, the words that scripts write, and whether all of it fits."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opened
from tests.browser.watched import DESKTOP, PHONE

pytestmark = pytest.mark.browser

FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PATHS = [
    "/", "/nodes", "/nodes/stratus", "/supply", "/parallel", "/network", "/calculator?stratus=1", "/status", "/embeds",
]  # fmt: skip


@pytest.mark.parametrize("script", [True, False])
def test_the_switch_turns_the_page_german_and_back(opened: Opened, script: bool) -> None:
    page = opened("/blocks?limit=5", script=script).page
    switch = page.locator("footer .languages button")
    switch.filter(has_text="Deutsch").click()
    expect(page.locator("h1")).to_have_text("Blöcke")
    assert page.url.endswith("/blocks?limit=5")
    assert page.locator("html").get_attribute("lang") == "de"
    page.goto(page.url.replace("/blocks?limit=5", "/status"))
    expect(page.locator("h2", has_text="Prüfungen")).to_be_visible()
    switch.filter(has_text="English").click()
    expect(page.locator("h2", has_text="Checks")).to_be_visible()


def test_scripts_write_german(opened: Opened) -> None:
    page = opened("/blocks").page
    page.locator("footer .languages button", has_text="Deutsch").click()
    age = page.locator("time[data-age]").first
    age.evaluate("time => { time.dateTime = new Date(Date.now() - 7500000).toISOString(); }")
    expect(age).to_have_text("vor 2 Stunden")
    age.evaluate("time => { time.dateTime = new Date(Date.now() - 61000).toISOString(); }")
    expect(age).to_have_text(re.compile("vor 1 Minute$"))
    page.locator("#live-switch").click()
    expect(page.locator("#live-switch")).to_have_text("Angehalten")


def test_long_words_fit(opened: Opened) -> None:
    one = opened("/status")
    one.page.locator("footer .languages button", has_text="Deutsch").click()
    wide = []
    for size in (DESKTOP, PHONE):
        one.resize(size)
        for path in PATHS:
            if not one.go(path).evaluate(FITS):
                wide.append((path, size))
    assert wide == []
