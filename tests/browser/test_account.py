"""An account in a real browser: a wallet signs; watch, webhook, export, delete; narrow and wide, without script too."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.accounts.keys import Wallet
from tests.browser.axe import Axe
from tests.browser.examples import Examples
from tests.browser.looks import facts_of, lacks, too_wide
from tests.browser.watched import DESKTOP, Watched, watched
from tests.demo.site import NETWORK

pytestmark = pytest.mark.browser

ALICE = Wallet(9, chain=NETWORK)


@dataclass
class Visit:
    """A visitor who looks closely at the pages on his way: ``wrong`` is what he did not like about them."""

    view: Watched
    axe: Axe | None
    wrong: list[object] = field(default_factory=list)

    def look(self) -> None:
        """Look at the open page in both widths; axe-core, where there is one, looks at it in light and in dark."""
        facts, url = facts_of(self.view), self.view.page.url
        found = [*too_wide(facts), *lacks(facts, url), *(self.axe.whole(self.view.page) if self.axe else ())]
        self.wrong += [(url, one) for one in found]
        self.view.resize(DESKTOP)

    def go(self, path: str) -> Page:
        """Load a path of the site and look at it."""
        page = self.view.go(path)
        self.look()
        return page

    def press(self, name: str) -> None:
        """Press the button of that name, and look at the page that answers."""
        with self.view.page.expect_navigation():
            self.view.page.get_by_role("button", name=name, exact=True).click()
        self.look()

    def sign_in(self) -> Page:
        """Go to the account and sign the text, at first a wrong one."""
        page = self.go("/account")
        for text in ("another text", ""):
            page.get_by_label("Your ZelID").fill(ALICE.address)
            self.press("Get a text to sign")
            message = page.locator("#message").input_value()
            page.get_by_label("Signature, in Base64").fill(ALICE.sign(text or message))
            self.press("Sign in")
        assert page.url.endswith("/account") and ALICE.address in str(page.locator("p.id").text_content())
        return page


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sign_in_watch_webhook_export_delete(
    browser: Browser, origin: str, examples: Examples, tmp_path: Path, audit: Path, script: bool
) -> None:
    with watched(browser, origin, script=script, colours="light" if script else "dark") as view:
        visit = Visit(view, Axe(audit) if script else None)
        page = visit.sign_in()
        for path in (examples.node, examples.address):
            view.go(path)
            visit.press("Watch")
        assert page.locator("tbody tr").count() >= 3
        for entry in ("t1x", ALICE.address):
            page.get_by_label("Addresses, or collaterals").fill(entry)
            page.get_by_label("Note, for yourself").fill("<b>mine</b>")
            visit.press("Watch")
        assert page.get_by_text("<b>mine</b>").count() == 2
        visit.press("Make an address")
        feed = page.locator("code").first.inner_text()
        assert "BEGIN:VEVENT" in page.request.get(feed).text()

        visit.go("/account/webhooks")
        for url in ("https://user@localhost/hook", "https://localhost/hook"):
            page.get_by_label("Server, beginning").fill(url)
            visit.press("Make it")
        assert len(page.locator("code").inner_text()) == 32
        with page.expect_navigation():
            page.get_by_role("link", name="Send a test").click()
        visit.press("Send a test")
        assert "something is being delivered" in page.locator("main").inner_text()
        visit.press("Pause")
        visit.go("/account/webhooks")

        view.go("/account")
        with page.expect_download() as download:
            page.get_by_role("link", name="Take everything away").click()
        download.value.save_as(tmp_path / "account.json")
        kept = json.loads((tmp_path / "account.json").read_text())
        assert len(kept["account"]["watches"]) == 3 and len(kept["webhooks"]) == 1
        page.get_by_label("Delete the list").check()
        visit.press("Delete everything")
        assert "Account deleted" in page.locator("h1").inner_text()
        assert page.request.get(feed).status == 404
        assert "Who are you?" in view.go("/account").locator("main").inner_text()
        assert view.complaints == [] and visit.wrong == []
