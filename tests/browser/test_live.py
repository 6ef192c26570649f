"""Pages that follow the chain, in a real browser; and what the keyboard does."""

from __future__ import annotations

import statistics
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.examples import Examples
from tests.demo.site import Site

pytestmark = pytest.mark.browser

SOON_MS = 5000
TIP = "document.getElementById('live').dataset.tip"
PLACES = """() => [...document.querySelectorAll('#live h2, #live th, footer')].map(
  (e) => { const r = e.getBoundingClientRect(); return [Math.round(r.left), Math.round(r.top + scrollY)]; })"""


def shows(page: Page, block: str) -> float:
    """Wait until a page shows a block; how long that took, in seconds."""
    begun = time.monotonic()
    page.wait_for_function(f"hash => {TIP} === hash", arg=block, timeout=SOON_MS, polling=20)
    return time.monotonic() - begun


def generate(network: Site, count: int = 1) -> str:
    """Have the daemon make blocks; the hash of the last."""
    return str(network.rpc.call("generate", count)[-1])


def following(opened: Opened, path: str) -> Page:
    """An open page whose stream of events is up to date."""
    page: Page = opened(path).page
    expect(page.locator("#live-switch")).to_have_text("Live")
    page.wait_for_timeout(300)
    return page


@pytest.mark.parametrize("path", ["/", "/blocks", "/mempool", "/nodes/cumulus"])
def test_a_block_shows_within_a_second_and_a_reorganisation_corrects_it(
    path: str, network: Site, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    page = following(opened, path)
    took = []
    for _ in range(3):
        took.append(shows(page, generate(network)))
        page.wait_for_timeout(400)
    places = page.evaluate(PLACES)
    lost = generate(network)
    shows(page, lost)
    assert lost[-8:] in page.content() or path != "/"
    if path == "/blocks":  # a list of a fixed length: whatever comes, nothing moves
        assert page.evaluate(PLACES) == places
    network.rpc.call("invalidateblock", lost)
    won = generate(network, 2)
    shows(page, won)
    height = f"{network.json('/status')['tip']['height']:,}"
    expect(page.locator("#announce")).to_have_text(f"Block {height}")
    expect(page.locator("#index-state")).to_contain_text(height)
    with capsys.disabled():
        print(f"\n{path}: from the daemon's block to the page {statistics.median(took):.3f} s, most {max(took):.3f} s")
    assert statistics.median(took) < 1.0


def test_nothing_moves_while_it_is_paused_or_somebody_is_at_it(network: Site, opened: Opened) -> None:
    page = following(opened, "/blocks")
    before = page.evaluate(TIP)
    page.locator("#live-switch").click()
    expect(page.locator("#live-switch")).to_have_text("Paused")
    block = generate(network)
    network.until_at_tip()
    page.wait_for_timeout(500)
    assert page.evaluate(TIP) == before
    page.reload()
    expect(page.locator("#live-switch")).to_have_text("Paused")
    page.locator("#live-switch").click()
    shows(page, block)
    page.locator("#live a").first.focus()
    held = generate(network)
    expect(page.locator("#live-switch")).to_contain_text("waiting for you")
    assert page.evaluate(TIP) == block
    page.evaluate("document.activeElement.blur()")
    shows(page, held)
    expect(page.locator("#live-switch")).to_have_text("Live")


def test_what_comes_into_the_mempool_shows_within_a_second(network: Site, opened: Opened) -> None:
    page = following(opened, "/mempool")
    known = {item["txid"] for item in network.json("/mempool?limit=1000")["items"]}
    network.daemon.send_something(int(time.time()))
    new: Any = network.until(
        "something new waits", lambda: [i for i in network.json("/mempool")["items"] if i["txid"] not in known]
    )
    page.locator(f"#live a[href='/tx/{new[0]['txid']}']").wait_for(timeout=1000)


def test_without_a_stream_the_page_asks_now_and_then(network: Site, opened: Opened) -> None:
    seen = opened("/status")
    seen.page.route("**/api/v1/events*", lambda route: route.fulfill(status=204))
    page = seen.go("/blocks")
    page.wait_for_timeout(300)
    block = generate(network)
    page.wait_for_function(f"hash => {TIP} === hash", arg=block, timeout=2 * SOON_MS)


def test_the_search_is_a_combobox_that_the_keyboard_moves(network: Site, opened: Opened, examples: Examples) -> None:
    page = opened("/blocks").page
    search = page.locator("#q")
    page.keyboard.press("/")
    expect(search).to_be_focused()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+k")
    expect(search).to_be_focused()
    page.keyboard.type("cumu")
    options = page.locator("#suggestions [role=option]")
    expect(options).to_have_text(["Queue of the Cumulus nodes"])
    expect(search).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(search).to_have_attribute("aria-expanded", "false")
    expect(search).to_have_value("cumu")
    address = examples.address.removeprefix("/address/")
    search.fill(address[:9])
    expect(options.first).to_contain_text(address[:9])
    page.keyboard.press("ArrowDown")
    chosen = options.first
    expect(chosen).to_have_attribute("aria-selected", "true")
    assert search.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("ArrowUp")
    assert search.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/address/{address[:9]}*")


def test_keys_move_between_blocks_and_times_are_told_in_the_zone_that_was_chosen(opened: Opened) -> None:
    seen = opened("/block/5", timezone_id="Asia/Tokyo")
    page = seen.page
    moment = page.locator("time:not([data-age])").first
    utc = moment.inner_text()
    assert utc.endswith(" UTC")
    page.locator(".zones button[value=local]").click()
    local = moment.inner_text()
    assert "GMT+9" in local and moment.get_attribute("title") == utc
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/block/*")
    page.wait_for_function("() => document.querySelector('h1').textContent.includes('6')")
    expect(page.locator(".zones button[value=local]")).to_have_attribute("aria-pressed", "true")
    assert "GMT+9" in page.locator("time:not([data-age])").first.inner_text()
    page.locator(".zones button[value=utc]").click()
    assert page.locator("time:not([data-age])").first.inner_text().endswith(" UTC")
