"""Supply, caps, parallel chains and charts: the pages show what the API answers, in every state."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

import pytest

from explorer.app import create_app
from explorer.pages.formats import iso, zatoshi
from explorer.pages.supply_words import CAPS, READINGS, STATES
from explorer.queries.supply_results import CapState
from indexer.config import load_config
from tests import recorded
from tests.explorer.client import Client
from tests.site.markup import HOSTILE
from tests.site.parallel_chains import SITUATIONS, Readings, Situation, chains_file, outstanding
from tests.site.test_numbers import page_of, plain
from tests.site.test_pages import ADDRESS

LABELS = """
[[addresses]]
address = "{}"
label = "Fusion swaps"
role = "SWAP"
fusion = true
confidence = "official"
source = "a test"

[[addresses]]
address = "tmLHPo7bXxYZhz8YwiMgUh8twxrmqRp3tD3"
label = "Fusion reserve"
role = "<b>LOCKED</b>"
fusion = true
confidence = "third_party"
source = "a test"
"""
SVG = "{http://www.w3.org/2000/svg}"
Chained: TypeAlias = tuple[Client, Readings]
CUT = recorded.TIP - 7  # the height at which all chains were read together


@pytest.fixture(scope="module")
def chained(recorded_index: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chained]:
    """The site of the recorded chain with parallel chains that nobody asks, and what is kept of them."""
    folder, (uri, name) = tmp_path_factory.mktemp("chains"), recorded_index
    labels = folder / "labels.toml"
    labels.write_text(LABELS.format(ADDRESS))
    readings = Readings(uri, name, chains_file(folder / "chains.toml"), (CUT, wire_hash(CUT)))
    readings.write_hours(40)
    with Client(create_app(config_of(uri, name, folder / "chains.toml", labels))) as client:
        yield client, readings
    readings.close()


def config_of(uri: str, name: str, chains: Path, labels: Path) -> Any:
    """The settings of a site that shows parallel chains and asks none of them."""
    return load_config(environ={
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE), "FLUX_DATABASE_URI": uri, "FLUX_DATABASE_NAME": name,
        "FLUX_PARALLEL_CHAINS_FILE": str(chains), "FLUX_PARALLEL_ENABLED": "false",
        "FLUX_EXPLORER_LABELS_FILE": str(labels),
    })  # fmt: skip


def wire_hash(height: int) -> bytes:
    """The hash of a recorded block as it is stored."""
    return bytes.fromhex(recorded.blocks()[height]["hash"])[::-1]


@pytest.fixture
def fresh(chained: Chained) -> Client:
    """The site while all chains are read."""
    return told(chained, Situation())


def told(chained: Chained, situation: Situation) -> Client:
    """The site after the readings became those of a situation."""
    client, readings = chained
    readings.write(situation)
    client.run(client.services.db.poll())
    parallel = client.services.db.meta.parallel
    assert parallel is not None and parallel.revision == readings.revision
    return client


@pytest.mark.parametrize("query", ["", "?at=2399", "?at=1900", "?at=1", "?at=0"])
@pytest.mark.parametrize("situation", ["fresh", "stale"])
def test_every_number_of_the_supply_is_the_apis(chained: Chained, situation: str, query: str) -> None:
    client = told(chained, SITUATIONS[situation])
    body = client.json(f"/api/v1/supply{query}")
    page = page_of(client, f"/supply{query}")
    native, fusion = body["native"], body["native"]["fusion"]
    said = [(e.text, e.tag) for e in page.elements if e.tag in ("dt", "dd") and "section" in e.parents]
    amounts = {(term, plain(text)) for (term, _), (text, _) in zip(said[::2], said[1::2], strict=True)}
    shown = {
        "Transparent": native["transparent"], "Shielded, Sapling pool": native["sapling"], "Total": native["total"],
        "Shielded, Sprout pool": native["sprout"], "Unspendable outputs": native["unspendable"],
        "Issued by coinbases": native["issued"], "Never claimed": native["unclaimed"],
        "Schedule of the rules": native["schedule"], "Outside the bridge": native["outside_fusion"],
        "Held by the bridge": fusion["held"],
    }  # fmt: skip
    if fusion["held"] != fusion["held_without_third_party"]:
        shown["Of it in wallets the project or consensus names"] = fusion["held_without_third_party"]
    if body["totals"]["all_chains_addresses"] is not None:
        shown["Outstanding on parallel chains"] = body["totals"]["parallel_outstanding"]
        shown["By addresses"] = body["totals"]["all_chains_addresses"]
        shown["Native total then"] = client.json(f"/api/v1/supply?at={CUT}")["native"]["total"]
        held = client.json(f"/api/v1/supply?at={CUT}")["native"]["fusion"]["held"]
        shown["less held by the bridge then"] = f"-{held}"
    assert set(shown.items()) <= amounts
    totals = [body["totals"][name] or "unknown" for name in ("all_chains_formula", "all_chains_addresses")]
    assert [plain(e.text) for e in page.all("p", class_="large")] == totals
    (huge, outside) = [plain(e.text) for e in page.all("p", class_="huge") if "FLUX" in e.text]
    assert (huge, outside) == (native["total"], native["outside_fusion"])
    entries = [e.text for e in page.all("li") if "details" in e.parents]
    for entry, wallet in zip(entries, fusion["wallets"], strict=True):
        assert entry.startswith(wallet["address"]) and f"{wallet['role']}, named by" in entry
        assert plain(entry).endswith(plain(wallet["balance"]))
    assert client.json(f"/supply.json{query}") == body


def test_the_next_change_of_the_subsidy_and_its_effect(fresh: Client) -> None:
    change = fresh.json("/api/v1/supply")["next_reduction"]
    page = page_of(fresh, "/supply")
    assert f"{change['blocks']:,} blocks" in [e.text for e in page.all("p", class_="huge")]
    rows = [[plain(cell) for cell in row] for row in page.rows()]
    for effect in change["tiers"]:
        assert [effect["before"], effect["after"]] in rows
    assert [change["subsidy_before"], change["subsidy_after"]] in rows


def test_blocks_that_claimed_less(fresh: Client) -> None:
    items = fresh.pages("/api/v1/supply/unclaimed", 50)
    brief = [row for row in page_of(fresh, "/supply").rows() if row[0].replace(",", "").isdigit()]
    assert [(row[0], plain(row[1])) for row in brief] == [(f"{i['height']:,}", i["unclaimed"]) for i in items[:5]]
    path, seen = "/supply/unclaimed?limit=2", []
    while path:
        page = page_of(fresh, path)
        seen += page.rows()
        path = next((e.attributes["href"] + "&limit=2" for e in page.all("a") if e.text.startswith("Older")), "")
    assert [[plain(cell) for cell in row[:4]] for row in seen] == [
        [str(i["height"]), i["unclaimed"], i["scheduled"], i["claimed"]] for i in items
    ]
    assert [row[4].lower() for row in seen] == [i["explanation"].lower() for i in items]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_cap_is_shown_as_the_api_checks_it(chained: Chained, situation: str) -> None:
    client = told(chained, SITUATIONS[situation])
    page = page_of(client, "/supply")
    assert page.problems == []
    for check in client.json("/api/v1/supply/cap")["checks"]:
        entry = page.one("li", id=check["name"]).text
        assert entry.startswith(CAPS[check["name"]] + STATES[check["state"]].text)
        for amount in (check["value"], check["headroom"], check["limit"]):
            assert amount is None or zatoshi_text(amount) in entry.replace("\u2212", "-")
        for crossing in (check["crosses"], check["crosses_by_schedule"]):
            assert crossing is None or f"block {crossing['height']:,}" in entry
        assert ("Missing:" in entry) == bool(check["missing"])
        assert check["explanation"] in entry


def zatoshi_text(amount: str) -> str:
    """An amount of the API as a page writes it."""
    whole, _, decimals = amount.partition(".")
    return f"{int(whole):,}.{decimals}"


@pytest.mark.parametrize(
    ("situation", "state", "words"),
    [
        ("fresh", "within", ""),
        ("stale", "unknown", "a fresh reading of Kadena (last read "),
        ("never read", "unknown", "a reading of Algorand, which has never been read"),
        ("not read together", "unknown", "a moment at which all chains were read together"),
        ("minted unbacked", "exceeded", ""),
    ],
)
def test_the_state_of_the_cap_by_addresses(chained: Chained, situation: str, state: CapState, words: str) -> None:
    client = told(chained, SITUATIONS[situation])
    page = page_of(client, "/supply")
    entry = page.one("li", id="whitepaper_440m_addresses").text
    badge = STATES[state]
    assert entry.split("addresses", 1)[1].strip().startswith(badge.text)
    assert words in entry
    summary = {"within": "Within all caps", "unknown": "1 cap unknown", "exceeded": "1 cap exceeded"}[state]
    assert next(page.all("span", class_="sign")).text == summary
    assert summary in page_of(client, "/").definitions()["Caps that somebody has named"]
    signs = [e for e in page.all("span", class_="badge") if e.text in {b.text for b in STATES.values()}]
    assert len(signs) == len(CAPS)
    assert len([e for e in page.all("svg") if "span" in e.parents and e.attributes.get("viewbox") == "0 0 12 12"]) >= 5


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_parallel_chains_are_shown_as_the_api_knows_them(chained: Chained, situation: str) -> None:
    client = told(chained, SITUATIONS[situation])
    body = client.json("/api/v1/supply")
    page = page_of(client, "/parallel")
    assert page.problems == [] and len(page.ids()) == len(set(page.ids()))
    rows = [row for row in page.rows() if len(row) == 7]
    assert len(rows) == len(body["parallel"]) == 10
    for row, chain in zip(rows, body["parallel"], strict=True):
        assert row[:2] == [chain["name"], READINGS[chain["state"]].text]
        amounts = [chain["minted"], chain["issuer_held"], chain["outstanding"]]
        assert [plain(cell) for cell in row[2:5]] == [amount or "unknown" for amount in amounts]
        section = page.one("section", id=chain["chain"])
        assert chain["contract"] in section.text
        for issuer in chain["issuers"]:
            assert issuer["role"] in section.text and issuer["address"] in section.text
            assert issuer["held"] is None or zatoshi_text(issuer["held"]) in section.text
        assert chain["reason"] is None or chain["reason"] in section.text
    total = body["totals"]["parallel_outstanding"]
    assert plain(page.definitions()["Outstanding on all of them"]) == (total or "unknown")
    behind = [chain["name"] for chain in body["parallel"] if chain["state"] != "fresh"]
    notes = [e.text for e in page.all(class_="alert")]
    assert len(notes) == (1 if behind else 0)
    assert all(name in notes[0] and "are unknown" in notes[0] for name in behind)
    assert client.json("/parallel.json") == body


def test_links_to_other_sites_are_only_links(fresh: Client) -> None:
    page = page_of(fresh, "/parallel")
    away = [e for e in page.elements if e.attributes.get("href", "/")[0] not in "/#"]
    assert len(away) == 10
    assert all(e.tag == "a" and e.attributes["rel"] == "external noopener noreferrer nofollow" for e in away)
    assert all(e.attributes["href"].startswith("https://") for e in away)


def test_the_first_page_names_the_supply(chained: Chained) -> None:
    for situation in ("fresh", "stale"):
        client = told(chained, SITUATIONS[situation])
        body, said = client.json("/api/v1/supply"), page_of(client, "/").definitions()
        assert plain(said["On the native chain"]) == body["native"]["total"]
        assert plain(said["On 10 parallel chains"]) == (body["totals"]["parallel_outstanding"] or "unknown")
        assert plain(said["All chains, by addresses"]) == (body["totals"]["all_chains_addresses"] or "unknown")


def test_without_parallel_chains_the_supply_speaks_of_none(site: Client) -> None:
    page = page_of(site, "/supply")
    assert list(page.all("p", class_="large")) == []
    assert "This network has no bridge" in page.one("main").text
    assert "which this network does not have" in page.one("li", id="whitepaper_440m_addresses").text
    assert "On 10 parallel chains" not in page_of(site, "/").definitions()


def test_the_past_is_marked_and_has_no_caps(fresh: Client) -> None:
    page = page_of(fresh, "/supply?at=1900")
    assert "The supply after block 1,900." in page.one("p", class_="alert").text
    assert [e.text for e in page.all("h2")].count("Caps that somebody has named") == 0
    assert page_of(fresh, f"/supply?at={recorded.TIP}").one("li", id="max_money")


# --- charts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "points"), [("supply", 7), ("supply", 200), ("parallel", 5), ("parallel", 200)])
def test_table_csv_and_json_of_a_chart_are_the_same_numbers(fresh: Client, name: str, points: int) -> None:
    page = page_of(fresh, f"/charts/{name}?points={points}")
    (json,) = (e.text for e in page.all("a") if e.text.startswith("/api/"))
    body = fresh.json(json)
    file = fresh.get(f"/charts/{name}.csv?points={points}")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    head, *lines = csv.reader(io.StringIO(file.text))
    assert lines == [cells(name, point, head) for point in reversed(body["points"])]
    assert [e.text for e in page.all("th")] == head
    rows = [[plain(re.sub(r"(.{10}) (.{8}) UTC", r"\1T\2Z", cell)) for cell in row] for row in page.rows()]
    assert rows == [[cell or "unknown" for cell in line] for line in lines]


def cells(name: str, point: dict[str, Any], head: list[str]) -> list[str]:
    """A point of the API as a line of the file."""
    if name == "supply":
        amounts = ("issued", "schedule", "transparent", "shielded", "unspendable", "formula")
        return [str(point["height"]), iso(point["time"]), *(point[amount] or "" for amount in amounts)]
    read = {known["chain"]: known["outstanding"] for known in point["chains"]}
    order = ["eth", "bsc", "avax", "matic", "base", "trx", "sol", "kda", "erg", "algo"]
    assert len(head) == len(order) + 3
    return [iso(point["time"]), str(point["height"]), point["total"] or "", *(read.get(chain, "") for chain in order)]


def test_the_history_of_the_parallel_chains_is_what_was_kept(fresh: Client, chained: Chained) -> None:
    chains = chained[1].chains
    points = fresh.json("/api/v1/supply/parallel/history?points=1000")["points"]
    assert len(points) == 40
    assert [p["time"] for p in points] == sorted(p["time"] for p in points)
    for n, point in enumerate(points):
        kept = chains[:-1] if n % 7 == 6 else chains
        expected = {chain.key: outstanding(chain) + n * 100_000_000 for chain in kept}
        assert {known["chain"]: zatoshi(known["outstanding"]) for known in point["chains"]} == expected
        assert (point["total"] is None) == (n % 7 == 6)
        assert point["total"] is None or zatoshi(point["total"]) == sum(expected.values())
    few = fresh.json("/api/v1/supply/parallel/history?points=3")["points"]
    assert [few[0], few[-1]] == [points[0], points[-1]] and len(few) == 3


@pytest.mark.parametrize("name", ["supply", "parallel"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_image_stands_alone(fresh: Client, name: str, theme: str) -> None:
    path = f"/charts/{name}.svg?theme={theme}"
    image = fresh.get(path)
    assert image.headers["content-type"] == "image/svg+xml"
    assert image.headers["access-control-allow-origin"] == "*"
    assert "unsafe-inline" not in image.headers["content-security-policy"]
    drawing = ElementTree.fromstring(image.content)
    assert drawing.findtext(SVG + "desc")
    assert re.findall(r"<style|style=|<script|href=|url\(|var\(", image.text) == []
    again = fresh.get(path, headers={"If-None-Match": image.headers["etag"]})
    assert again.status_code == 304 and again.content == b""
    assert fresh.get(f"/charts/{name}.svg").content == fresh.get(f"/charts/{name}.svg?theme=light").content


def test_a_page_draws_each_chart_twice_and_says_what_it_shows(fresh: Client) -> None:
    for path in ("/supply", "/parallel", "/charts/supply", "/charts/parallel"):
        page = page_of(fresh, path)
        charts = list(page.all("svg", role="img"))
        assert len(charts) == 2
        for chart in charts:
            title, summary = chart.attributes["aria-labelledby"].split()
            assert page.one("title", id=title).text and page.one("desc", id=summary).text
    eras = fresh.json("/api/v1/supply/history")["eras"]
    supply = page_of(fresh, "/supply")
    assert [row[0].lower() for row in supply.rows() if row[0].lower() in {e["name"].lower() for e in eras}] == [
        era["name"].lower() for era in eras
    ]


# --- text of strangers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_chain_answered_stays_text(chained: Chained, text: str) -> None:
    chains = {"eth": {"state": "stale", "reason": text}, "kda": {"state": "unavailable", "reason": text}}
    client = told(chained, Situation(None, chains))
    for path in ("/supply", "/parallel", "/"):
        page = page_of(client, path)
        assert page.problems == []
        assert all(script.attributes["src"].startswith("/static/") for script in page.all("script"))
        assert [e for e in page.elements if e.tag in ("img", "iframe", "b") and "main" in e.parents] == []
        assert [name for e in page.elements for name in e.attributes if name.startswith("on")] == []
    assert [e.text for e in page_of(client, "/parallel").all("q")] == [" ".join(text.split())] * 4
