"""Charts of the chain: every number is the one that the blocks themselves add up to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import accumulate, pairwise
from typing import Any

import pytest

from explorer.pages.formats import zatoshi
from explorer.queries.chart_results import NAMES
from indexer.chain.eras import day_number
from indexer.store.codec import ledger_row
from tests import recorded
from tests.explorer.client import Client
from tests.indexed import network

TIP = recorded.TIP
DAY = 86_400
LATEST = list(accumulate((block["block"]["time"] for block in recorded.blocks()), max))


@pytest.fixture(scope="module")
def blocks(client: Client) -> list[dict[str, Any]]:
    """All blocks as the API lists them, by height."""
    return client.pages("/api/v1/blocks", 1000)[::-1]


@pytest.fixture(scope="module")
def payouts(client: Client) -> list[int]:
    """How many payouts each block made, by height."""
    made = [0] * (TIP + 1)
    for payout in client.pages("/api/v1/payouts", 1000):
        made[payout["height"]] += payout["matched"]
    return made


def stretches(heights: list[int], first: int) -> Iterator[tuple[int, int, int]]:
    """The last height before and the last height in each point, and the seconds between."""
    for before, last in pairwise([first, *heights]):
        yield before, last, LATEST[last] - LATEST[before]


def chart(client: Client, name: str, query: str = "") -> tuple[list[Any], list[int]]:
    """The values of a chart and the heights that they end with; their times are those of the blocks."""
    body = client.json(f"/api/v1/charts/{name}?{query}")
    assert [time for time, _ in body["points"]] == [recorded.blocks()[h]["block"]["time"] for h in body["heights"]]
    return [value for _, value in body["points"]], body["heights"]


@pytest.mark.parametrize("name", ["transactions", "fees", "payouts", "block_time"])
@pytest.mark.parametrize(
    ("query", "first"), [("points=7", 1), ("points=200", 1), ("from=1500&to=1900&points=30", 1499)]
)
def test_what_is_counted_by_the_day_is_the_sum_of_the_blocks(
    client: Client, blocks: list[dict[str, Any]], payouts: list[int], name: str, query: str, first: int
) -> None:
    values, heights = chart(client, name, query)
    assert len(values) > 3 and heights == sorted(heights)
    of_block = {
        "transactions": lambda h: len(recorded.blocks()[h]["block"]["tx"]),
        "fees": lambda h: zatoshi(blocks[h]["fees"]),
        "payouts": lambda h: payouts[h],
    }
    for value, (before, last, seconds) in zip(values, stretches(heights, first), strict=True):
        if name == "block_time":
            assert value == round(seconds / (last - before), 2)
        else:
            expected = round(sum(map(of_block[name], range(before + 1, last + 1))) * DAY / seconds)
            assert (zatoshi(value) if name == "fees" else value) == expected


def test_what_blocks_are_is_what_the_daemon_says(client: Client) -> None:
    values, heights = chart(client, "difficulty", "points=50")
    assert values == [float(recorded.blocks()[height]["block"]["difficulty"]) for height in heights]
    values, heights = chart(client, "supply", "points=9")
    assert (heights[0], heights[-1]) == (0, TIP)
    assert values == [client.json(f"/api/v1/blocks/{height}")["issued"] for height in heights]


@pytest.mark.parametrize("tier", ["cumulus", "nimbus", "stratus"])
def test_nodes_are_those_of_the_tiers(client: Client, tier: str) -> None:
    values, heights = chart(client, f"nodes_{tier}")
    assert heights == [0, 1024, 2048, TIP]
    for value, height in zip(values, heights, strict=True):
        states = {state["tier"]: state for state in client.json(f"/api/v1/tiers?at={height}")["items"]}
        assert value == states[tier]["nodes"]["confirmed"]
    assert chart(client, f"nodes_{tier}", "from=1100&to=2100")[1] == [2048]


def test_active_addresses_are_those_of_the_ledger(client: Client) -> None:
    rows = client.run(client.services.db.find("ledger", {}))
    touched: dict[int, set[bytes]] = {}
    for row in map(ledger_row, rows):
        touched.setdefault(day_number(network(), row.height), set()).add(row.address)
    values, heights = chart(client, "active_addresses")
    assert heights[-1] == TIP and len(heights) == len(touched)
    assert values == [len(touched[day_number(network(), height)]) for height in heights]
    two, ends = chart(client, "active_addresses", "points=2")
    whole = day_number(network(), ends[-1])
    mean = round(sum(len(touched[day]) for day in range(whole)) / whole)
    assert two == [mean, len(touched[whole])]


@cache
def day(height: int) -> str:
    """The day of a block, in UTC."""
    return datetime.fromtimestamp(LATEST[height], UTC).date().isoformat()


def test_a_stretch_between_dates_holds_their_blocks(client: Client) -> None:
    dates = sorted({day(height) for height in range(1, TIP + 1)})
    of_day = [height for height in range(TIP + 1) if day(height) == dates[-1]]
    heights = chart(client, "supply", f"from={dates[-1]}&to={dates[-1]}&points=1000")[1]
    assert heights[0] == of_day[0] and heights[-1] == of_day[-1]
    assert client.json("/api/v1/charts/supply?from=2099-01-01")["points"] == []
    assert client.json("/api/v1/charts/transactions?to=1999-01-01")["points"] == []


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nothing", 404, "active_addresses"),
        ("%3Cscript%3E", 404, "there is no chart"),
        ("fees?points=1", 400, "from 2 to 1000"),
        ("fees?points=1001", 400, "from 2 to 1000"),
        ("fees?points=x", 400, "whole number"),
        ("fees?from=x", 400, "expected a height, or a date"),
        ("fees?to=2026-02-30", 400, "expected a height, or a date"),
        ("fees?from=2401", 409, "2400"),
        ("fees?from=2000&to=1000", 400, "from is block 2000"),
    ],
)
def test_charts_refuse(client: Client, path: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/charts/{path}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


@pytest.mark.parametrize("name", NAMES)
def test_every_chart_is_drawn_and_cached_by_tip(client: Client, name: str) -> None:
    first = client.get(f"/api/v1/charts/{name}?points=5")
    assert first.json()["unit"] and first.json()["name"] == name
    again = client.get(f"/api/v1/charts/{name}?points=5", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    image = client.get(f"/charts/{name}.svg?points=5&theme=dark")
    assert image.headers["etag"] == first.headers["etag"] or name == "supply"
    assert image.text.startswith("<svg") and "NaN" not in image.text
    picture = client.get(f"/charts/{name}.png?points=5")
    assert picture.headers["content-type"] == "image/png"
    tag = {"If-None-Match": picture.headers["etag"]}
    assert client.get(f"/charts/{name}.png?points=5", headers=tag).status_code == 304
    page = client.get(f"/charts/{name}?points=5").text
    assert f'property="og:image" content="http://explorer/charts/{name}.png"' in page
