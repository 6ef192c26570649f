"""Watch lists: what they show, what they take, how they leave; and that deleting leaves nothing behind."""

from __future__ import annotations

import asyncio
import csv
import json
from contextlib import closing
from typing import Any

import pytest
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from explorer.accounts.book import LONGEST_NOTE, MOST_WATCHES
from explorer.accounts.hooks import Wish
from explorer.queries.watched import watched
from tests.accounts.visiting import ALICE, BOB, Browser, well_formed
from tests.site.markup import HOSTILE

PAID = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
NODE = "939331a90701ce08fd9d7619f728ab3bddb28279b1ca851f0ad471504b6733e2:0"


@pytest.fixture
def alice(browser: Browser) -> Browser:
    """A browser that is signed in."""
    browser.enter(ALICE)
    return browser


def watch(browser: Browser, kind: str, entry: str, note: str = "") -> int:
    """Put something on the list; the status of the answer."""
    return browser.post("/account/watches", {"kind": kind, "entry": entry, "note": note}).status_code


def holding(index: tuple[str, str], *texts: str) -> set[tuple[str, Any]]:
    """Collection and id of every document of a database that has one of the texts anywhere in its bytes."""
    raw: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    sought = [text.encode() for text in texts]
    with closing(MongoClient[Any](index[0])) as mongo:
        database = mongo[index[1]]
        return {
            (name, document["_id"])
            for name in database.list_collection_names()
            for document in database.get_collection(name, codec_options=raw).find()
            if any(text in document.raw for text in sought)
        }


def test_the_page_shows_what_the_chain_says(alice: Browser) -> None:
    empty = alice.page("/account")
    assert "Add to the list" in empty.one("main").text and not list(empty.all("table"))
    assert [watch(alice, *what) for what in (("address", ALICE.address, "mine"), ("payee", PAID, "pool"),
                                             ("node", NODE.upper(), "cellar"))] == [303] * 3  # fmt: skip
    page, client = alice.page("/account"), alice.client
    balance = client.json(f"/api/v1/addresses/{PAID}")
    cells = [e.text for e in page.all("td")]
    assert any(cell.startswith(f"{int(balance['balance'].split('.')[0]):,}.") for cell in cells)
    fleet = client.json(f"/api/v1/operator?nodes={PAID}+{NODE}")
    assert f"{fleet['total']} node" in page.one("h2", id="nodes").text
    assert {"mine", "pool", "cellar", "never"} <= set(cells)
    credits = client.json(f"/api/v1/credits?address={PAID}&limit=1000")
    assert not credits["more"]
    found = client.run(client.services.db.fenced(watched, (PAID, ALICE.address), (NODE,))).value
    sums: dict[int, int] = {}
    for item in credits["items"]:
        if item["kind"] == "credit" and item["confirmations"] > 0:
            sums[item["height"]] = sums.get(item["height"], 0) + int(item["value"].replace(".", ""))
    told = {credit.height: credit.value for credit in found.credits}
    assert told and told == {height: sums[height] for height in sorted(sums)[-len(told):]}
    assert [node.node for node in found.nodes.items] == [NODE]
    assert [(one.balance, one.last_height) for one in found.addresses[1:]] == [(0, None)]


def test_an_entry_is_kept_once_and_removed(alice: Browser) -> None:
    book = alice.client.services.accounts.book
    for note in ("a", "b\tc\n"):
        assert watch(alice, "address", f" {PAID} ", note) == 303
    assert watch(alice, "payee", PAID) == 303
    kept = alice.client.run(book.read(ALICE.address)).watches
    assert [(w.kind, w.entry, w.note) for w in kept] == [("address", PAID, "b c"), ("payee", PAID, "")]
    assert alice.post("/account/watches/remove", {"kind": "address", "entry": PAID}).status_code == 303
    assert alice.post("/account/watches/remove", {"kind": "address", "entry": PAID}).status_code == 404
    assert [w.kind for w in alice.client.run(book.read(ALICE.address)).watches] == ["payee"]


@pytest.mark.parametrize(("kind", "entry", "note", "words"), [
    ("address", "t1x", "", "That was not done"), ("node", PAID, "", "is no node"),
    ("wallet", PAID, "", "expected one of"),
    ("address", PAID, "x" * (LONGEST_NOTE + 1), "at most 200"), ("address", "x" * 9000, "", "characters"),
    ("", "", "", "expected one of"), ("address", ALICE.address + "\0", "", "no character"),
])  # fmt: skip
def test_what_cannot_be_watched(alice: Browser, kind: str, entry: str, note: str, words: str) -> None:
    response = alice.post("/account/watches", {"kind": kind, "entry": entry, "note": note})
    assert response.status_code == 400 and words in well_formed(response).one("p", role="alert").text
    assert alice.client.run(alice.client.services.accounts.book.read(ALICE.address)).watches == ()


def test_a_list_is_bounded_also_when_it_grows_at_once(alice: Browser) -> None:
    client, book = alice.client, alice.client.services.accounts.book
    entries = [f"{n:064x}:{n}" for n in range(MOST_WATCHES + 6)]

    async def all_at_once() -> list[Any]:
        tries = (book.watch(ALICE.address, "node", entry, "") for entry in entries)
        return await asyncio.gather(*tries, return_exceptions=True)

    refused = [outcome for outcome in client.run(all_at_once()) if isinstance(outcome, Exception)]
    assert len(refused) == 6 and "remove one first" in str(refused[0])
    kept = client.run(book.read(ALICE.address)).watches
    assert len(kept) == MOST_WATCHES == len({w.entry for w in kept})
    client.run(book.watch(ALICE.address, "node", kept[0].entry, "a note still fits"))
    assert alice.get("/account").status_code == 200


@pytest.mark.parametrize("text", [*HOSTILE, "=cmd|'/c calc'!A1", "+1", "@x", "-2", "BEGIN:VEVENT"])
def test_notes_stay_text_everywhere(alice: Browser, text: str) -> None:
    assert watch(alice, "node", NODE, text) == 303
    page = alice.page("/account")
    note = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert note in [e.text for e in page.all("td")]
    assert len(list(page.all("script"))) == 1 and not [e for e in page.elements if e.tag in ("img", "iframe")]
    secret = alice.client.run(alice.client.services.accounts.book.open_feed(ALICE.address))
    (row,) = list(csv.DictReader(alice.get(f"/watched/{secret}.csv").text.splitlines()))
    assert row["note"] == (f"'{note}" if note[0] in "=+-@" else note)
    lines = alice.get(f"/watched/{secret}.ics").text.replace("\r\n ", "").split("\r\n")
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") <= 2


def test_a_feed_is_read_by_its_address_until_it_is_revoked(alice: Browser) -> None:
    payee = alice.client.json("/api/v1/nodes?limit=1")["items"][0]["address"]
    for kind, entry in (("payee", payee), ("node", NODE), ("address", ALICE.address)):
        watch(alice, kind, entry, "noted")
    (calendar, table) = [e.text for e in well_formed(alice.post("/account/feed")).all("code")]
    reader = Browser(alice.client)
    assert calendar.startswith("http://explorer/watched/") and calendar[:-4] == table[:-4]
    told = reader.get(calendar)
    assert (told.headers["content-type"], told.headers["cache-control"]) == ("text/calendar; charset=utf-8",
                                                                             "private, no-store")  # fmt: skip
    fleet = alice.client.json(f"/api/v1/operator?nodes={payee}+{NODE}")["items"]
    assert len(fleet) > 1
    expected = [n for n in fleet if n["eta"]], [n for n in fleet if n["expires_height"]]
    assert told.text.count("BEGIN:VEVENT") == sum(map(len, expected)) > 0
    rows = list(csv.DictReader(reader.get(table).text.splitlines()))
    assert [row["entry"] for row in rows] == [payee, ALICE.address, *(n["node"] for n in fleet)]
    assert {row["note"] for row in rows} == {"noted"}
    assert ALICE.address not in told.text
    (second, _) = [e.text for e in well_formed(alice.post("/account/feed")).all("code")]
    assert [reader.get(path).status_code for path in (calendar, table, second)] == [404, 404, 200]
    assert second not in alice.get("/account").text
    alice.post("/account/feed/revoke")
    assert reader.get(second).status_code == 404
    for guess in ("$ne", "0" * 43, "%00", "x" * 5000):
        assert reader.get(f"/watched/{guess}.ics").status_code == 404


def test_what_is_taken_away_is_everything_and_deleting_leaves_nothing(
    alice: Browser, recorded_index: tuple[str, str]
) -> None:
    client = alice.client
    bob = Browser(client)
    bob.enter(BOB)
    watch(bob, "address", ALICE.address, "bob's")
    watch(alice, "node", NODE, "a note of alice's")
    alice.post("/account/feed")
    alice.challenge(ALICE)
    asked = Wish("https://shop.example/", "till", [PAID], [], None, 1)
    hook, secret = client.run(client.services.accounts.hooks.make(ALICE.address, asked))
    pending = {"pending": {"seq": "1", "body": b'{"event":"credit"}', "after": "credit", "place": "x"}}
    client.run(client.services.db.journal.change("webhooks", {"_id": hook.id}, {"$set": pending}))
    response = alice.get("/account/export.json")
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["cache-control"] == "private, no-store"
    kept = json.loads(response.text)
    assert kept["account"]["watches"][0]["note"] == "a note of alice's"
    assert (kept["webhooks"][0]["id"], kept["webhooks"][0]["hook"]["secret"]) == (hook.id, secret)
    assert len(kept["sessions"]) == len(kept["challenges"]) == 1
    assert "bob's" not in response.text and alice.cookies["session"] not in response.text
    assert Browser(client).get("/account/export.json").status_code == 401

    found = {name for name, id in holding(recorded_index, ALICE.address) if id != BOB.address}
    assert found == {"accounts", "webhooks", "sessions", "challenges"}
    assert alice.post("/account/delete").status_code == 400
    assert "tick the box" in well_formed(alice.post("/account/delete")).one("p", role="alert").text
    gone = alice.post("/account/delete", {"confirm": "yes"})
    assert gone.status_code == 200 and "Account deleted" in gone.text and alice.cookies == {}
    left = holding(recorded_index, ALICE.address, hook.id, secret, "alice's", "shop.example")
    assert left == {("accounts", BOB.address)}
    assert "bob's" in [e.text for e in bob.page("/account").all("td")]
    bob.forget()


def test_a_button_leads_who_is_not_signed_in_there_and_back(browser: Browser) -> None:
    response = browser.post("/account/watches", {"kind": "node", "entry": NODE})
    assert response.status_code == 303
    page = well_formed(browser.get(response.headers["location"]))
    back = page.one("input", name="next").attributes["value"]
    nonce, message = browser.challenge(ALICE)
    led = browser.answer(ALICE, nonce, ALICE.sign(message), next=back).headers["location"]
    assert browser.page(led).one("input", id="entry").attributes["value"] == NODE


@pytest.mark.parametrize(("page", "kind"), [
    (f"/address/{PAID}", "address"), (f"/node/{NODE}", "node"), (f"/operator?nodes={NODE}", "node"),
])  # fmt: skip
def test_pages_of_the_chain_have_a_button(alice: Browser, page: str, kind: str) -> None:
    shown = alice.page(page)
    (form,) = (e for e in shown.all("form") if e.attributes.get("action") == "/account/watches")
    fields = {name: shown.one("input", name=name).attributes["value"] for name in ("kind", "entry")}
    assert form.attributes["method"] == "post" and fields["kind"] == kind
    assert alice.post("/account/watches", fields).status_code == 303
    (kept,) = alice.client.run(alice.client.services.accounts.book.read(ALICE.address)).watches
    assert (kept.kind, kept.entry) == (kind, PAID if kind == "address" else NODE)
