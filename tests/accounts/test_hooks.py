"""Webhooks of accounts: made and ended by their owner alone, told like the operator's, never to private networks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.accounts.hooks import AccountHook, AccountHooks, Wish
from explorer.db import View
from explorer.errors import BadRequest, NotFound, NotSignedIn, RateLimited
from explorer.queries.credits import credits
from explorer.webhooks import book as rows
from explorer.webhooks.book import Book
from explorer.webhooks.post import Post
from explorer.webhooks.tellers import Tellers
from tests.accounts.visiting import ALICE, BOB, Browser, well_formed
from tests.explorer.client import Client
from tests.explorer.receiver import SECRET, Receiver
from tests.site.markup import HOSTILE

PAID = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
NODE = "939331a90701ce08fd9d7619f728ab3bddb28279b1ca851f0ad471504b6733e2:0"
URL = "https://shop.example/flux"
LEFT = 5  # credits that are yet to be told


def wish(**more: Any) -> Wish:
    """A webhook as a visitor may wish for."""
    asked: dict[str, Any] = {"url": URL, "note": "", "addresses": [PAID], "nodes": [], "events": None,
                             "min_confirmations": 1}  # fmt: skip
    return Wish(**(asked | more))


@pytest.fixture
def hooks(browser: Browser) -> AccountHooks:
    """The webhooks of a site at which Alice is signed in."""
    browser.enter(ALICE)
    return browser.client.services.accounts.hooks


@pytest.fixture
def tellers(client: Client) -> Iterator[Tellers]:
    """A notifier that may go to this machine, unlike a real one."""
    post = Post(1.0, True, time.time)
    yield Tellers(client.services.db, Book(client.services.db, 60.0), post)
    client.run(post.close())


def made(client: Client, hooks: AccountHooks, **more: Any) -> AccountHook:
    """A new webhook of Alice's."""
    return client.run(hooks.make(ALICE.address, wish(**more)))[0]


async def seen_before(view: View) -> str:
    """The place in the feed after which the last few credits of the recorded chain are."""
    return (await credits(view, [PAID], cursor=None, limit=1000)).items[-1 - LEFT].seq


def to(client: Client, hook: AccountHook, receiver: Receiver) -> None:
    """Let a webhook lead to the receiver, and begin before the last credits."""
    place = client.run(client.services.db.fenced(seen_before)).value
    change = {"hook.url": receiver.url, "hook.secret": SECRET, "credit": place}
    assert client.run(client.services.db.journal.change("webhooks", {"_id": hook.id}, {"$set": change}))


async def turns(tellers: Tellers, count: int) -> None:
    """Look so often, each time until all is done."""
    for _ in range(count):
        await tellers.look()
        await tellers.settle()


def told(receiver: Receiver) -> list[str]:
    """The events that were delivered."""
    return [json.loads(body)["event"] for _, body in receiver.requests]


def test_it_is_told_in_order_and_its_log_tells(
    client: Client, hooks: AccountHooks, tellers: Tellers, browser: Browser
) -> None:
    with Receiver(chance=0.0) as receiver:
        hook = made(client, hooks, note="<b>till</b>")
        to(client, hook, receiver)
        client.run(hooks.test(ALICE.address, hook.id))
        client.run(turns(tellers, 2))
        assert told(receiver)[0] == "test" and set(told(receiver)[1:]) == {"credit"}
        assert len(told(receiver)) == 1 + LEFT and client.run(hooks.one(ALICE.address, hook.id)).delivered == 1 + LEFT
        client.run(turns(tellers, 1))
        assert len(told(receiver)) == 1 + LEFT
        keys = [headers["idempotency-key"] for headers, _ in receiver.requests]
        assert len(set(keys)) == len(keys) and keys[0].startswith("test-")
        assert {headers["flux-webhook"] for headers, _ in receiver.requests} == {hook.id}
        assert receiver.wrong == []
    page = well_formed(browser.get(f"/account/webhooks/{hook.id}"))
    assert page.one("h2", id="what").text == "<b>till</b>"
    assert [row.text for row in page.all("td") if row.attributes["data-label"] == "Result"] == ["taken"] * (1 + LEFT)
    assert SECRET not in browser.get(f"/account/webhooks/{hook.id}").text + browser.get("/account/webhooks").text


def test_what_fails_is_told_again_and_paused_when_it_fails_for_long(
    client: Client, hooks: AccountHooks, tellers: Tellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.webhooks.sender.pause_after", lambda attempts: 0.0)
    monkeypatch.setattr(rows, "MOST_ATTEMPTS", 4)
    with Receiver(chance=1.0, ways=("fault",)) as receiver:
        hook = made(client, hooks)
        to(client, hook, receiver)
        client.run(turns(tellers, 3))
        shown = client.run(hooks.one(ALICE.address, hook.id))
        assert (shown.paused, shown.problem, shown.delivered) == (True, "it answered HTTP 500", 0)
        assert [attempt.problem for attempt in shown.attempts] == ["it answered HTTP 500"] * 4
        assert len({attempt.seq for attempt in shown.attempts}) == 1
        receiver.chance = 0.0
        client.run(turns(tellers, 1))
        assert len(receiver.requests) == 4
        with pytest.raises(BadRequest, match="paused"):
            client.run(hooks.test(ALICE.address, hook.id))
        client.run(hooks.act(ALICE.address, hook.id, "resume"))
        client.run(turns(tellers, 1))
        shown = client.run(hooks.one(ALICE.address, hook.id))
        assert (shown.paused, shown.problem, shown.delivered, shown.waiting) == (False, None, LEFT, False)


def test_one_that_hangs_or_is_deleted_holds_up_no_other(
    client: Client, hooks: AccountHooks, tellers: Tellers
) -> None:
    with Receiver(chance=1.0, ways=("hang",)) as slow, Receiver(chance=0.0) as quick:
        first, second = made(client, hooks), made(client, hooks)
        to(client, first, slow)
        to(client, second, quick)

        async def delete_while_telling() -> None:
            await tellers.look()
            while not slow.requests:
                await asyncio.sleep(0.01)
            await hooks.remove(ALICE.address, first.id)
            await tellers.settle()

        client.run(delete_while_telling())
        assert told(quick) == ["credit"] * LEFT
    assert [hook.id for hook in client.run(hooks.all(ALICE.address))] == [second.id]


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/", "https://localhost:1/x", "https://[::1]:1/"])
def test_private_networks_get_nothing(client: Client, hooks: AccountHooks, url: str) -> None:
    hook = made(client, hooks, url=url)
    client.run(hooks.test(ALICE.address, hook.id))

    async def tell() -> None:
        post = Post(1.0, False, time.time)
        await turns(Tellers(client.services.db, Book(client.services.db, 60.0), post), 1)
        await post.close()

    client.run(tell())
    (attempt,) = client.run(hooks.one(ALICE.address, hook.id)).attempts
    assert attempt.event == "test" and "private network" in str(attempt.problem)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"url": "http://shop.example/"}, "expected https"),
        ({"url": "file:///etc/passwd"}, "without a login"),
        ({"url": "https://a:b@shop.example/"}, "without a login"),
        ({"url": "https://shop.example:0/"}, "without a login"),
        ({"url": "https://shop.example:99999/"}, "the url is none"),
        ({"url": ""}, "expected a text"),
        ({"url": "https://münchen.example/"}, "ASCII"),
        ({"url": URL + "x" * 500}, "at most 500"),
        ({"note": "x" * 201}, "at most 200"),
        ({"addresses": []}, "of what should it be told"),
        ({"addresses": ["t1x"]}, "t1x"),
        ({"addresses": [PAID] * 101}, "at most 100"),
        ({"nodes": [NODE] * 101}, "at most 100"),
        ({"nodes": ["x"]}, "no node"),
        ({"events": ["payout", "x"]}, "no event 'x'"),
        ({"min_confirmations": 0}, "min_confirmations"),
    ],
)
def test_what_is_no_webhook(client: Client, hooks: AccountHooks, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words.replace("(", r"\(")):
        client.run(hooks.make(ALICE.address, wish(**asked)))
    assert client.run(hooks.all(ALICE.address)) == ()


def test_an_account_has_few_also_when_it_asks_at_once(client: Client, hooks: AccountHooks) -> None:
    async def at_once() -> int:
        tries = (hooks.make(ALICE.address, wish()) for _ in range(8))
        return sum(not isinstance(o, Exception) for o in await asyncio.gather(*tries, return_exceptions=True))

    kept = client.run(at_once())
    assert kept <= hooks.most
    for _ in range(hooks.most - kept):
        made(client, hooks)
    with pytest.raises(BadRequest, match="delete one first"):
        made(client, hooks)
    assert len(client.run(hooks.all(ALICE.address))) == hooks.most
    with pytest.raises(NotSignedIn):
        client.run(hooks.make("nobody", wish()))
    assert client.run(hooks.all("nobody")) == ()


def test_what_is_another_ones_is_unknown(client: Client, hooks: AccountHooks, browser: Browser) -> None:
    hook = made(client, hooks)
    stranger = Browser(client)
    stranger.enter(BOB)
    assert stranger.get(f"/account/webhooks/{hook.id}").status_code == 404
    for action in ("pause", "resume", "test", "delete", "x"):
        assert stranger.post(f"/account/webhooks/{hook.id}/{action}").status_code == 404
        with pytest.raises(NotFound):
            client.run(hooks.act(BOB.address, hook.id, action))
    stranger.forget()
    client.run(hooks.test(ALICE.address, hook.id))
    with pytest.raises(RateLimited):
        client.run(hooks.test(ALICE.address, hook.id))
    assert browser.post(f"/account/webhooks/{hook.id}/test").status_code == 429
    assert browser.post(f"/account/webhooks/{hook.id}/delete").headers["location"] == "/account/webhooks"
    assert browser.get("/account/webhooks", Cookie="").headers["location"] == "/account?next=%2Faccount%2Fwebhooks"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_the_form_stays_text(browser: Browser, hooks: AccountHooks, text: str) -> None:
    fields = {"note": text, "url": text, "addresses": PAID, "nodes": text, "min_confirmations": text, "events": text}
    refused = browser.post("/account/webhooks", fields)
    assert refused.status_code == 400
    assert well_formed(refused).one("input", id="url").attributes["value"] == text
    page = well_formed(browser.post("/account/webhooks", {"note": text, "url": URL, "addresses": PAID}))
    assert len(list(page.all("script"))) == 1 and not [e for e in page.elements if e.tag in ("img", "iframe")]
    (hook,) = browser.client.run(hooks.all(ALICE.address))
    assert hook.note == " ".join("".join(c if c.isprintable() else " " for c in text).split())


@pytest.mark.parametrize(
    ("language", "words"),
    [("de", "'t1x': 3 Zeichen sind zu wenig für eine Adresse"), ("en", "'t1x': 3 characters are too few")],
)
def test_a_mistake_in_a_form_is_told_in_the_language_of_the_page(browser: Browser, language: str, words: str) -> None:
    browser.enter()
    refused = browser.post("/account/webhooks", {"url": URL, "addresses": "t1x"}, Accept_Language=language)
    assert words in well_formed(refused).one("main").text


def test_the_secret_is_shown_once(browser: Browser, hooks: AccountHooks) -> None:
    page = well_formed(browser.post("/account/webhooks", {"url": URL, "addresses": f"{PAID}, {ALICE.address}"}))
    (secret,) = [e.text for e in page.all("code")]
    row: Any = browser.client.run(browser.client.services.db.find_one("webhooks", {"account": ALICE.address}, ()))
    assert row["hook"]["secret"] == secret and len(secret) >= 32
    assert row["hook"]["addresses"] == [PAID, ALICE.address] and row["hook"]["events"] == []
    assert secret not in browser.get("/account/webhooks").text
