"""Pages that follow the chain, in a real browser; and what the keyboard does."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Opened
from tests.browser.examples import Examples
from tests.demo.site import Site

pytestmark = pytest.mark.browser

SOON = 1.0  # seconds
TRIES = 8
SLOWNESS = 5  # times that a page is loaded, for which a busy machine may be late
LOADING = """async () => {
  const begun = performance.now();
  await (await fetch(location.href)).text();
  return (performance.now() - begun) / 1000;
}"""
LONG_MS = 20_000  # no measure: what is waited for comes, or the test has failed
TIP = "document.getElementById('live').dataset.tip"
PLACES = """() => [...document.querySelectorAll('#live h2, #live th, footer')].map(
  (e) => Math.round(e.getBoundingClientRect().top + scrollY))"""
"""How far down the page things begin. Columns may give way to a wider number by a pixel."""


def shows(page: Page, block: str) -> float:
    """Wait until a page shows a block; how long that took, in seconds."""
    begun = time.monotonic()
    page.wait_for_function(f"hash => {TIP} === hash", arg=block, timeout=LONG_MS, polling=20)
    return time.monotonic() - begun


def generate(network: Site, count: int = 1) -> str:
    """Have the daemon make blocks; the hash of the last."""
    return str(network.rpc.call("generate", count)[-1])


def following(opened: Opened, path: str) -> Page:
    """An open page whose stream of events is up to date."""
    page: Page = opened(path).page
    expect(page.locator("#live-switch")).to_have_text("Live")
    expect(page.locator("#live-switch")).to_have_attribute("data-stream", "open")
    return page


@pytest.mark.parametrize("path", ["/", "/blocks", "/mempool", "/nodes/cumulus"])
def test_a_block_shows_within_a_second_and_a_reorganisation_corrects_it(
    path: str, network: Site, opened: Opened, capsys: pytest.CaptureFixture[str]
) -> None:
    page = following(opened, path)
    took: list[float] = []
    loading: list[float] = []
    while not took or min(took) >= SOON + SLOWNESS * min(loading) and len(took) < TRIES:
        loading.append(page.evaluate(LOADING))  # a machine that does other work is late with everything
        took.append(shows(page, generate(network)))
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
        print(f"\n{path}: from the daemon's block to the page {min(took):.3f} s, most {max(took):.3f} s")
    assert min(took) < SOON + SLOWNESS * min(loading)


def test_the_page_of_a_block_follows_its_confirmations_and_becomes_another_block(
    network: Site, opened: Opened
) -> None:
    orphan = generate(network)
    network.until_at_tip()
    height = network.json("/status")["tip"]["height"]
    page = following(opened, f"/block/{height}")
    expect(page.locator("#state")).to_contain_text("1 confirmation")
    expect(page.locator("#beside a[rel=next]")).to_have_count(0)
    generate(network)
    expect(page.locator("#state")).to_contain_text("2 confirmations", timeout=LONG_MS)
    expect(page.locator("#beside a[rel=next]")).to_have_count(1)
    network.rpc.call("invalidateblock", orphan)
    won = network.rpc.call("generate", 3)
    shows(page, won[-1])
    expect(page.locator("main > .parts > .id")).to_contain_text(won[0])


def test_a_node_and_its_address_follow_the_queue_without_moving(network: Site, opened: Opened) -> None:
    waiting = network.json("/nodes?status=confirmed&limit=1000")["items"]
    first = max(waiting, key=lambda item: item["rank"])
    outpoint, rank, payee = first["node"], first["rank"], first["address"]
    node, address = (following(opened, path) for path in (f"/node/{outpoint}", f"/address/{payee}?view=utxos"))
    places = node.evaluate(PLACES)
    tip = generate(network)
    for page in (node, address):
        shows(page, tip)
    now = network.json(f"/nodes/{outpoint}")
    assert now["rank"] < rank
    expect(node.locator(".huge .num")).to_have_text(f"{now['rank'] + 1:,}")
    expect(node.locator("#live dl").first).to_contain_text(f"{now['pays_by_height']:,}")
    assert node.evaluate(PLACES) == places
    balance = network.json(f"/addresses/{payee}")["balance"]
    assert address.locator(".huge .amount").inner_text().replace(",", "").startswith(balance)


def test_nothing_moves_while_it_is_paused_or_somebody_is_at_it(network: Site, opened: Opened) -> None:
    page = following(opened, "/blocks")
    before = page.evaluate(TIP)
    page.locator("#live-switch").click()
    expect(page.locator("#live-switch")).to_have_text("Paused")
    other = following(opened, "/blocks")
    block = generate(network)
    shows(other, block)
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


def test_what_comes_into_the_mempool_shows(network: Site, opened: Opened) -> None:
    page = following(opened, "/mempool")
    page.locator(f"#live a[href='/tx/{network.send_anything()}']").wait_for(timeout=LONG_MS)


def test_without_a_stream_the_page_asks_now_and_then(network: Site, opened: Opened) -> None:
    seen = opened("/status")
    seen.page.route("**/api/v1/events*", lambda route: route.fulfill(status=204))
    with seen.page.expect_response("**/api/v1/events*"):
        page = seen.go("/blocks")
    shows(page, generate(network))


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


def test_amounts_are_told_in_the_unit_that_was_chosen_and_copied_with_all_digits(
    network: Site, opened: Opened, examples: Examples
) -> None:
    body = network.json(examples.address.replace("/address/", "/addresses/"))
    moves = network.json(examples.address.replace("/address/", "/addresses/") + "/transactions?limit=3")["items"]
    zatoshi = int(body["balance"].replace(".", ""))
    seen = opened(examples.address, permissions=["clipboard-read", "clipboard-write"])
    page = seen.page
    balance, heading = page.locator(".huge .amount"), page.locator("section.card .list thead th").last
    flux, head = balance.inner_text(), heading.inner_text()
    assert flux.replace(",", "") == f"{body['balance']} FLUX" and "FLUX" in head
    page.locator(".units button[value=zatoshi]").click()
    expect(balance).to_have_text(f"{zatoshi:,} zatoshi")
    expect(heading).to_have_text(head.replace("FLUX", "zatoshi"))
    shown = page.locator("section.card .list tbody tr td:last-child .amount").all_inner_texts()
    assert shown[: len(moves)] == [f"{int(move['balance_after'].replace('.', '')):,}" for move in moves]
    page.locator("button[data-amount]").click()
    assert page.evaluate("navigator.clipboard.readText()") == str(zatoshi)
    page.reload()
    expect(balance).to_have_text(f"{zatoshi:,} zatoshi")
    page.locator(".units button[value=flux]").click()
    assert (balance.inner_text(), heading.inner_text()) == (flux, head)
    page.locator("button[data-amount]").click()
    assert page.evaluate("navigator.clipboard.readText()") == body["balance"]


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
