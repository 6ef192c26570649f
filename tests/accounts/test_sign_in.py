"""Signing in: who may, with what, how often, for how long; and everything that is none of it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from explorer.accounts.book import Accounts
from explorer.accounts.challenges import MINUTES, MOST_PER_CLIENT, Challenges
from explorer.accounts.keeping import open_accounts
from explorer.accounts.sessions import IDLE_SECONDS, LONGEST_SECONDS, MOST, Sessions, digest
from explorer.errors import BadRequest, ExplorerError, Forbidden, NotSignedIn, RateLimited
from indexer.chain.address import encode_address
from indexer.chain.keys import P2SH
from indexer.chain.messages import BITCOIN_MAGIC
from indexer.config import Accounts as Settings
from tests.accounts.keys import Wallet
from tests.accounts.visiting import ALICE, BOB, Browser, well_formed
from tests.explorer.client import Client
from tests.indexed import network

SITE = "explorer"


class Clock:
    """A clock that is set by hand, Unix seconds."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("wallet", [ALICE, BOB], ids=["Flux", "ZelID"])
def test_a_signature_of_the_challenge_signs_in_and_out(browser: Browser, wallet: Wallet) -> None:
    nonce, message = browser.challenge(wallet)
    assert message.startswith(f"Sign in to Flux Explorer at explorer as {wallet.address}. Asked for 20")
    assert message.endswith(nonce) and message.isascii() and "\n" not in message
    response = browser.answer(wallet, nonce, wallet.sign(message), next="/blocks")
    assert (response.status_code, response.headers["location"]) == (303, "/blocks")
    assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={LONGEST_SECONDS}"} <= set(browser.set_cookie.split("; "))
    page = browser.get("/account")
    assert page.headers["cache-control"] == "private, no-store" and "etag" not in page.headers
    assert wallet.address in well_formed(page).one("main").text
    token = browser.cookies["session"]
    assert browser.post("/account/sign-out").status_code == 303
    assert browser.cookies == {}
    browser.cookies["session"] = token
    assert "Who are you?" in browser.page("/account").one("main").text


def test_over_https_the_cookie_is_for_this_host_and_https_only(browser: Browser) -> None:
    nonce, message = browser.challenge(ALICE)
    fields = {"nonce": nonce, "address": ALICE.address, "signature": ALICE.sign(message)}
    browser.answer(ALICE, "0", "")
    browser.post("https://explorer/account/sign-in", fields)
    assert browser.set_cookie.startswith("__Host-session=") and "Secure" in browser.set_cookie.split("; ")


@pytest.mark.parametrize(
    ("case", "status", "words"),
    [
        ("another text", 403, "not one of this address"),
        ("another key", 403, "not one of this address"),
        ("another magic", 403, "not one of this address"),
        ("no signature", 400, "has 0 bytes"),
        ("a long signature", 400, "has 5000 characters"),
        ("another address", 400, "ask for a new one"),
        ("another site", 400, "ask for a new one"),
        ("another purpose", 400, "ask for a new one"),
        ("an unknown nonce", 400, "ask for a new one"),
        ("a nonce that is a question", 400, "ask for a new one"),
    ],
)
def test_what_does_not_sign_in(browser: Browser, case: str, status: int, words: str) -> None:
    accounts = browser.client.services.accounts
    nonce, message = browser.challenge(ALICE)
    signer = BOB if case == "another key" else ALICE
    signed = {"another text": ALICE.sign(message + " "), "another magic": ALICE.sign(message, BITCOIN_MAGIC),
              "no signature": "", "a long signature": "A" * 5000}.get(case) or signer.sign(message)  # fmt: skip
    if case == "no signature":
        signed = ""
    if case in ("another site", "another purpose"):
        purpose, site = ("site", "evil.example") if case == "another site" else ("program", SITE)
        made = browser.client.run(accounts.challenges.make(purpose, ALICE.address, site, case))  # type: ignore[arg-type]
        nonce, signed = made.nonce, ALICE.sign(made.message)
    nonce = {"an unknown nonce": "0" * 32, "a nonce that is a question": "$ne"}.get(case, nonce)
    response = browser.answer(BOB if case == "another address" else ALICE, nonce, signed)
    assert response.status_code == status and browser.cookies == {}
    assert words in well_formed(response).one("p", role="alert").text


def test_a_challenge_is_good_once_and_for_some_minutes(client: Client) -> None:
    clock, db = Clock(), client.services.db
    challenges = Challenges(db, network(), clock)

    def made() -> tuple[str, str]:
        found = client.run(challenges.make("site", ALICE.address, SITE, "here"))
        return found.nonce, ALICE.sign(found.message)

    def answered(nonce: str, signed: str) -> Any:
        return client.run(challenges.answer("site", nonce, ALICE.address, signed, SITE))

    nonce, signed = made()
    with pytest.raises(Forbidden):
        answered(nonce, BOB.sign("x"))
    with pytest.raises(BadRequest, match="used"):
        answered(nonce, signed)
    nonce, signed = made()
    clock.now += MINUTES * 60 + 1
    with pytest.raises(BadRequest, match="older than 5 minutes"):
        answered(nonce, signed)

    async def at_once(nonce: str, signed: str) -> list[Any]:
        tries = (challenges.answer("site", nonce, ALICE.address, signed, SITE) for _ in range(8))
        return await asyncio.gather(*tries, return_exceptions=True)

    outcomes = client.run(at_once(*made()))
    assert [type(outcome) for outcome in outcomes].count(type(None)) == 1
    assert sum(isinstance(outcome, BadRequest) for outcome in outcomes) == 7


def test_challenges_that_wait_are_bounded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    challenges = Challenges(client.services.db, network(), clock)

    async def ask(times: int, who: str) -> None:
        for _ in range(times):
            await challenges.make("site", ALICE.address, SITE, who)

    client.run(ask(MOST_PER_CLIENT, "a flood"))
    with pytest.raises(RateLimited, match="wait a little"):
        client.run(ask(1, "a flood"))
    client.run(ask(1, "somebody else"))
    monkeypatch.setattr("explorer.accounts.challenges.MOST", MOST_PER_CLIENT + 1)
    with pytest.raises(RateLimited, match="too many people"):
        client.run(ask(1, "a third"))
    clock.now += MINUTES * 60 + 1
    client.run(ask(1, "a flood"))
    assert client.run(client.services.db.journal.remove("challenges", {"account": ALICE.address})) == 1


@pytest.mark.parametrize("address", [
    "", "1", "x" * 500, "1BoatSLRHtKNngkdXEeobR76b53LETtpyZ", "t1UHecy6WiSJXs4Zqt5UvVdRDF7PMbZJK7q",
    encode_address(bytes([P2SH]) + bytes(20), network()), "<script>alert(1)</script>",
    "3P14159f73E4gFr7JterCCQh9QjiTjiZrG",
])  # fmt: skip
def test_addresses_that_cannot_sign(browser: Browser, address: str) -> None:
    page = browser.post("/account/challenge", {"address": address})
    assert page.status_code == 400
    assert well_formed(page).one("input", id="address").attributes["value"] == address
    assert len(list(well_formed(page).all("script"))) == 1


def test_a_session_slides_to_a_bound_and_the_database_cannot_use_it(client: Client) -> None:
    clock, db = Clock(), client.services.db
    sessions = Sessions(db, clock)
    token = client.run(sessions.begin("somebody", "site", SITE))
    (row,) = client.run(db.find("sessions", {"account": "somebody"}))
    assert bytes(row["_id"]) == digest(token) and token not in repr(row)
    for purpose, site, given in (("program", SITE, token), ("site", "evil.example", token), ("site", SITE, "x"),
                                 ("site", SITE, ""), ("site", SITE, "x" * 10_000)):  # fmt: skip
        assert client.run(sessions.find(given, purpose, site)) is None  # type: ignore[arg-type]
    begun = clock.now
    while clock.now + IDLE_SECONDS - 10 < begun + LONGEST_SECONDS:
        clock.now += IDLE_SECONDS - 10
        assert client.run(sessions.find(token, "site", SITE)) == "somebody"
    clock.now = begun + LONGEST_SECONDS
    assert client.run(sessions.find(token, "site", SITE)) is None
    idle = client.run(sessions.begin("somebody", "site", SITE))
    clock.now += IDLE_SECONDS
    assert client.run(sessions.find(idle, "site", SITE)) is None
    tokens = [client.run(sessions.begin("somebody", "site", SITE)) for _ in range(MOST + 2) if advance(clock)]
    alive = [client.run(sessions.find(token, "site", SITE)) is not None for token in tokens]
    assert alive == [False, False, *[True] * MOST]
    assert client.run(sessions.end_all("somebody")) == MOST


def advance(clock: Clock) -> bool:
    """A second later."""
    clock.now += 1
    return True


def test_who_signs_in_gets_a_session_of_his_own(browser: Browser) -> None:
    planted = "A" * 43
    browser.cookies["session"] = planted
    browser.sign_in(ALICE)
    first = browser.cookies["session"]
    assert first != planted
    browser.sign_in(ALICE)
    again = browser.cookies["session"]
    browser.cookies["session"] = first
    assert "Who are you?" in browser.page("/account").one("main").text
    browser.cookies["session"] = again
    other = Browser(browser.client)
    other.sign_in(ALICE)
    browser.post("/account/sign-out-everywhere")
    assert "Who are you?" in other.page("/account").one("main").text


FORMS = ["/account/challenge", "/account/sign-in", "/account/sign-out", "/account/sign-out-everywhere", "/account/feed",
         "/account/watches", "/account/watches/remove", "/account/feed/revoke", "/account/delete", "/account/webhooks",
         "/account/webhooks/0/delete"]  # fmt: skip


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_other_sites_and_of_nobody(browser: Browser, path: str) -> None:
    browser.enter()
    asked: list[dict[str, str]] = [
        {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}, {"Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site", "Origin": "http://explorer"},
    ]  # fmt: skip
    for headers in asked:
        assert browser.post(path, {"confirm": "yes"}, **headers).status_code == 403, headers
    for origin in ("http://evil.example", "null", "", "http://explorer.evil.example", "http://evil.example/explorer"):
        headers = {"Origin": origin, "Cookie": f"session={browser.cookies['session']}", "Accept": "text/html"}
        response = browser.client.post(path, data={"confirm": "yes"}, headers=headers)
        assert response.status_code == 403, origin
    browser.client.forget_cookies()
    token = browser.cookies["session"]
    assert browser.client.run(browser.client.services.accounts.account(token, "site", SITE)) is not None
    if path not in ("/account/challenge", "/account/sign-in", "/account/sign-out"):
        stranger = Browser(browser.client)
        assert stranger.post(path, {"confirm": "yes"}).status_code in (303, 401)
        assert stranger.post(path, {"x": "y" * 70_000}).status_code == 413


def test_a_form_with_our_origin_and_no_fetch_header_is_ours(browser: Browser) -> None:
    headers = {"Origin": "http://explorer", "Accept": "text/html"}
    response = browser.client.post("/account/challenge", data={"address": ALICE.address}, headers=headers)
    assert response.status_code == 200


@pytest.mark.parametrize("back", [
    "//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\nx",
    "/a\r\nSet-Cookie: a=b", "x",
])  # fmt: skip
def test_nobody_is_led_elsewhere(browser: Browser, back: str) -> None:
    nonce, message = browser.challenge(ALICE)
    response = browser.answer(ALICE, nonce, ALICE.sign(message), next=back)
    assert (response.status_code, response.headers["location"]) == (303, "/account")


def test_hosts_that_accounts_are_for(client: Client) -> None:
    db = client.services.db

    def site(host: str, *, names: str = "", enabled: bool = True) -> str:
        try:
            return open_accounts(db, network(), Settings(enabled, names, 5)).site(host)
        except ExplorerError as error:
            return error.code

    asked = ["127.0.0.1:8080", "[::1]:8080", "localhost", "evil.example", "", "explorer.example",
             "Explorer.Example:8443"]  # fmt: skip
    assert [site(host) for host in asked] == [*asked[:3], *["forbidden"] * 4]
    named = "explorer.example, flux.example:81"
    expected = [*["forbidden"] * 5, "explorer.example", "explorer.example:8443"]
    assert [site(host, names=named) for host in asked] == expected
    assert [site(host, names=named) for host in ("flux.example:81", "flux.example")] == ["flux.example:81", "forbidden"]
    assert site("127.0.0.1", enabled=False) == "forbidden"
    response = client.get("/account", headers={"Host": "evil.example", "Accept": "text/html"})
    assert (response.status_code, response.headers["cache-control"]) == (403, "no-store")
    for host, offered in (("evil.example", False), ("explorer", True)):
        page = client.get(f"/address/{ALICE.address}", headers={"Host": host, "Accept": "text/html"}).text
        assert [text in page for text in ('href="/account"', 'action="/account/watches"')] == [offered] * 2


def test_a_blocked_account_is_out_and_stays_out(browser: Browser) -> None:
    browser.sign_in()
    db, book = browser.client.services.db, browser.client.services.accounts.book
    browser.client.run(db.journal.change("accounts", {"_id": ALICE.address}, {"$set": {"blocked": True}}))
    assert "Who are you?" in browser.page("/account").one("main").text
    with pytest.raises(Forbidden, match="blocked"):
        browser.client.run(book.admit(ALICE.address))
    with pytest.raises(NotSignedIn):
        browser.client.run(book.watch(ALICE.address, "address", ALICE.address, ""))


def test_accounts_with_nothing_in_them_are_forgotten(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, db = Clock(), client.services.db
    book = Accounts(db, network(), clock)
    for name in ("empty", "watching", "telling", "blocked", "feeding"):
        client.run(book.admit(name))
    client.run(book.watch("watching", "address", ALICE.address, ""))
    client.run(book.open_feed("feeding"))
    client.run(db.journal.change("accounts", {"_id": "blocked"}, {"$set": {"blocked": True}}))
    client.run(db.journal.put("webhooks", [{"_id": "told", "account": "telling"}]))
    clock.now += 31 * 86_400
    client.run(book.admit("new"))
    left = {row["_id"] for row in client.run(db.find("accounts", {}))}
    assert left == {"watching", "telling", "blocked", "feeding", "new"}
    monkeypatch.setattr("explorer.accounts.book.MOST_ACCOUNTS", 5)
    with pytest.raises(RateLimited):
        client.run(book.admit("newer"))
    client.run(book.admit("new"))
    for name in left:
        client.run(book.delete(name))


def test_nothing_of_a_session_is_logged(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser.sign_in()
    browser.get("/account")
    assert caplog.text and browser.cookies["session"] not in caplog.text
