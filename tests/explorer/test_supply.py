"""The supply of the recorded chain through the API is the daemon's; every gap is explained."""

from __future__ import annotations

from functools import cache
from itertools import accumulate

import pytest

from indexer.chain.eras import eras
from indexer.chain.params import COIN
from indexer.chain.payouts import tier_payout
from indexer.chain.subsidy import block_subsidy, issue_at
from tests import recorded
from tests.explorer.client import Client
from tests.explorer.test_recorded_blocks import zatoshi

NETWORK = recorded.network()
TIP = recorded.TIP
EVERY = 3  # the heights are asked one by one, in so many tests
SCHEDULE = list(accumulate(issue_at(NETWORK, height) for height in range(TIP + 1)))
CAPS = ["whitepaper_440m_formula", "whitepaper_440m_addresses", "native_440m", "announced_560m", "max_money"]


def pools(height: int) -> dict[str, int]:
    """The shielded pools after a block, as ``getblock`` says."""
    return {pool["id"]: pool["chainValueZat"] for pool in recorded.blocks()[height]["block"]["valuePools"]}


def transparent(height: int) -> int:
    """What ``gettxoutsetinfo`` said right after the block."""
    told = recorded.states()[recorded.blocks()[height]["hash"]]["txoutset"]
    assert told["height"] == height
    return int(told["total_amount"] * COIN)


def made(height: int) -> int:
    """New coins of a block by the daemon's own sums; outputs that nobody can spend are in neither of them."""
    unspendable: int = sum(
        output["valueZat"]
        for tx in recorded.blocks()[height]["block"]["tx"]
        for output in tx.get("vout", ())
        if output["scriptPubKey"]["hex"].startswith("6a")
    )
    after = transparent(height) + sum(pools(height).values())
    return after - (transparent(height - 1) + sum(pools(height - 1).values()) if height > 1 else 0) + unspendable


@cache
def gaps() -> dict[int, tuple[int, int]]:
    """The heights whose new coins are not those of the schedule: what was scheduled, what was made."""
    both = {height: (issue_at(NETWORK, height), made(height)) for height in range(1, TIP + 1)}
    return {height: (scheduled, new) for height, (scheduled, new) in both.items() if scheduled != new}


@pytest.mark.parametrize("start", range(EVERY))
def test_the_supply_after_every_block_is_the_daemons(client: Client, start: int) -> None:
    for height in range(start, TIP + 1, EVERY):
        body = client.json(f"/api/v1/supply?at={height}")
        native = {name: zatoshi(value) for name, value in body["native"].items() if isinstance(value, str)}
        assert body["at"] == {"height": height, "hash": recorded.blocks()[height]["hash"]}
        assert native["transparent"] == transparent(height)
        assert {name: native[name] for name in ("sprout", "sapling")} == pools(height)
        assert (native["schedule"], native["schedule"] - native["issued"]) == (SCHEDULE[height], native["unclaimed"])
        assert native["total"] == transparent(height) + sum(pools(height).values()) == native["outside_fusion"]
        assert native["issued"] == native["total"] + native["unspendable"]


def test_the_schedule_is_the_sum_of_the_daemons_subsidies_and_the_funds(client: Client) -> None:
    pool, funds = NETWORK.funds.swap_pool, NETWORK.funds
    one_offs = funds.exchange.amount + funds.foundation.amount + pool.times * pool.amount
    expected = sum(recorded.subsidies().values()) + one_offs
    assert zatoshi(client.json("/api/v1/supply")["native"]["schedule"]) == expected


@pytest.mark.parametrize("limit", [1, 2, 4, 1000])
def test_what_was_never_claimed_is_explained_by_height(client: Client, limit: int) -> None:
    items = client.pages("/api/v1/supply/unclaimed", limit)
    seen = {item["height"]: (zatoshi(item["scheduled"]), zatoshi(item["claimed"])) for item in items}
    assert list(seen) == sorted(gaps(), reverse=True)
    assert seen == gaps()
    assert all(zatoshi(item["unclaimed"]) == gaps()[item["height"]][0] - gaps()[item["height"]][1] for item in items)
    left = sum(zatoshi(item["unclaimed"]) for item in items)
    assert left == zatoshi(client.json("/api/v1/supply")["native"]["unclaimed"]) > 0
    words = {item["height"]: item["explanation"] for item in items}
    assert words[1950] == "the coinbase claims the subsidy and leaves the fees"
    assert "less than subsidy, fees and one-off funds" in words[830]


@pytest.mark.parametrize("height", [0, 1, 699, 700, 1799, 1800, 2199, 2200, 2400])
def test_the_next_reduction(client: Client, height: int) -> None:
    reduction = client.json(f"/api/v1/supply?at={height}")["next_reduction"]
    era = next(era for era in eras(NETWORK) if era.first > height)
    assert (reduction["height"], reduction["blocks"]) == (era.first, era.first - height)
    before, after = era.first - 1, era.first
    subsidies = tuple(zatoshi(reduction[name]) for name in ("subsidy_before", "subsidy_after"))
    assert subsidies == (block_subsidy(NETWORK, before), block_subsidy(NETWORK, after))
    assert subsidies[0] > subsidies[1]
    assert [(tier["tier"], zatoshi(tier["before"]), zatoshi(tier["after"])) for tier in reduction["tiers"]] == [
        (name, tier_payout(NETWORK, before, tier), tier_payout(NETWORK, after, tier))
        for tier, name in enumerate(("cumulus", "nimbus", "stratus"), start=1)
    ]
    spacings = [60 if h < NETWORK.upgrades.pon else 30 for h in range(height + 1, era.first + 1)]
    spacings = [NETWORK.pow_target_spacing if s == 60 else NETWORK.pon_target_spacing for s in spacings]
    assert reduction["time"] == recorded.blocks()[height]["block"]["time"] + sum(spacings)


@pytest.mark.parametrize("points", [2, 3, 10, 1000])
def test_history(client: Client, points: int) -> None:
    body = client.json(f"/api/v1/supply/history?points={points}")
    heights = [point["height"] for point in body["points"]]
    assert (len(heights), heights[0], heights[-1]) == (points, 0, TIP)
    steps = {after - before for before, after in zip(heights, heights[1:], strict=False)}
    assert max(steps) - min(steps) <= 1
    for point in body["points"]:
        height = point["height"]
        assert point["time"] == recorded.blocks()[height]["block"]["time"]
        assert (zatoshi(point["transparent"]), zatoshi(point["shielded"])) == (
            transparent(height),
            sum(pools(height).values()),
        )
        assert zatoshi(point["schedule"]) == SCHEDULE[height]
        assert point["formula"] is None
        parts = ("transparent", "shielded", "unspendable")
        assert zatoshi(point["issued"]) == sum(zatoshi(point[name]) for name in parts)
    assert [(era["name"], era["first_height"], era["last_height"]) for era in body["eras"]] == [
        ("full subsidy", 0, 699),
        ("halving 1", 700, 1399),
        ("halving 2", 1400, 1799),
        ("Proof of Node", 1800, 2199),
        ("Proof of Node, reduction 1", 2200, 2599),
    ]


def test_without_parallel_chains_their_caps_are_unknown_and_say_so(client: Client) -> None:
    checks = {check["name"]: check for check in client.json("/api/v1/supply/cap")["checks"]}
    assert list(checks) == CAPS
    for name in CAPS[:2]:
        assert (checks[name]["state"], checks[name]["missing"]) == ("unknown", ["parallel_chains"])
        assert [checks[name][field] for field in ("value", "headroom", "crosses", "crosses_by_schedule")] == [None] * 4
        assert checks[name]["explanation"].endswith("it lacks parallel_chains.")
    for name in CAPS[2:]:
        assert (checks[name]["state"], checks[name]["missing"]) == ("within", [])
        assert zatoshi(checks[name]["headroom"]) == zatoshi(checks[name]["limit"]) - zatoshi(checks[name]["value"])
        assert checks[name]["crosses"]["height"] > checks[name]["crosses_by_schedule"]["height"] > TIP
    supply = client.json("/api/v1/supply")
    assert supply["parallel"] == []
    assert list(supply["totals"].values()) == [None] * 4


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("issued.txt", "29200252.59824301"),
        ("issued.txt?decimals=0", "29200252"),
        ("issued.txt?decimals=3", "29200252.598"),
        ("issued.txt?at=3", "13020300.00000000"),
        ("issued.txt?at=0&decimals=1", "0.0"),
        ("total.txt", "29200249.59824301"),
        ("shielded.txt", "212.87440001"),
        ("max.txt", "440000000"),
        ("max.txt?decimals=8", "440000000.00000000"),
    ],
)
def test_plain_numbers(client: Client, path: str, text: str) -> None:
    response = client.get(f"/api/v1/supply/{path}")
    assert (response.status_code, response.text) == (200, text)
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cache-control"] == "public, max-age=30"
    assert response.headers["x-flux-explanation"]
    assert response.headers["x-flux-height"] == str(TIP)
    again = client.get(f"/api/v1/supply/{path}", headers={"If-None-Match": response.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.request("HEAD", f"/api/v1/supply/{path}").status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("?at=2401", 409, "2400"),
        ("?at=x", 400, "at is"),
        ("/history?points=1", 400, "2 to 1000"),
        ("/history?points=1001", 400, "2 to 1000"),
        ("/history?points=many", 400, "points is"),
        ("/unclaimed?limit=0", 400, "limit"),
        ("/unclaimed?cursor=AAAA", 400, "unclaimed blocks"),
        ("/issued.txt?decimals=9", 400, "0 to 8"),
        ("/issued.txt?decimals=-1", 400, "decimals is"),
        ("/issued.txt?at=2401", 409, "2400"),
        ("/circulating.txt", 404, "no parallel chains"),
        ("/outstanding-parallel.txt", 404, "no parallel chains"),
        ("/parallel/eth.txt", 404, "none on this network"),
        ("/nothing.txt", 404, "issued, total, circulating"),
    ],
)
def test_bad_questions(client: Client, path: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/supply{path}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]
