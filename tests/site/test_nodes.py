"""The pages about nodes show what the API answers, and what moves on them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from explorer.app import create_app
from explorer.pages import formats, node_words
from explorer.queries.node_results import Eta
from indexer.chain.params import COIN
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.indexed import Index, chain, network
from tests.site.markup import Element, Markup
from tests.site.test_hostile import LISTED
from tests.site.test_numbers import page_of, plain
from tests.site.test_pages import CONFIRMED, EXPIRED, NODES, OPERATOR, SPENT_NODE, UNUSED

TIERS = ("cumulus", "nimbus", "stratus")
WRONG = (420, 440, 441)  # heights whose payouts are made to look unpaid


def titles(page: Markup, prefix: str) -> list[str]:
    """The whole texts of the shortened links to pages under a path."""
    return [e.attributes["title"] for e in page.all("a", class_="hash") if e.attributes["href"].startswith(prefix)]


def boxes(page: Markup) -> list[Element]:
    """The cards of the tiers."""
    return list(page.all("section", class_="tierbox"))


def test_the_tiers(site: Client) -> None:
    tiers = site.json("/api/v1/tiers")["items"]
    page = page_of(site, "/nodes")
    assert [box.attributes["aria-label"].lower() for box in boxes(page)] == [t["tier"] for t in tiers]
    for box, tier in zip(boxes(page), tiers, strict=True):
        assert f" {tier['nodes']['confirmed']} confirmed" in box.text
        assert (f"{tier['nodes']['dos']} on the DoS list" in box.text) == bool(tier["nodes"]["dos"])
        for amount in (tier["reward"], tier["annual_reward_per_node"], tier["collateral"]):
            assert amount in plain(box.text)
        assert tier["next"]["node"] in box.text
        assert f"{tier['cycle_blocks']} blocks" in box.text
        assert f"{tier['observed_cycle_blocks']} blocks" in box.text
    home = page_of(site, "/")
    assert [box.text.split(" Next")[0] for box in boxes(home)] == [
        box.text.split(" Next")[0] for box in boxes(page)
    ]


@pytest.mark.parametrize("query", ["", "at=600", "at=1900", "at=3"])
@pytest.mark.parametrize("tier", TIERS)
def test_a_queue(site: Client, tier: str, query: str) -> None:
    items = site.json(f"/api/v1/tiers/{tier}/queue?limit=50&{query}")["items"]
    page = page_of(site, f"/nodes/{tier}?{query}")
    rows = [(int(row[0]), row[1], row[2], row[3], row[4], row[5]) for row in page.rows()]
    assert rows == [
        (
            place["rank"] + 1, place["node"], place["ip"], place["address"],
            "never yet" if place["last_paid_height"] is None else f"{place['last_paid_height']:,}",
            f"{place['pays_by_height']:,}",
        )
        for place in items
    ]  # fmt: skip
    for row, place in zip(page.rows(), items, strict=True):
        assert row[6].endswith(("next block", node_words.span(Eta(**place["eta"]))))


def test_a_queue_is_walked_by_its_links(site: Client) -> None:
    path, seen = "/nodes/cumulus?limit=20", []
    while path:
        page = page_of(site, path)
        seen += [row[1] for row in page.rows()]
        path = next((e.attributes["href"] for e in page.all("a") if e.text.startswith("Further back")), "")
        path = path and f"{path}&limit=20"
    assert seen == [place["node"] for place in site.pages("/api/v1/tiers/cumulus/queue", 1000)]
    assert [row[1] for row in page_of(site, "/nodes/cumulus?position=31").rows()] == seen[30:80]


@pytest.mark.parametrize("at", ["", "at=1500", "at=700"])
@pytest.mark.parametrize("tier", TIERS)
def test_the_places_of_an_address(site: Client, tier: str, at: str) -> None:
    queue = site.json(f"/api/v1/tiers/{tier}/queue?limit=1000&{at}")["items"]
    ((address, _),) = Counter(place["address"] for place in queue).most_common(1)
    mine = [(f"{place['rank'] + 1}", place["node"]) for place in queue if place["address"] == address]
    page = page_of(site, f"/nodes/{tier}?address={address}&{at}")
    assert [(row[0], row[1]) for row in page.rows()] == mine
    for position, node in mine:
        jump = next(e.attributes["href"] for e in page.all("a") if e.text == position and "td" in e.parents)
        assert page_of(site, jump).rows()[0][:2] == [position, node]
    unused = page_of(site, f"/nodes/{tier}?address={UNUSED}&{at}")
    assert unused.rows() == []
    assert "No place in this queue pays" in unused.one("main").text


@pytest.mark.parametrize("status", ["confirmed", "dos", "expired", "spent", "removed", "released"])
def test_a_list_of_nodes_is_walked_by_its_links(site: Client, status: str) -> None:
    path, seen = f"/nodes?status={status}&limit=20", []
    while path:
        page = page_of(site, path)
        seen += [(row[0], row[4]) for row in page.rows()]
        path = next((e.attributes["href"] for e in page.all("a") if e.text.startswith("More nodes")), "")
        path = path and f"{path}&limit=20"
    nodes = site.json(f"/api/v1/nodes?status={status}&limit=1000")["items"]
    assert seen == [(node["node"], node["address"]) for node in nodes]
    assert seen


def test_what_is_listed_without_a_filter_and_with_each(site: Client) -> None:
    node = site.json(f"/api/v1/nodes/{CONFIRMED}")
    confirmed = {n["node"] for n in site.json("/api/v1/nodes?status=confirmed&limit=1000")["items"]}
    assert {row[0] for row in page_of(site, "/nodes?limit=1000").rows()} == confirmed
    for query in (f"ip={node['ip']}", "ip=100.35.7.26", f"pubkey={node['pubkey']}", f"address={node['address']}"):
        assert CONFIRMED in [row[0] for row in page_of(site, f"/nodes?{query}").rows()]
    assert page_of(site, "/nodes?ip=100.35.7.2").rows() == []
    for query, is_first in (("", False), ("?view=dos", False), ("?ip=100.35.7.2", True), ("?tier=nimbus", True)):
        text = site.get(f"/nodes{query}").text
        assert (text.index('id="lists"') < text.index('class="trio"')) == is_first, query


@pytest.mark.parametrize("view", ["expiring", "started", "dos"])
def test_watch_lists(site: Client, view: str) -> None:
    nodes = site.json(f"/api/v1/nodes?status={'confirmed' if view == 'expiring' else view}&limit=1000")["items"]
    deadline = "dos_until" if view == "dos" else "expires_height"
    watched = [n for n in nodes if view != "expiring" or n["expires_height"] <= 2460]
    page = page_of(site, f"/nodes?view={view}")
    assert {row[0] for row in page.rows()} == {n["node"] for n in watched}
    heights = [int(row[5].split()[3].replace(",", "")) for row in page.rows()]
    assert heights == sorted(n[deadline] for n in watched)
    (tab,) = (e for e in page.all("a", href=f"/nodes?view={view}#lists"))
    assert tab.attributes["aria-current"] == "page"
    assert tab.text.endswith(f" {len(watched)}")


@pytest.mark.parametrize("query", ["", "?at=2000", "?at=420"])
@pytest.mark.parametrize("node", NODES)
def test_a_node(site: Client, node: str, query: str) -> None:
    twin = site.get(f"/node/{node}.json{query}")
    if twin.status_code == 404:
        assert site.get(f"/node/{node}{query}").status_code == 404
        return
    body: dict[str, Any] = twin.json()
    page = page_of(site, f"/node/{node}{query}")
    said = page.definitions()
    assert body["status"] in ("started", "confirmed", "dos", "expired", "spent", "removed", "released")
    assert node_words.STATUSES[body["status"]] in page.one("div", class_="title").text
    reason = "no confirmation came in time" if body["status"] == "dos" else body["reason"]
    assert (reason or "") in page.one("main").text
    assert said["Started"] == f"block {body['started_height']:,}"
    assert plain(said["Collateral"]) == body["collateral"]
    assert said["Payouts so far"].split()[0] == f"{body['paid_count']:,}"
    assert said["Lives"] == str(body["lives"])
    assert said["Paid to"] == body["address"]
    assert body["paid_total"] in plain(page.one("main").text)
    for term, key in (
        ("Paid at or before", "pays_by_height"),
        ("Last confirmation", "last_confirmed_height"),
        ("Next update accepted from", "next_update_height"),
        ("Without one, dropped at", "expires_height" if body["status"] == "confirmed" else ""),
        ("Released at", "dos_until"),
        ("Left the lists", "ended_height"),
    ):
        height = body.get(key)
        assert (f"block {height:,}" in said[term]) if height is not None else term not in said
    if body["rank"] is not None:
        tiers = site.json(f"/api/v1/tiers{query}")["items"]
        total = next(t["nodes"]["confirmed"] for t in tiers if t["tier"] == body["tier"])
        assert page.one("p", class_="huge").text == f"{body['rank'] + 1} of {total}"
        assert node_words.span(Eta(**body["eta"])) in said["Expected"]


@pytest.mark.parametrize("node", [CONFIRMED, EXPIRED, SPENT_NODE])
def test_the_timeline_of_a_node(site: Client, node: str) -> None:
    path, seen = f"/node/{node}?limit=40", []
    while path:
        page = page_of(site, path)
        seen += [(int(row[0].replace(",", "")), row[2], row[3], row[4]) for row in page.rows()]
        path = next((e.attributes["href"] for e in page.all("a") if e.text.startswith("Older")), "")
        path = path and f"{path}&limit=40"
    events = site.pages(f"/api/v1/nodes/{node}/events", 1000)
    assert [(height, what) for height, what, _, _ in seen] == [
        (e["height"], node_words.EVENTS[e["event"]]) for e in events
    ]
    assert [text for _, _, _, text in seen] == [e["txid"] or "by the rules" for e in events]
    amounts = [plain(detail) for _, what, detail, _ in seen if what == "Paid"]
    assert amounts == [e["detail"] for e in events if e["event"] == "payout"]


def test_a_node_of_the_past_leaves_out_what_came_later(site: Client) -> None:
    for view in ("timeline", "payouts"):
        rows = page_of(site, f"/node/{CONFIRMED}?at=1500&view={view}").rows()
        heights = [int(row[0].replace(",", "")) for row in rows]
        assert heights == sorted(heights, reverse=True)
        assert 1400 < heights[0] <= 1500


def test_whether_a_node_that_is_out_may_start_again(site: Client) -> None:
    said: Counter[str] = Counter()
    for status in ("expired", "released", "spent", "removed"):
        for node in site.json(f"/api/v1/nodes?status={status}&limit=1000")["items"]:
            lead = page_of(site, f"/node/{node['node']}").one("p", class_="lead").text
            txid, _, n = node["node"].partition(":")
            spent = site.json(f"/api/v1/transactions/{txid}")["outputs"][int(n)]["spent_by"] is not None
            current = node["collateral"] in ("1000.00000000", "12500.00000000", "40000.00000000")
            out = status in ("spent", "removed")
            state = "" if out else "is no collateral" if not current else "was spent" if spent else "may start again"
            assert state in lead and ("start again" in lead) == (not out), node
            assert (node["restart_from"] is None) == out
            said[state] += 1
    assert len(said) == 3, said


@pytest.mark.parametrize(
    ("status", "restart", "words"),
    [
        ("expired", "possible", "It may start again since block 649."),
        ("dos", None, "It may start again from block 649."),
        ("released", "spent", "It cannot start again: its collateral was spent since."),
        ("expired", "lapsed", "It cannot start again: 10,000 FLUX is no collateral of a tier any more."),
    ],
)
def test_words_about_a_restart(status: Any, restart: Any, words: str) -> None:
    node = replace(LISTED, status=status, restart_from=649, collateral=10_000 * COIN)
    assert node_words.restart_sentence(node, restart) == words
    assert node_words.restart_sentence(replace(node, restart_from=None), None) == ""


@pytest.mark.parametrize("node", [CONFIRMED, EXPIRED])
def test_the_payouts_of_a_node_and_what_lies_between(site: Client, node: str) -> None:
    payouts = site.json(f"/api/v1/nodes/{node}/payouts?limit=1000")["items"]
    page = page_of(site, f"/node/{node}?view=payouts&limit=1000")
    rows = page.rows()
    assert [(int(row[0].replace(",", "")), row[3], row[4], plain(row[5]), plain(row[6])) for row in rows] == [
        (p["height"], p["outpoint"], "Paid as expected", p["amount"], p["amount"]) for p in payouts
    ]
    gaps = [newer["height"] - older["height"] for newer, older in zip(payouts, payouts[1:], strict=False)]
    assert [row[2].split()[0] for row in rows] == [*map(str, gaps), "first"]
    events = site.pages(f"/api/v1/nodes/{node}/events", 1000)
    for row, newer, older in zip(rows, payouts, payouts[1:], strict=False):
        between = [e for e in events if older["height"] <= e["height"] < newer["height"]]
        breaks = [e for e in between if e["event"] not in ("payout", "update", "ip_change")]
        told = [f"{node_words.HAPPENED[e['event']]} in {e['height']:,}" for e in reversed(breaks)]
        assert row[2] == " ".join((formats.count(newer["height"] - older["height"], "block"), *told))
    after = [e for e in events if e["height"] >= payouts[0]["height"]]
    breaks = [e for e in reversed(after) if e["event"] not in ("payout", "update", "ip_change")]
    told = [f"{node_words.HAPPENED[e['event']]} in {e['height']:,}" for e in breaks]
    since = f"{formats.count(recorded.TIP - payouts[0]['height'], 'block')} since the last payout"
    sentence = page.one("p", class_="intro").text
    assert sentence.startswith(f"{since}: {', '.join(told)}." if told else f"{since}.")
    due = site.json(f"/api/v1/nodes/{node}")["pays_by_height"]
    assert ("The next one is due by block" in sentence) == (due is not None)


@pytest.mark.parametrize("query", ["", "before=560", "before=285"])
def test_payouts_block_by_block(site: Client, query: str) -> None:
    page = page_of(site, f"/payouts?{query}&limit=10")
    for row in page.rows():
        block = site.json(f"/api/v1/blocks/{row[0].replace(',', '')}")
        for cell, tier in zip(row[2:5], TIERS, strict=True):
            paid = next((p for p in block["payouts"] if p["tier"] == tier), None)
            if paid is None:
                assert cell in ("no node", "–")
            else:
                assert cell.startswith(paid["node"])
                assert f"{paid['amount']} FLUX to {paid['address']}" in cell
        assert row[5] == ("As expected" if block["payouts"] else "had not begun")
        assert block["payouts_checked"] == bool(block["payouts"])
    assert page.definitions()["Payouts compared"] == f"{site.json('/api/v1/status')['checks']['payouts_checked']:,}"
    assert "every payout that the queue predicted was made" in page_of(site, "/payouts?mismatched=1").one("main").text


def test_producers(site: Client) -> None:
    items = site.json("/api/v1/producers?limit=50")["items"]
    page = page_of(site, "/producers")
    rows = page.rows()
    assert [tuple(row[3:]) for row in rows] == [
        (f"{i['blocks']:,}", "–" if i["expected"] is None else f"{i['expected']:.2f}", f"{i['first_height']:,}",
         f"{i['last_height']:,}")
        for i in items
    ]  # fmt: skip
    assert [row[0] for row in rows] == [node_words.PRODUCERS.get(i["node"], i["node"]) for i in items]
    totals, facts = site.json("/api/v1/producers/totals"), page.definitions()
    assert facts["Blocks by nodes"].split()[0] == f"{totals['by_nodes']:,}"
    assert facts["Emergency blocks"] == f"{totals['emergency']} last {totals['last_emergency_height']:,}"
    recent = totals["recent"]
    said = facts[f"Slots without a block, last {recent['blocks']} blocks"]
    assert said == f"{recent['skipped']:,} of {recent['slots']:,}"


def test_producers_by_address(site: Client) -> None:
    items = site.json("/api/v1/producers/addresses?limit=50")["items"]
    rows = page_of(site, "/producers?by=address").rows()
    assert [(row[0], row[1].split()[0], row[1].split()[-2], row[2], row[3]) for row in rows] == [
        (i["address"], f"{i['confirmed']}", f"{i['nodes']}", f"{i['blocks']}", f"{i['expected']:.2f}") for i in items
    ]
    assert site.get("/producers?by=tier").status_code == 400


@pytest.mark.parametrize("height", [1799, 1800, 1801, 1850, 2000, 2400])
def test_how_a_block_was_produced(site: Client, height: int) -> None:
    said, production = page_of(site, f"/block/{height}").definitions(), site.json(f"/block/{height}.json")["production"]
    if production is None:
        assert "Slot" not in said and "Its operator" not in said
        return
    skipped = production["skipped_slots"]
    words = "the first of proof of node" if skipped is None else f"after {skipped} skipped" if skipped else "none"
    assert said["Slot"].startswith(f"{production['slot']:,} {words}")
    assert said.get("Its operator", "").startswith(production["address"] or "")


def test_an_address_shows_what_it_runs(site: Client) -> None:
    nodes = site.pages(f"/api/v1/addresses/{OPERATOR}/nodes", 100)
    page = page_of(site, f"/address/{OPERATOR}?view=nodes")
    assert [row[0] for row in page.rows()] == [node["node"] for node in nodes]
    box = page.one("section", class_="fleet").text
    for tier in TIERS:
        number = sum(1 for n in nodes if n["tier"] == tier and n["status"] == "confirmed")
        assert (f"{number} {tier.capitalize()}" in box) == bool(number)
    listed = [n for n in nodes if n["status"] in ("confirmed", "started", "dos")]
    locked = sum(int(n["collateral"].replace(".", "")) for n in listed)
    assert f"{formats.flux(locked)} locked up" in box
    following = min((n for n in nodes if n["rank"] is not None), key=lambda n: (n["expected_height"], n["node"]))
    assert f"block {following['pays_by_height']:,}" in box and following["node"] in box
    paid = site.json(f"/api/v1/addresses/{OPERATOR}/payouts?limit=50")["items"]
    rows = page_of(site, f"/address/{OPERATOR}?view=payouts").rows()
    assert [(row[3], plain(row[5])) for row in rows] == [(p["node"], p["amount"]) for p in paid]


def test_nodes_are_linked_from_where_they_appear(site: Client) -> None:
    block = site.json("/api/v1/blocks/2000")
    assert set(titles(page_of(site, "/block/2000"), "/node/")) >= {p["node"] for p in block["payouts"]}
    txid, _, n = CONFIRMED.partition(":")
    collateral = page_of(site, f"/tx/{txid}")
    assert f"/node/{CONFIRMED}" in [e.attributes["href"] for e in collateral.all("a")]
    links = page_of(site, f"/search?q={txid}-{n}").all("a")
    hits = [link.attributes["href"] for link in links if {"main", "li"} <= set(link.parents)]
    assert hits == [f"/node/{CONFIRMED}", f"/tx/{txid}"]


@pytest.fixture
def young(mongod: str, database_name: str) -> Iterator[tuple[MongoStore, Client]]:
    """An index of the first payouts, and its site."""
    store = MongoStore(mongod, database_name)
    prepare(store, network())
    Index(store).catch_up(chain()[:461], 461)
    with Client(create_app(settings((mongod, database_name)))) as client:
        yield store, client
    store.close()


def test_blocks_that_did_not_pay_are_found_by_the_running_count(young: tuple[MongoStore, Client]) -> None:
    store, client = young
    for height in WRONG:
        store.database["payouts"].update_one({"_id": height}, {"$set": {"vouts.0": -1}})
        store.database["blocks"].update_many({"_id": {"$gte": height}}, {"$inc": {"payouts_mismatched": 1}})
    page = page_of(client, "/payouts?mismatched=1")
    assert [row[0] for row in page.rows()] == ["441", "440", "420"]
    assert [row[5] for row in page.rows()] == ["Differs"] * 3
    assert page.rows()[0][2].endswith("Not paid")
    assert page.definitions()["That differ from the queue"] == "3"
    first = page_of(client, "/payouts?mismatched=1&limit=2")
    rest = next(e.attributes["href"] for e in first.all("a") if e.text.startswith("Older"))
    assert [row[0] for row in page_of(client, rest).rows()] == ["420"]
    assert [row[0] for row in page_of(client, "/payouts?mismatched=1&before=440").rows()] == ["420"]


def test_while_the_index_catches_up_queues_are_shown_and_lists_wait(young: tuple[MongoStore, Client]) -> None:
    store, client = young
    store.put_meta("source", {"rates": {"state": "catching_up"}, "daemon": {"height": 99999, "reachable": True}})
    deadline = time.monotonic() + 5
    while client.services.db.meta.rates.get("state") != "catching_up":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    page = page_of(client, "/nodes")
    assert "Still catching up" in page.one("main").text
    assert len(boxes(page)) == 3
    assert page_of(client, "/nodes/cumulus").rows()
    assert list(page_of(client, f"/address/{OPERATOR}").all("section", class_="fleet")) == []


@pytest.mark.parametrize(
    ("eta", "words"),
    [
        (Eta(4, 5, 6), "4 to 6 seconds"),
        (Eta(5, 5, 5), "5 seconds"),
        (Eta(100, 110, 121), "1.6 to 2.1 minutes"),
        (Eta(120, 120, 120), "2 minutes"),
        (Eta(1, 1, 1), "1 second"),
        (Eta(540, 570, 600), "9 to 10 minutes"),
        (Eta(75_600, 80_000, 90_000), "21 to 25 hours"),
        (Eta(300_000, 310_000, 350_000), "3.4 to 4.1 days"),
    ],
)
def test_time_ranges(eta: Eta, words: str) -> None:
    assert node_words.span(eta) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 seconds"), (984 * 120, "32.8 hours"), (7_200, "2 hours"), (1_385, "23.1 minutes"), (6_474, "108 minutes"),
     (345_600, "4 days")],  # fmt: skip
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert node_words.long(seconds) == words


def test_how_far_ahead() -> None:
    assert node_words.ahead(136, 0, 30) == "in 136 blocks, about 68 minutes"
    assert node_words.ahead(7, 7, 30) == "now"
    assert node_words.ahead(6, 7, 30) == "1 block ago"
