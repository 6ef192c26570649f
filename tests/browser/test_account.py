"""An account in a real browser: a wallet signs; watch, webhook, export, delete; narrow and wide, without script too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.accounts.keys import Wallet
from tests.browser.examples import Examples
from tests.browser.test_walk import FACTS
from tests.browser.watched import DESKTOP, PHONE, Watched, watched
from tests.demo.site import NETWORK

pytestmark = pytest.mark.browser

ALICE = Wallet(9, chain=NETWORK)


def fits(view: Watched) -> None:
    """The open page is no wider than a wide window, nor than a telephone."""
    for size in (PHONE, DESKTOP):
        view.resize(size)
        facts = view.page.evaluate(FACTS)
        assert facts["scroll"] <= 0 and facts["beyond"] == [], (view.page.url, size, facts)


def pressed(page: Page, name: str) -> None:
    """Press the button of that name, and wait for the page that answers."""
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def signed_in(view: Watched) -> Page:
    """The page of a visitor who went to his account and signed the text."""
    page = view.go("/account")
    fits(view)
    page.get_by_label("Your ZelID").fill(ALICE.address)
    pressed(page, "Get a text to sign")
    fits(view)
    message = page.locator("#message").input_value()
    page.get_by_label("Signature, in Base64").fill(ALICE.sign(message))
    pressed(page, "Sign in")
    assert page.url.endswith("/account") and ALICE.address in str(page.locator("p.id").text_content())
    return page


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sign_in_watch_webhook_export_delete(
    browser: Browser, origin: str, examples: Examples, tmp_path: Path, script: bool
) -> None:
    with watched(browser, origin, script=script, colours="light" if script else "dark") as view:
        page = signed_in(view)
        for path in (examples.node, examples.address):
            view.go(path)
            fits(view)
            pressed(page, "Watch")
        assert page.locator("tbody tr").count() >= 3
        page.get_by_label("Addresses, or collaterals").fill(ALICE.address)
        page.get_by_label("Note, for yourself").fill("<b>mine</b>")
        pressed(page, "Watch")
        assert page.get_by_text("<b>mine</b>").count() == 2
        fits(view)
        pressed(page, "Make an address")
        feed = page.locator("code").first.inner_text()
        fits(view)
        assert "BEGIN:VEVENT" in page.request.get(feed).text()

        view.go("/account/webhooks")
        page.get_by_label("Server, beginning").fill("https://localhost/hook")
        pressed(page, "Make it")
        assert len(page.locator("code").inner_text()) == 32
        fits(view)
        with page.expect_navigation():
            page.get_by_role("link", name="Send a test").click()
        pressed(page, "Send a test")
        fits(view)
        assert "something is being delivered" in page.locator("main").inner_text()

        view.go("/account")
        with page.expect_download() as download:
            page.get_by_role("link", name="Take everything away").click()
        download.value.save_as(tmp_path / "account.json")
        kept = json.loads((tmp_path / "account.json").read_text())
        assert len(kept["account"]["watches"]) == 3 and len(kept["webhooks"]) == 1
        page.get_by_label("Delete the list").check()
        pressed(page, "Delete everything")
        assert "Account deleted" in page.locator("h1").inner_text()
        assert page.request.get(feed).status == 404
        assert "Who are you?" in view.go("/account").locator("main").inner_text()
        assert view.complaints == []
