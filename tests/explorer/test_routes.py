"""Every route: what it answers, refuses and says it does."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.api import v1
from explorer.app import create_app
from explorer.queries.text import script_text
from indexer.chain.address import encode_address
from indexer.chain.keys import P2PKH
from tests import recorded
from tests.explorer.client import Client, settings
from tests.indexed import network
from tests.replay_daemon import ReplayDaemon

ADDRESS = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
UNUSED = encode_address(bytes([P2PKH]) + bytes(20), network())
MAIN_ADDRESS = "t1UHecy6WiSJXs4Zqt5UvVdRDF7PMbZJK7q"
BLOCK = recorded.blocks()[1850]["hash"]
TXID = recorded.blocks()[319]["block"]["tx"][1]["txid"]
NODE_TX = recorded.blocks()[1850]["block"]["tx"][1]["txid"]
NODE = "939331a90701ce08fd9d7619f728ab3bddb28279b1ca851f0ad471504b6733e2:0"
ZEROS = "0" * 64

GOOD = [
    "/api/v1/status",
    "/api/v1/blocks",
    "/api/v1/blocks?before=0",
    "/api/v1/blocks?before=2401&limit=1000",
    "/api/v1/blocks/0",
    "/api/v1/blocks/0000",
    f"/api/v1/blocks/{BLOCK}",
    f"/api/v1/blocks/{BLOCK.upper()}",
    "/api/v1/blocks/1850/transactions?limit=1",
    "/api/v1/blocks/1850/raw",
    f"/api/v1/transactions/{TXID}",
    f"/api/v1/transactions/{NODE_TX}",
    f"/api/v1/transactions/{TXID}/raw",
    f"/api/v1/addresses/{ADDRESS}",
    f"/api/v1/addresses/{ADDRESS}?at=0",
    f"/api/v1/addresses/{ADDRESS}?confirmations=2401",
    f"/api/v1/addresses/{ADDRESS}/transactions",
    f"/api/v1/addresses/{ADDRESS}/utxos",
    f"/api/v1/addresses/{ADDRESS}/statement?from=1900&limit=3",
    f"/api/v1/credits?address={ADDRESS}&limit=3",
    "/api/v1/mempool",
    "/api/v1/supply",
    "/api/v1/supply?at=700",
    "/api/v1/supply/cap",
    "/api/v1/supply/history?points=5",
    "/api/v1/supply/unclaimed",
    "/api/v1/tiers",
    "/api/v1/tiers?at=405",
    "/api/v1/tiers/cumulus/queue?limit=3",
    "/api/v1/tiers/stratus/queue?at=1850",
    "/api/v1/nodes?limit=3",
    "/api/v1/nodes?status=dos&tier=cumulus",
    f"/api/v1/nodes/{NODE}",
    f"/api/v1/nodes/{NODE}?at=1900",
    f"/api/v1/nodes/{NODE}/events",
    f"/api/v1/nodes/{NODE}/payouts",
    "/api/v1/payouts?tier=nimbus",
    f"/api/v1/addresses/{ADDRESS}/nodes",
    f"/api/v1/addresses/{ADDRESS}/payouts",
    "/api/v1/producers",
    "/api/v1/search?q=tip",
    "/api/v1/charts/fees?points=5",
    "/api/v1/charts/nodes_nimbus",
    "/api/v1/reorgs",
    "/api/v1/home",
    f"/block/{BLOCK}.json",
    "/block/5.json",
    f"/tx/{TXID}.json",
    f"/address/{ADDRESS}.json",
    f"/node/{NODE}.json",
]

BAD = [
    ("/api/v1/blocks?limit=0", 400, "bad_request", "1 to 1000"),
    ("/api/v1/blocks?limit=1001", 400, "bad_request", "1 to 1000"),
    ("/api/v1/blocks?cursor=xyz", 400, "bad_request", "cursor"),
    ("/api/v1/blocks?before=-1", 400, "bad_request", "before"),
    ("/api/v1/blocks?before=2402", 409, "above_tip", "2400"),
    ("/api/v1/blocks?before=99999999999999", 409, "above_tip", "2400"),
    ("/api/v1/blocks/2401", 409, "above_tip", "2400"),
    ("/api/v1/blocks/999999999999999", 409, "above_tip", "2400"),
    ("/api/v1/blocks/9999999999999999999999", 400, "bad_request", "height"),
    ("/api/v1/blocks/-1", 400, "bad_request", "height"),
    ("/api/v1/blocks/%D9%A3", 400, "bad_request", "height"),
    ("/api/v1/blocks/1.5", 400, "bad_request", "height"),
    (f"/api/v1/blocks/{ZEROS}", 404, "not_found", "no block"),
    (f"/api/v1/blocks/{ZEROS}/transactions", 404, "not_found", "no block"),
    ("/api/v1/blocks/2401/transactions", 409, "above_tip", "2400"),
    (f"/api/v1/blocks/{ZEROS}/raw", 404, "not_found", "no block"),
    ("/api/v1/blocks/5/raw/more", 404, "not_found", "Not Found"),
    (f"/api/v1/transactions/{ZEROS}", 404, "not_found", "no transaction"),
    (f"/api/v1/transactions/{ZEROS}/raw", 404, "not_found", "no transaction"),
    (f"/api/v1/transactions/{ZEROS[1:]}", 400, "bad_request", "64 hex digits"),
    ("/api/v1/transactions/nonsense", 400, "bad_request", "64 hex digits"),
    (f"/api/v1/addresses/{ADDRESS[:-1]}G", 400, "bad_request", "checksum"),
    ("/api/v1/addresses/0", 400, "bad_request", ""),
    ("/api/v1/addresses/%00%F0%9F%98%80", 400, "bad_request", ""),
    (f"/api/v1/addresses/{ADDRESS}?at=2401", 409, "above_tip", "2400"),
    (f"/api/v1/addresses/{ADDRESS}?at=tip", 400, "bad_request", "at is"),
    (f"/api/v1/addresses/{ADDRESS}?at=1&confirmations=1", 400, "bad_request", "cannot be combined"),
    (f"/api/v1/addresses/{ADDRESS}?confirmations=0", 400, "bad_request", "1 to 2401"),
    (f"/api/v1/addresses/{ADDRESS}?confirmations=2402", 400, "bad_request", "1 to 2401"),
    (f"/api/v1/addresses/{ADDRESS}/transactions?cursor=AAAA", 400, "bad_request", "cursor"),
    (f"/api/v1/addresses/{ADDRESS}/utxos?limit=x", 400, "bad_request", "limit"),
    ("/api/v1/search", 400, "bad_request", "q is missing"),
    ("/api/v1/search?q=", 400, "bad_request", "1 to 200"),
    ("/api/v1/nothing", 404, "not_found", "Not Found"),
    ("/block/2401.json", 409, "above_tip", "2400"),
    ("/tx/nonsense.json", 400, "bad_request", "64 hex digits"),
]


@pytest.mark.parametrize("url", GOOD)
def test_good_questions(client: Client, url: str) -> None:
    response = client.get(url)
    body = response.json()
    assert response.status_code == 200
    assert body["tip"] == {"height": 2400, "hash": recorded.blocks()[2400]["hash"], "time": body["tip"]["time"]}
    assert response.headers["x-flux-height"] == "2400"
    assert response.headers["x-flux-hash"] == body["tip"]["hash"]
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("url", "status", "code", "words"), BAD)
def test_bad_questions(client: Client, url: str, status: int, code: str, words: str) -> None:
    response = client.get(url)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert words in response.json()["error"]["message"]
    assert response.headers["access-control-allow-origin"] == "*"
    assert "etag" not in response.headers


@pytest.mark.parametrize("url", GOOD[1:])
def test_an_answer_that_is_known_is_304(client: Client, url: str) -> None:
    tag = client.get(url).headers["etag"]
    for known in (tag, f'"other", {tag}', tag.removeprefix("W/"), "*"):
        again = client.get(url, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("url", ["/api/v1/blocks/1850", f"/api/v1/addresses/{ADDRESS}/transactions"])
def test_kept_answers_are_the_answers(client: Client, url: str) -> None:
    first, again = client.get(url), client.get(url)
    assert first.content == again.content
    assert first.headers == again.headers
    assert client.get(url + "?pretty=1").json() == first.json()
    assert client.get(url + "?pretty=1").text == json.dumps(first.json(), indent=2)


def test_head_and_compression(client: Client) -> None:
    url = "/api/v1/blocks?limit=100"
    head, get = client.request("HEAD", url), client.get(url, headers={"Accept-Encoding": "identity"})
    assert head.status_code == 200
    assert head.headers["etag"] == get.headers["etag"]
    assert "content-encoding" not in get.headers
    packed = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == get.json()
    assert int(packed.headers["content-length"]) < len(get.content) / 3
    assert len(gzip.compress(get.content)) < len(get.content) / 3


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("application/json, text/plain, */*", True),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("text/html;q=0.5, application/json;q=0.6", True),
        ("text/html, application/json", False),
        ("*/*", False),
        ("application/json;q=nonsense", False),
    ],
)
@pytest.mark.parametrize("path", ["/block/1850", f"/tx/{TXID}", f"/address/{ADDRESS}"])
def test_pages_have_json_twins_by_accept_header(client: Client, path: str, accept: str, is_json: bool) -> None:
    response = client.get(path, headers={"Accept": accept})
    twin = client.get(path + ".json")
    assert (response.headers["content-type"] == "application/json" and response.text == twin.text) == is_json


def test_an_unused_address_has_zeros(client: Client) -> None:
    body = client.json(f"/api/v1/addresses/{UNUSED}")
    for name in ("balance", "received", "sent", "immature", "spendable"):
        assert body[name] == "0.00000000"
    assert (body["transaction_count"], body["utxo_count"]) == (0, 0)
    assert (body["first_height"], body["last_height"]) == (None, None)
    for part in ("transactions", "utxos"):
        assert client.json(f"/api/v1/addresses/{UNUSED}/{part}") == {"tip": body["tip"], "items": [], "next": None}


def test_an_address_of_another_network_is_told(client: Client) -> None:
    response = client.get(f"/api/v1/addresses/{MAIN_ADDRESS}")
    assert response.status_code == 400
    assert "address of main, not of regtest" in response.json()["error"]["message"]


BODIES = [
    (b"", 400, "no JSON"),
    (b"[]", 400, "object"),
    (b"{}", 400, "addresses: expected a list"),
    (b'{"addresses": "x"}', 400, "expected a list of texts"),
    (b'{"addresses": [1]}', 400, "expected a list of texts"),
    (b'{"addresses": [], "at": "1"}', 400, "at: expected a whole number"),
    (b'{"addresses": [], "at": true}', 400, "at: expected a whole number"),
    (b'{"addresses": [], "at": -1}', 400, "at: expected a whole number"),
    (b'{"addresses": [], "at": 1e400}', 400, "at: expected a whole number"),
    (b'{"addresses": [], "at": 2401}', 409, "2400"),
    (b'{"addresses": [], "hight": 1}', 400, "unknown key 'hight'"),
    (b'{"addresses": ["\\ud800"]}', 400, "ud800"),
    (b"\xff\xfe", 400, "no JSON"),
    (b"[" * 100_000, 400, "no JSON"),
    (b" " * 300_000, 413, "larger"),
    (json.dumps({"addresses": [ADDRESS, ADDRESS + "x"]}).encode(), 400, ADDRESS + "x"),
    (json.dumps({"addresses": [ADDRESS] * 1001}).encode(), 400, "at most 1000"),
]


@pytest.mark.parametrize(("body", "status", "words"), BODIES, ids=range(len(BODIES)))
def test_bad_bodies(client: Client, body: bytes, status: int, words: str) -> None:
    response = client.post("/api/v1/balances", content=body)
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_no_addresses_have_no_balances(client: Client) -> None:
    assert client.post("/api/v1/balances", json={"addresses": []}).json()["items"] == []


def test_methods_that_a_route_does_not_have(client: Client) -> None:
    assert client.post("/api/v1/blocks").json()["error"]["code"] == "method_not_allowed"
    assert client.get("/api/v1/balances").status_code == 405


# --- broadcast and the daemon -------------------------------------------------------------------------------


@pytest.fixture
def own_daemon(recorded_index: tuple[str, str]) -> Iterator[tuple[ReplayDaemon, Client]]:
    """A daemon that may be spoilt, and an explorer that asks it."""
    with ReplayDaemon() as daemon, Client(create_app(settings(recorded_index, daemon=daemon))) as client:
        yield daemon, client


@pytest.mark.parametrize("text", ["", "0", "zz", "0102 ", "00" * 2_000_001, None, 5])
def test_what_is_no_transaction_is_not_sent(client: Client, daemon: ReplayDaemon, text: Any) -> None:
    before = daemon.calls["sendrawtransaction"]
    response = client.post("/api/v1/transactions", json={"hex": text})
    assert response.status_code == 400
    assert "hex" in response.json()["error"]["message"]
    assert daemon.calls["sendrawtransaction"] == before


def test_the_daemons_refusal_is_told_with_its_reason(client: Client, daemon: ReplayDaemon) -> None:
    response = client.post("/api/v1/transactions", json={"hex": "00"})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "bad_request"
    assert "TX decode failed (code -22)" in response.json()["error"]["message"]


def test_a_transaction_is_handed_to_the_daemon(own_daemon: tuple[ReplayDaemon, Client]) -> None:
    daemon, client = own_daemon
    raw = client.json(f"/api/v1/transactions/{TXID}/raw")["hex"]
    response = client.post("/api/v1/transactions", json={"hex": raw.upper()})
    assert response.status_code == 200
    assert response.json()["txid"] == TXID
    assert list(daemon.chain.mempool) == [TXID]
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "kind", ["warming_up", "unauthorized", "queue_full", "html", "broken_json", "drop", "wrong_block", "garbage_hex"]
)
def test_a_daemon_that_misbehaves_is_unavailable_and_not_described(
    own_daemon: tuple[ReplayDaemon, Client], kind: str
) -> None:
    daemon, client = own_daemon
    daemon.misbehave(kind)
    response = client.get(f"/api/v1/transactions/{TXID}/raw")
    assert response.status_code == 503
    assert response.json()["error"]["code"] == "upstream_unavailable"
    assert daemon.url not in response.text
    assert "replay" not in response.text
    assert response.headers["retry-after"] == "2"
    assert client.get(f"/api/v1/transactions/{TXID}").status_code == 200


def test_without_a_daemon_what_needs_one_says_so(any_client: Client) -> None:
    for response in (
        any_client.get("/api/v1/blocks/5/raw"),
        any_client.post("/api/v1/transactions", json={"hex": "00"}),
    ):
        assert response.status_code == 503
        assert "none is configured" in response.json()["error"]["message"]


# --- while the index is young -------------------------------------------------------------------------------


def test_an_empty_database_answers_syncing(mongod: str, database_name: str) -> None:
    with Client(create_app(settings((mongod, database_name)))) as client:
        for url in GOOD[:15]:
            response = client.get(url)
            assert (response.status_code, response.json()["error"]["code"]) == (503, "syncing")
        assert client.post("/api/v1/transactions", json={"hex": "00"}).json()["error"]["code"] == "syncing"
        assert client.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_unhealthy() -> None:
    with Client(create_app(settings(("mongodb://127.0.0.1:9/", "none")))) as client:
        assert client.get("/healthz").status_code == 503
        assert client.get("/metrics").status_code == 200
        assert client.get("/api/v1/blocks").json()["error"]["code"] == "upstream_unavailable"


# --- what operators and tools ask ---------------------------------------------------------------------------


def test_health_and_metrics(any_client: Client) -> None:
    assert any_client.get("/healthz").json() == {"status": "ok"}
    any_client.get("/api/v1/blocks/7")
    text = any_client.get("/metrics").text
    assert "flux_explorer_tip_height 2400\n" in text
    assert "flux_explorer_payouts_mismatched 0\n" in text
    assert re.search(r'flux_explorer_requests_total\{endpoint="get_block",status="200"\} \d+\n', text)
    assert re.search(r'flux_explorer_request_seconds_bucket\{endpoint="get_block",le="\+Inf"\} \d+\n', text)


def test_status(client: Client) -> None:
    body = client.json("/api/v1/status")
    assert (body["network"], body["simulated"], body["schema"]) == ("regtest", False, 1)
    assert body["checks"]["payouts_checked"] > 5000
    assert body["checks"]["payouts_mismatched"] == 0
    assert "txids.prefixes" in body["index"]["indexes_ready"]
    assert body["reorgs"] == {"count": 0, "deepest": None, "last_height": None}


def test_openapi_names_exactly_the_routes_that_exist(client: Client) -> None:
    document = client.get("/openapi.json").json()
    declared = {(path, method.upper()) for path, item in document["paths"].items() for method in item}
    assert declared == {(endpoint.path, endpoint.method) for endpoint in v1.api.endpoints}
    assert document["openapi"] == "3.1.0"
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert references == set(document["components"]["schemas"])
    for item in document["paths"].values():
        for operation in item.values():
            assert operation["summary"].endswith(".")


PYTHON_TYPES = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "null": (type(None),),
}  # fmt: skip


def fits(schema: dict[str, Any], value: Any, schemas: dict[str, Any]) -> bool:
    """Whether a value fits the part of JSON Schema that the document uses."""
    if "$ref" in schema:
        return fits(schemas[schema["$ref"].rpartition("/")[2]], value, schemas)
    if "allOf" in schema:
        return all(fits(part, value, schemas) for part in schema["allOf"])
    if "anyOf" in schema:
        return any(fits(part, value, schemas) for part in schema["anyOf"])
    if schema["type"] == "object":
        more = schema.get("additionalProperties")
        kinds = schema.get("properties", {})
        return (
            isinstance(value, dict)
            and set(schema.get("required", ())) <= set(value)
            and all(fits(kinds.get(name, more), item, schemas) for name, item in value.items() if name in kinds or more)
        )
    if schema["type"] == "array":
        return isinstance(value, list) and all(fits(schema["items"], item, schemas) for item in value)
    if type(value) not in PYTHON_TYPES[schema["type"]] or value not in schema.get("enum", [value]):
        return False
    return "pattern" not in schema or re.search(schema["pattern"], value) is not None


@pytest.mark.parametrize("url", [url for url in GOOD if url.startswith("/api/v1/")])
def test_answers_fit_their_declared_schema(client: Client, url: str) -> None:
    document = client.get("/openapi.json").json()
    path = url.partition("?")[0]
    (item,) = (
        item for template, item in document["paths"].items()
        if "get" in item and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    )  # fmt: skip
    schema = item["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    body = client.json(url)
    assert fits(schema, body, document["components"]["schemas"])
    assert not fits(schema, {**body, "tip": None}, document["components"]["schemas"])


# --- search -------------------------------------------------------------------------------------------------


def hits(client: Client, text: str) -> list[str]:
    """The paths that a search gives."""
    items = client.get("/api/v1/search", params={"q": text}).json()["items"]
    return [item["url"] for item in items]


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("tip", ["/block/2400"]),
        ("TIP ", ["/block/2400"]),
        ("1850", ["/block/1850"]),
        ("#1850", ["/block/1850"]),
        ("1,850", ["/block/1850"]),
        ("1 850", ["/block/1850"]),
        ("1'850", ["/block/1850"]),
        ("1.850", ["/block/1850"]),
        ("2401", []),
        ("999999999999", []),
        (BLOCK, [f"/block/{BLOCK}"]),
        (BLOCK.upper(), [f"/block/{BLOCK}"]),
        ("0x" + BLOCK, [f"/block/{BLOCK}"]),
        (TXID, [f"/tx/{TXID}"]),
        (f"{TXID}:0", [f"/tx/{TXID}"]),
        (f"{TXID}-0", [f"/tx/{TXID}"]),
        (f"COutPoint({TXID}, 0)", [f"/tx/{TXID}"]),
        (ADDRESS, [f"/address/{ADDRESS}"]),
        (UNUSED, [f"/address/{UNUSED}"]),
        (MAIN_ADDRESS, []),
        (ZEROS, []),
        (f"{ZEROS}:1", []),
        ("nonsense", []),
        ("2099-01-01", []),
        ("2026-13-45", []),
        ("1970-01-01", ["/block/0"]),
    ],
)
def test_search(client: Client, text: str, urls: list[str]) -> None:
    assert hits(client, text) == urls


def test_search_by_date_finds_the_first_block_by_running_maximum(client: Client) -> None:
    from datetime import UTC, datetime

    times = [row["block"]["time"] for row in recorded.blocks()]
    reached = [max(times[: n + 1]) for n in range(len(times))]
    for wanted in (reached[1], reached[700], reached[1801] + 1, reached[-1]):
        text = datetime.fromtimestamp(wanted, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        expected = next(n for n, time in enumerate(reached) if time >= wanted)
        assert hits(client, text) == [f"/block/{expected}"]


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("6a0548656c6c6f", "Hello"),
        ("6a024865036c6c6f", "Hello"),
        ("6a4c0548656c6c6f", "Hello"),
        ("6a4d050048656c6c6f", "Hello"),
        ("6a03e282ac", "€"),
        ("6a", None),
        ("6a00", None),
        ("6a0548656c6c", None),
        ("6a01ff", None),
        ("6a010a", None),
        ("6a51", None),
    ],
)
def test_text_of_nulldata(script: str, text: str | None) -> None:
    assert script_text(bytes.fromhex(script)) == text
