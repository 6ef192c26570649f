"""The operator view: what a pasted list comes to, in the same numbers everywhere; files that carry hostile text."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest

from explorer.meta import Tip
from explorer.pages.calendars import Event, calendar, escaped, folded
from explorer.pages.operator import KINDS, payout_event, roster_sheet
from explorer.pages.sheets import FORMULA
from explorer.queries.node_results import Eta
from explorer.queries.results import BlockReference
from explorer.queries.roster import MOST_ENTRIES, Entry, Roster, TierSum, split_list
from indexer.chain.keys import parse_outpoint
from indexer.chain.networks import MAIN
from tests.explorer.client import Client
from tests.site.markup import HOSTILE, Markup
from tests.site.test_hostile import HASH, LISTED, SITE, inert, written
from tests.site.test_pages import CONFIRMED, DOS, EXPIRED, NODES, OPERATOR, ZEROS

TIP = Tip(9, bytes(32), 1_700_000_000, 0, False, 0)


def asked(*entries: str, path: str = "/operator", **more: str) -> str:
    """The path that asks about a list."""
    return f"{path}?{urlencode({'nodes': ' '.join(entries), **more})}"


def test_a_list_is_read_however_it_is_pasted() -> None:
    shaped = f'"{CONFIRMED}",\n1.2.3.4:16127;\thttp://5.6.7.8:16126/ COutPoint({ZEROS}, 0) {CONFIRMED}'
    assert split_list(shaped) == (CONFIRMED, "1.2.3.4:16127", "5.6.7.8:16126", f"COutPoint({ZEROS}, 0)")


def test_all_nodes_of_an_address_are_those_of_the_address(site: Client) -> None:
    found = site.json(f"/api/v1/operator?address={OPERATOR}")
    listed = site.pages(f"/api/v1/addresses/{OPERATOR}/nodes", 1000)
    by_name = {node["node"]: node for node in found["items"]}
    assert by_name == {node["node"]: node for node in listed}
    assert found["total"] == len(listed) == sum(e["nodes"] for e in found["entries"])
    assert sum(t["confirmed"] + t["started"] + t["dos"] + t["gone"] for t in found["tiers"]) == len(listed)
    assert sum(float(t["paid_total"]) for t in found["tiers"]) == sum(float(n["paid_total"]) for n in listed)


@pytest.mark.parametrize(("order", "field"), [("payout", "expected_height"), ("deadline", "expires_height")])
def test_the_order_is_the_one_that_is_asked_for(site: Client, order: str, field: str) -> None:
    found = site.json(f"/api/v1/operator?address={OPERATOR}&order={order}")
    heights = [node[field] for node in found["items"] if node["status"] == "confirmed"]
    assert len(heights) > 2 and heights == sorted(heights)
    assert [n["status"] for n in found["items"]][: len(heights)] == ["confirmed"] * len(heights)


def test_every_entry_is_told_what_it_came_to(site: Client) -> None:
    node = site.json(f"/api/v1/nodes/{CONFIRMED}")
    host, _, _ = node["ip"].partition(":")
    entries = [*NODES, host, node["ip"], node["pubkey"].upper(), "9.9.9.9", f"{ZEROS}:0", "gibberish", OPERATOR[:-1]]
    found = site.json(asked(*entries, path="/operator.json"))
    told = {entry["text"]: entry for entry in found["entries"]}
    assert list(told) == entries
    kinds = ["outpoint"] * len(NODES) + ["ip", "ip", "pubkey", "ip", "outpoint", None, None]
    assert [entry["kind"] for entry in told.values()] == kinds
    assert [text for text, entry in told.items() if entry["problem"]] == entries[-4:]
    assert [entry["nodes"] > 0 for entry in told.values()] == [entry["problem"] is None for entry in told.values()]
    assert {n["node"] for n in found["items"]} == set(NODES)
    shown = Markup(site.get(asked(*entries)).text)
    assert "4 entries of 13 name no node" in shown.one("section", class_="alert").text
    assert [e.text for e in shown.all("code") if "li" in e.parents] == entries[-4:]


def test_the_page_shows_the_numbers_of_the_json(site: Client) -> None:
    found = site.json(f"/operator.json?address={OPERATOR}")
    shown = Markup(site.get(f"/operator?address={OPERATOR}").text)
    rows = shown.rows()
    assert len(rows) == found["total"]
    for row, node in zip(rows, found["items"], strict=True):
        assert row[0].replace(" ", "") == node["node"]
        if node["rank"] is not None:
            assert [row[4], row[5]] == [f"{node['rank'] + 1:,}", f"{node['pays_by_height']:,}"]
    figures = [e.text for e in shown.all("p", class_="huge")]
    assert figures == [str(t["confirmed"]) for t in found["tiers"]]
    assert shown.one("textarea").text == OPERATOR
    files = [e.attributes["href"] for e in shown.all("link", rel="alternate")]
    assert [site.get(file).headers["content-type"].partition(";")[0] for file in files] == [kind for _, kind in KINDS]


def test_the_sheet_has_every_node(site: Client) -> None:
    response = site.get(f"/operator.csv?address={OPERATOR}")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    found = site.json(f"/operator.json?address={OPERATOR}")["items"]
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    for name in ("node", "status", "tier", "address", "collateral", "paid_total"):
        assert [row[name] for row in rows] == [node[name] for node in found]
    assert [row["pays_by_height"] for row in rows] == [str(node["pays_by_height"] or "") for node in found]
    again = site.get(f"/operator.csv?address={OPERATOR}", headers={"If-None-Match": response.headers["etag"]})
    assert again.status_code == 304


def test_the_calendar_has_the_next_payout_of_every_queued_node(site: Client) -> None:
    response = site.get(f"/operator.ics?address={OPERATOR}")
    lines = response.content.decode().replace("\r\n ", "").split("\r\n")
    queued = [n for n in site.json(f"/operator.json?address={OPERATOR}")["items"] if n["rank"] is not None]
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert [line for line in lines if line.startswith("URL:")] == [
        f"URL:http://explorer/node/{node['node']}" for node in queued
    ]
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == len(queued) > 2
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert max(len(line) for line in response.content.split(b"\r\n")) <= 75
    assert b"\n" not in response.content.replace(b"\r\n", b"")


def test_a_host_that_is_none_is_not_repeated(site: Client) -> None:
    response = site.get(f"/operator.ics?nodes={CONFIRMED}", headers={"Host": "evil\r.example/x"})
    assert "evil" not in response.text and "URL:http://localhost" in response.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (asked(*(f"10.0.{n // 250}.{n % 250}" for n in range(MOST_ENTRIES + 1))), 400, "501 entries"),
        ("/operator?address=x", 400, "address"),
        (f"/operator?nodes={DOS}&order=x", 400, "payout, deadline"),
        ("/operator.csv", 400, "no node is named"),
        ("/operator.ics", 400, "no node is named"),
        ("/operator.json", 400, "no node is named"),
        ("/api/v1/operator?nodes=,", 400, "no node is named"),
    ],
)
def test_bad_questions(site: Client, path: str, status: int, words: str) -> None:
    response = site.get(path)
    assert response.status_code == status
    assert words in response.text.lower()


def test_five_hundred_entries_are_one_question(site: Client) -> None:
    entries = [f"10.0.{n // 250}.{n % 250}" for n in range(MOST_ENTRIES - 1)]
    found = site.json(asked(EXPIRED, *entries, path="/operator.json"))
    assert (found["total"], len(found["entries"])) == (1, MOST_ENTRIES)
    shown = Markup(site.get(asked(EXPIRED, *entries)).text)
    assert list(shown.all("link", rel="alternate")) == []  # no program keeps so long a path whole
    assert len(shown.one("textarea").text.split()) == MOST_ENTRIES


SUMS = (TierSum("nimbus", 1, 0, 0, 0, 1, 0),) * 3


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_on_the_page(site: Client, text: str) -> None:
    roster = Roster(
        BlockReference(9, HASH), (Entry(text, None, 0, text),), SUMS, 1, (replace(LISTED, ip=text),)
    )
    shown = {"entries": (text,), "order": "payout", "orders": ("payout", "deadline"), "files": (), "most": 500}
    inert(written("operator.html", roster=roster, tip=TIP, **shown), text)
    assert SITE.network == "main"
    asked_for = Markup(site.get(f"/operator?nodes={quote(text)}").text)
    assert asked_for.problems == []
    scripts = {e.attributes["src"].partition("?")[0] for e in asked_for.all("script")}
    assert scripts == {"/static/site.js", "/static/live.js"}


@pytest.mark.parametrize("begins", FORMULA)
def test_hostile_text_in_the_sheet(begins: str) -> None:
    text = f'{begins}HYPERLINK("http://evil.example"),\n"x'
    roster = Roster(BlockReference(9, HASH), (), SUMS, 1, (replace(LISTED, ip=text),))
    _, row = csv.reader(io.StringIO(roster_sheet(MAIN, roster, TIP).csv(), newline=""))
    assert row[3] == f"'{text}"


def test_hostile_text_in_the_calendar() -> None:
    text = "1.2.3.4\r\nEND:VEVENT\nX:1\x00\u2028;,\\" + "ü" * 60
    event = payout_event(MAIN, replace(LISTED, ip=text), TIP)
    file = calendar("a;b", "http://explorer", TIP.time, [event])
    assert [line for line in file.split("\r\n") if line.startswith(("END:VEVENT", "X:"))] == ["END:VEVENT"]
    assert max(len(line.encode()) for line in file.split("\r\n")) <= 75
    assert not set(file.replace("\r\n", "")) & set("\r\n\x00\u2028")
    summary = next(line for line in file.replace("\r\n ", "").split("\r\n") if line.startswith("SUMMARY:"))
    assert "1.2.3.4\\nEND:VEVENT\\nX:1  \\;\\,\\\\" in summary


def test_events_as_the_standard_has_them() -> None:
    assert escaped("a,b;c\\d\ne") == "a\\,b\\;c\\\\d\\ne"
    assert folded("x" * 75) == "x" * 75
    assert folded("x" * 150) == "\r\n ".join(["x" * 75, "x" * 74, "x"])
    event = Event("id", 1_700_000_000, 1_700_000_000, "s", "d", "/p")
    assert "DTSTART:20231114T221320Z\r\nDTEND:20231114T221321Z\r\n" in calendar("n", "http://h", 0, [event])
    waits = payout_event(MAIN, replace(LISTED, eta=Eta(60, 90, 120)), TIP)
    assert (waits.first, waits.last) == (TIP.time + 60, TIP.time + 120)
    assert parse_outpoint(waits.path.removeprefix("/node/")) is not None
