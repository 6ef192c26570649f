"""Who has asked too much is told so before anything is looked up, and others are not."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial

import pytest
from starlette.routing import Route

from explorer.app import create_app
from explorer.guard.allowance import Allowance
from explorer.guard.costs import HOT, RULES, price_of
from explorer.guard.door import LINGER_BYTES, MOST_BODY, Door
from explorer.guard.shares import share_of_all, share_of_client
from explorer.guard.tolls import Toll
from indexer.config import load_config
from tests.explorer.client import Client, settings
from tests.explorer.talking import talking

BURST = 100
HEIGHT = "/api/v1/blocks/1850"


@pytest.fixture(scope="module")
def strict(recorded_index: tuple[str, str]) -> Iterator[Client]:
    """An explorer that gives each client a hundred tokens and, because its clock stands still, no more."""
    config = settings(recorded_index)
    guard = replace(config.guard, rate=1, burst=BURST, free="192.0.2.128/25")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("explorer.guard.rails.Allowance", partial(Allowance, clock=lambda: 0))
        patched.setattr("explorer.guard.rails.Door", partial(Door, hold_seconds=0))
        app = create_app(replace(config, guard=guard))
    with Client(app) as client:
        yield client


def from_(address: str, **more: str) -> dict[str, str]:
    """The headers of a request that came through a trusted proxy on this machine."""
    return {"x-forwarded-for": address, **more}


def drained(client: Client, address: str) -> None:
    """Ask until there is a refusal."""
    for _ in range(BURST + 50):
        if client.get("/robots.txt", headers=from_(address)).status_code == 429:
            return
    raise AssertionError("there was no refusal")


def test_a_flood_is_refused_and_others_are_answered(strict: Client) -> None:
    drained(strict, "198.51.100.1")
    refused = strict.get(HEIGHT, headers=from_("198.51.100.1"))
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 3
    assert f"in {refused.headers['retry-after']} s" in refused.json()["error"]["message"]
    assert refused.headers["access-control-allow-origin"] == "*"
    assert strict.get(HEIGHT, headers=from_("198.51.100.2")).status_code == 200
    assert re.search(r'flux_explorer_refused_total\{kind="rate"\} [1-9]', strict.get("/metrics").text)
    assert "198.51.100" not in strict.get("/metrics").text


def test_whoever_says_to_be_somebody_else_is_himself(strict: Client) -> None:
    """What a client writes into the header stands to the left of what the proxy adds."""
    drained(strict, "198.51.100.3")
    for forged in ("192.0.2.200", "127.0.0.1", "203.0.113.1, 203.0.113.2", "unknown", ""):
        assert strict.get(HEIGHT, headers=from_(f"{forged}, 198.51.100.3")).status_code == 429


def test_a_network_of_ipv6_is_one_client(strict: Client) -> None:
    drained(strict, "2001:db8:7:1::1")
    assert strict.get(HEIGHT, headers=from_("2001:db8:7:1:ffff::2")).status_code == 429
    assert strict.get(HEIGHT, headers=from_("2001:db8:7:2::1")).status_code == 200


def test_who_is_free_is_not_counted(strict: Client) -> None:
    for _ in range(BURST + 20):
        assert strict.get("/robots.txt", headers=from_("192.0.2.130")).status_code == 200


def test_a_browser_gets_a_page(strict: Client) -> None:
    drained(strict, "198.51.100.4")
    page = strict.get("/blocks", headers=from_("198.51.100.4", accept="text/html,*/*;q=0.8"))
    assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert "<h1>Too much at once</h1>" in page.text and "retry-after" in page.headers
    german = strict.get("/blocks", headers=from_("198.51.100.4", accept="text/html", **{"accept-language": "de"}))
    assert 'lang="de"' in german.text and "<h1>Zu viel auf einmal</h1>" in german.text
    assert strict.request("HEAD", "/blocks", headers=from_("198.51.100.4")).status_code == 429


def test_a_websocket_is_refused_at_the_door(strict: Client) -> None:
    address = "198.51.100.5"
    for _ in range(BURST):
        strict.get("/robots.txt", headers=from_(address))
    with talking(strict, address) as mouth:
        assert mouth.code == 429


def test_what_has_to_be_made_costs_more_than_what_is_kept(strict: Client) -> None:
    """A kept answer is paid for at the door alone; the refusal of a dear one is an error like others."""
    dear = "/charts/fees.png"
    address = "198.51.100.6"
    assert [strict.get(dear, headers=from_(address)).status_code for _ in range(3)] == [200, 200, 200]
    other = "198.51.100.7"
    assert [strict.get(f"/charts/fees.png?from={n}", headers=from_(other)).status_code for n in range(3)] == [
        200, 200, 429
    ]  # fmt: skip
    page = strict.get("/charts/fees.png?from=9", headers=from_(other, accept="text/html"))
    assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert int(page.headers["retry-after"]) > 5
    assert strict.get(dear, headers=from_(other)).status_code == 200


def test_a_batch_costs_by_its_length(strict: Client) -> None:
    address = "t2" * 17
    many = {"addresses": [address] * 1000}
    told = [strict.post("/api/v1/balances", json=many, headers=from_("198.51.100.8")).status_code for _ in range(6)]
    assert told == [400, 400, 400, 429, 429, 429]
    few = [
        strict.post("/api/v1/balances", json={"addresses": []}, headers=from_("198.51.100.9")).status_code
        for _ in range(6)
    ]
    assert few == [200] * 6


def test_a_long_list_costs_by_its_limit(strict: Client) -> None:
    told = [
        strict.get(f"/api/v1/blocks?limit=1000&before={n}", headers=from_("198.51.100.10")).status_code
        for n in range(1000, 1006)
    ]
    assert told == [200, 200, 200, 200, 429, 429]


def test_questions_over_a_websocket_cost_as_much(strict: Client) -> None:
    with talking(strict, "198.51.100.11") as mouth:
        told = [mouth.answer("getBlockHash", height=1850) for _ in range(BURST // 3 + 1)]
        assert [one for one in told[: BURST // 3 - 1] if "hash" not in one] == []
        assert "ask again in" in told[-1]["error"]["message"]


# --- bodies -------------------------------------------------------------------------------------------------


async def endless(most: int) -> AsyncIterator[bytes]:
    """A body without an end, of which about so many bytes may be read."""
    read = 0
    while True:
        assert read <= most + (1 << 20)
        read += 1 << 18
        yield b" " * (1 << 18)


@pytest.mark.parametrize("path", ["/api/v1/transactions", "/broadcast", "/api/v2/sendtx/", "/api/tx/send", "/nope"])
@pytest.mark.parametrize("length", [str(MOST_BODY + 1), "9" * 30, "-1", "many"])
def test_a_body_that_is_announced_too_large_is_refused(strict: Client, path: str, length: str) -> None:
    headers = {"content-length": length, **from_("192.0.2.131")}
    refused = strict.post(path, content=endless(LINGER_BYTES), headers=headers)
    assert (refused.status_code, refused.headers["connection"]) == (413, "close")
    assert refused.json()["error"]["code"] == "too_large"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/transactions", 413), ("/api/v1/balances", 413), ("/api/v1/credits", 413), ("/broadcast", 413),
        ("/api/v2/sendtx/", 413), ("/api/tx/send", 413), ("/api/addrs/utxo", 413), ("/theme", 413),
        ("/api/v1/blocks", 405), ("/nope", 404),
    ],
)  # fmt: skip
def test_a_body_without_an_end_is_not_read_to_it(strict: Client, path: str, status: int) -> None:
    """Nobody announces its length: it is refused when it has become too long, and the connection with it."""
    headers = from_("192.0.2.131", accept="application/json")
    refused = strict.post(path, content=endless(MOST_BODY + LINGER_BYTES), headers=headers)
    assert (refused.status_code, refused.headers["connection"]) == (status, "close")


def test_a_body_that_is_read_keeps_the_connection(strict: Client) -> None:
    answer = strict.post("/api/v1/balances", json={"addresses": []}, headers=from_("192.0.2.131"))
    assert (answer.status_code, answer.headers.get("connection")) == (200, None)


# --- costs --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def routes() -> list[Route]:
    """All plain routes of the site."""
    return [route for route in create_app(load_config(environ={})).routes if isinstance(route, Route)]


def test_every_route_has_its_toll(routes: list[Route]) -> None:
    assert all(isinstance(route.app, Toll) and route.app.price == price_of(route) for route in routes)


def test_every_rule_is_for_some_route(routes: list[Route]) -> None:
    named = [f"{'GET' if 'GET' in (route.methods or ()) else 'POST'} {route.path}" for route in routes]
    assert [pattern.pattern for pattern, _ in RULES if not any(map(pattern.search, named))] == []


def test_prices(routes: list[Route]) -> None:
    prices = {(min(route.methods or ()), route.path): price_of(route) for route in routes}
    expected = {
        "/static/{name}": 0, "/": 2, "/block/{reference}": 2, "/api/v1/status": 2, "/api/status": 2,
        "/api/addr/{address}": 2, "/api/addrs/{addresses}/txs": 5, "/api/fluxnode/listfluxnodes": 20,
        "/api/v1/addresses/{address}/statement": 30, "/charts/{name}.png": 40, "/preview/{kind}.png": 40,
        "/charts/{name}.csv": 30, "/operator.csv": 30, "/richlist": 10, "/api/v1/richlist": 10,
        "/api/v2/sendtx/{hex}": 20, "/daemon/sendrawtransaction/{hexstring}": 20, "/charts/{name}": 5,
    }  # fmt: skip
    assert {path: prices["GET", path] for path in expected} == expected
    writing = {"/api/v1/transactions", "/broadcast", "/api/v2/sendtx/", "/daemon/sendrawtransaction"}
    assert {path for (_, path), price in prices.items() if price == 20} >= writing
    assert prices["POST", "/api/v1/balances"] == 10


OFFICE = 100  # people behind one address


def test_an_office_behind_one_address_never_meets_the_limit() -> None:
    """Everybody opens the home page in the same second, then all pages follow the chain and some are being read."""
    config = load_config(environ={})
    guard = config.guard
    assert 2 * OFFICE <= config.explorer.streams_per_client  # everybody has two pages open that follow the chain
    assert 8 * OFFICE <= guard.connections_per_client  # and a browser opens six connections to ask more
    page, files, events = HOT + 2, 8 * HOT, HOT + 4
    assert OFFICE * (page + files + events) <= guard.burst
    following = OFFICE * page / 30  # a block every 30 s; pages on which nothing else happens are asked for once
    reading = OFFICE / 5 * (page + 2) / 10  # one in five opens a page every ten seconds, some of them dear
    wallets = OFFICE / 5 * 14 * (HOT + 5) / 60  # one in five has a wallet open: 14 questions a minute
    assert following + reading + wallets <= guard.rate / 2


@pytest.mark.parametrize(
    ("limit", "workers", "of_all", "of_client"),
    [(100, 1, 100, 100), (100, 2, 50, 100), (100, 4, 25, 50), (5, 4, 2, 3), (1, 8, 1, 1), (0, 4, 0, 0)],
)
def test_shares_of_workers(limit: int, workers: int, of_all: int, of_client: int) -> None:
    assert (share_of_all(limit, workers), share_of_client(limit, workers)) == (of_all, of_client)


def test_refusals_wait_a_little() -> None:
    """Who floods from connections of his own asks no faster than they are answered."""
    assert Door.__init__.__defaults__ == (1.0,)
