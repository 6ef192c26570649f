"""A browser as far as accounts know one: it keeps cookies and says where a form stood."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Any

import httpx

from explorer.accounts.challenges import Purpose
from tests.accounts.keys import Wallet
from tests.explorer.client import Client
from tests.site.markup import Markup

OWN = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
ALICE, BOB = Wallet(7), Wallet(8, is_zelid=True)


class Browser:
    """Sends forms of the site's own pages; ``cookies`` are by name as they were last set."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.cookies: dict[str, str] = {}
        self.set_cookie = ""
        self._known: set[str] = set()

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return self._ask("GET", path, headers)

    def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
        """A form."""
        return self._ask("POST", path, headers, data=fields or {})

    def page(self, path: str) -> Markup:
        """A page, checked to be well-formed."""
        return well_formed(self.get(path))

    def challenge(self, wallet: Wallet) -> tuple[str, str]:
        """Nonce and text of a new challenge."""
        page = well_formed(self.post("/account/challenge", {"address": wallet.address}))
        return page.one("input", name="nonce").attributes["value"], page.one("textarea", id="message").text

    def answer(self, wallet: Wallet, nonce: str, signature: str, **more: str) -> httpx.Response:
        """Send a signature."""
        self._known.add(wallet.address)
        fields = {"nonce": nonce, "address": wallet.address, "signature": signature, **more}
        return self.post("/account/sign-in", fields)

    def sign_in(self, wallet: Wallet = ALICE) -> None:
        """Sign in."""
        nonce, message = self.challenge(wallet)
        response = self.answer(wallet, nonce, wallet.sign(message))
        assert (response.status_code, response.headers["location"]) == (303, "/account"), response.text

    def enter(self, wallet: Wallet = ALICE) -> None:
        """Be signed in as if the challenge had been answered, for tests of what comes after it."""
        self.cookies["session"] = self.token(wallet, "site")

    def token(self, wallet: Wallet, purpose: Purpose) -> str:
        """The token of a session that has begun."""
        self._known.add(wallet.address)
        accounts = self.client.services.accounts
        self.client.run(accounts.book.admit(wallet.address))
        return self.client.run(accounts.sessions.begin(wallet.address, purpose, "explorer"))

    def forget(self) -> None:
        """Remove what those who signed in left on the site."""
        for address in self._known:
            self.client.run(self.client.services.accounts.delete(address))

    def _ask(self, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = OWN | ({"Cookie": cookie} if cookie else {}) | {n.replace("_", "-"): v for n, v in headers.items()}
        response = self.client.request(method, path, headers=sent, **more)
        self.client.forget_cookies()
        for text in response.headers.get_list("set-cookie"):
            self.set_cookie = text
            for name, morsel in SimpleCookie(text).items():
                self.cookies[name] = morsel.value
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return response


def well_formed(response: httpx.Response) -> Markup:
    """A page whose elements close as they should."""
    page = Markup(response.text)
    assert page.problems == []
    return page
