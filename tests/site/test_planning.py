"""Calculator, network rules, methodology, the page of the API: their numbers, and what they refuse."""

from __future__ import annotations

import json
import re
from decimal import Decimal

import pytest

from explorer.api import v1
from explorer.api.openapi import document
from explorer.pages.rule_words import UPGRADES, one_off
from explorer.queries.rules import UPGRADES as UPGRADE_NAMES
from explorer.queries.rules import node_eras, one_offs, reward_eras, rewards_at
from explorer.queries.supply_results import Reduction
from indexer.chain.networks import MAIN
from indexer.chain.params import COIN
from tests.explorer.client import Client
from tests.site.markup import Markup

ZAT = Decimal(COIN)
BROWSER = {"Accept": "text/html"}  # programs find Blockbook's status under /api


def coins(*amounts: float) -> tuple[int, ...]:
    """Amounts in FLUX as zatoshi."""
    return tuple(int(Decimal(str(amount)) * COIN) for amount in amounts)


# The daemon's documentation of its own schedule: height, subsidy, tiers, rest.
SCHEDULE = [
    (559_999, 150, (0, 0, 0), 150, "miner"),
    (560_000, 150, (5.625, 9.375, 22.5), 112.5, "miner"),
    (835_553, 75, (2.8125, 4.6875, 11.25), 56.25, "miner"),
    (835_554, 75, (5.625, 9.375, 22.5), 37.5, "miner"),
    (2_019_999, 37.5, (2.8125, 4.6875, 11.25), 18.75, "miner"),
    (2_020_000, 14, (1, 3.5, 9), 0.5, "dev_fund"),
    (3_071_200, 12.6, (0.9, 3.15, 8.1), 0.45, "dev_fund"),
    (23_044_000, 1.70207313, (0.12157665, 0.42551828, 1.09418986), 0.06078834, "dev_fund"),
]


@pytest.mark.parametrize(("height", "subsidy", "payouts", "rest", "to"), SCHEDULE)
def test_rewards_of_the_main_net(
    height: int, subsidy: float, payouts: tuple[float, ...], rest: float, to: str
) -> None:
    found = rewards_at(MAIN, height)
    assert (found.subsidy, found.payouts, found.rest, found.rest_to) == (
        *coins(subsidy), coins(*payouts), *coins(rest), to,
    )  # fmt: skip


def test_eras_of_the_main_net_follow_each_other() -> None:
    for eras in (list(reward_eras(MAIN)), list(node_eras(MAIN))):
        assert [era.first_height for era in eras[1:]] == [(era.last_height or 0) + 1 for era in eras[:-1]]
        assert eras[-1].last_height is None
    firsts = {era.first_height for era in reward_eras(MAIN)}
    assert {560_000, 657_850, 835_554, 1_313_200, 2_020_000, 3_071_200, 23_044_000} <= firsts
    last = list(node_eras(MAIN))[-1]
    assert (last.cumulus, last.nimbus, last.stratus) == tuple(coins(amount) for amount in (1000, 12_500, 40_000))
    assert (last.start_wait, last.dos_release, last.expiry, last.update_after) == (240, 720, 640, 500)
    both = next(era for era in node_eras(MAIN) if era.first_height == 1_076_532)
    assert both.cumulus == coins(10_000, 1000)


def test_one_off_funds_of_the_main_net() -> None:
    funds = list(one_offs(MAIN))
    assert sum(fund.amount * fund.times for fund in funds) == 230_000_000 * COIN
    assert one_off(funds[-1]) == "10 times, every 21,600 blocks from 837,714 to 1,032,114"
    assert one_off(funds[0]) == "once, in block 836,274"


def test_every_upgrade_has_words() -> None:
    assert set(UPGRADES) == {"base", *UPGRADE_NAMES}


@pytest.mark.parametrize("at", ["", "0", "700", "2400", "2401", "9999999"])
def test_the_rules_of_any_height_as_the_api_has_them(site: Client, at: str) -> None:
    found = site.json(f"/api/v1/rules{f'?at={at}' if at else ''}")
    shown = Markup(site.get(f"/network?at={at}").text)
    assert shown.problems == []
    assert found["height"] == (int(at) if at else 2401)
    told = shown.definitions()
    assert Decimal(told["New coins in the block"].split()[0].replace(",", "")) == Decimal(found["rewards"]["subsidy"])
    assert told["Expires after"].split()[0] == str(found["nodes"]["expiry"])
    rows = shown.rows()
    payouts = [Decimal(row[2].replace(",", "")) for row in rows if row[0] in ("Cumulus", "Nimbus", "Stratus")
               and row[1].endswith("%")]  # fmt: skip
    assert payouts == [Decimal(tier["payout"]) for tier in found["tiers"]]
    assert (found["tiers"][0]["requirements"] is not None) == (at in ("", "2401"))
    if at and int(at) <= 2400:
        assert found["time"] == site.json(f"/api/v1/blocks/{at}")["time"]


def test_the_rules_are_those_that_blocks_were_paid_by(site: Client) -> None:
    for height in (600, 900, 1850, 2400):
        rules, block = site.json(f"/api/v1/rules?at={height}"), site.json(f"/api/v1/blocks/{height}")
        assert rules["rewards"]["subsidy"] == block["subsidy"]
        due = {tier["tier"]: tier["payout"] for tier in rules["tiers"]}
        assert [p["amount"] for p in block["payouts"]] == [due[p["tier"]] for p in block["payouts"]]


def test_earnings_are_what_the_tiers_pay(site: Client) -> None:
    tiers = site.json("/api/v1/tiers")["items"]
    found = site.json("/api/v1/earnings?cumulus=2&nimbus=1&stratus=1")
    for tier, state in zip(found["tiers"], tiers, strict=True):
        assert (tier["of"], tier["now"]["payout"]) == (state["nodes"]["confirmed"], state["reward"])
        payout, nodes, of = int(Decimal(tier["now"]["payout"]) * ZAT), tier["nodes"], tier["of"]
        blocks = 86_400 // found["spacing"]
        assert int(Decimal(tier["now"]["day"]) * ZAT) == payout * blocks * nodes // of
        one = int(Decimal(state["annual_reward_per_node"]) * ZAT)
        assert one * nodes <= int(Decimal(tier["next_year"]) * ZAT) < (one + 1) * nodes
    for part in ("day", "month", "year"):
        assert Decimal(found["now"][part]) == sum(Decimal(tier["now"][part]) for tier in found["tiers"])
    cut = site.json("/api/v1/supply")["next_reduction"]
    assert found["reduction"] == cut
    assert cut is None or [t["then"]["payout"] for t in found["tiers"]] == [t["after"] for t in cut["tiers"]]


def test_new_nodes_share_with_those_that_there_are(site: Client) -> None:
    before, after = (site.json(f"/api/v1/earnings?cumulus=5{new}")["tiers"][0] for new in ("", "&joining=1"))
    assert after["of"] == before["of"] + 5
    assert Decimal(after["now"]["day"]) < Decimal(before["now"]["day"])
    assert after["turn_blocks"] == after["of"]


def test_the_calculator_shows_the_numbers_of_the_json(site: Client) -> None:
    found = site.json("/calculator.json?cumulus=2&stratus=1&joining=1")
    shown = Markup(site.get("/calculator?cumulus=2&stratus=1&joining=1").text)
    assert shown.problems == []
    amounts = [Decimal(e.text.split()[0].replace(",", "")) for e in shown.all("span", class_="amount")]
    for amount in (*found["now"].values(), found["next_year"], found["collateral"]):
        assert Decimal(amount) in amounts
    for tier in (found["tiers"][0], found["tiers"][2]):
        assert {Decimal(amount) for amount in tier["now"].values()} <= set(amounts)
    reduction: Reduction | None = found["reduction"]
    assert ("After the next change" in shown.one("main").text) == (reduction is not None)


def test_more_nodes_than_there_are_earn_nothing_that_is_known(site: Client) -> None:
    found = site.json("/api/v1/earnings?stratus=999999")
    assert (found["tiers"][2]["now"], found["tiers"][2]["yearly_return"]) == (None, None)
    shown = site.get("/calculator?stratus=999999")
    assert shown.status_code == 200 and "Count yours as new ones" in shown.text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/calculator?cumulus=-1", "expected a whole number"),
        ("/calculator?cumulus=1000001", "up to 1000000"),
        ("/calculator?nimbus=%3Cscript%3E", "expected a whole number"),
        ("/calculator?joining=yes", "expected 1"),
        ("/network?at=x", "expected a whole number"),
        ("/network?at=2147483648", "the last one that a block can have"),
    ],
)
def test_bad_questions(site: Client, path: str, words: str) -> None:
    shown, told = site.get(path), site.get(path.replace("?", ".json?"))
    assert (shown.status_code, told.status_code) == (400, 400)
    assert words in Markup(shown.text).one("main").text and words in told.json()["error"]["message"]
    assert Markup(shown.text).problems == []


def test_the_page_of_the_api_has_every_operation_parameter_and_object(site: Client) -> None:
    shown = Markup(site.get("/api", headers=BROWSER).text)
    described = document(v1.api.endpoints)
    assert shown.problems == []
    ids = shown.ids()
    assert len(ids) == len(set(ids))
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            section = shown.one("section", id=told["operationId"])
            summary = told["summary"].replace("`", "")
            assert section.text.startswith(f"{method.upper()} {path} {summary}")
            for parameter in told["parameters"]:
                assert parameter["name"] in section.text and parameter["description"] in section.text
            assert "curl " in section.text and "http://explorer/" in section.text
    for name, schema in described["components"]["schemas"].items():
        section = shown.one("section", id=name)
        assert [field for field in schema.get("properties", {}) if field not in section.text] == []
    links = {e.attributes["href"][1:] for e in shown.all("a") if e.attributes["href"].startswith("#")}
    assert links - {"main"} <= set(ids)


def test_examples_of_the_page_of_the_api_are_answered(site: Client) -> None:
    shown = Markup(site.get("/api", headers=BROWSER).text)
    lines = [e.text for e in shown.all("code") if e.text.startswith("curl ") and "-X" not in e.text]
    assert len(lines) > 30
    whole = [line for line in lines if not re.search(r"[A-Z]{4}|events|/eth", line)]
    for line in whole:
        path = line.removeprefix("curl ").strip("'").removeprefix("http://explorer")
        assert site.get(path).status_code in (200, 503), line
    bodies = [e.text for e in shown.all("code") if e.text.startswith("curl -X")]
    told = [json.loads(body.split("'")[1].replace("…", '"…"').replace('""…""', '"…"')) for body in bodies]
    assert {type(body) for body in told} == {dict}


def test_a_hostile_host_is_not_repeated(site: Client) -> None:
    shown = site.get("/api", headers={"Host": '"><script>alert(1)</script>', **BROWSER})
    assert "alert(1)" not in shown.text and "http://localhost" in shown.text


def test_methodology_has_every_part_that_pages_lead_to(site: Client) -> None:
    shown = Markup(site.get("/methodology").text)
    assert shown.problems == []
    assert len(shown.ids()) == len(set(shown.ids()))
    led = {e.attributes["href"] for path in ("/operator", "/calculator", "/network", "/verify", "/methodology")
           for e in Markup(site.get(path).text).all("a")}  # fmt: skip
    named = {link.partition("#")[2] for link in led if link.startswith(("/methodology#", "#"))}
    assert len(named) > 8 and named - {"main"} <= set(shown.ids())


@pytest.mark.parametrize(
    ("path", "target"),
    [("/api-docs", "/api"), ("/api/docs", "/api"), ("/docs/api", "/api"), ("/messages/verify", "/verify"),
     ("/about", "/methodology")],
)  # fmt: skip
def test_paths_of_other_explorers(site: Client, path: str, target: str) -> None:
    response = site.get(path)
    assert (response.status_code, response.headers["location"]) == (301, target)
