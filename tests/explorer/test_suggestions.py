"""Suggestions, and what the search finds by words, in other spellings, by beginnings."""

from __future__ import annotations

import pytest

from indexer.chain.address import decode_address, keys_beginning_with
from indexer.chain.eras import eras
from indexer.chain.networks import NETWORKS
from tests.explorer.client import Client
from tests.explorer.test_routes import ADDRESS, BLOCK, MAIN_ADDRESS, NODE, TXID, ZEROS
from tests.indexed import network

IP = "100.35.7.26"


def items(client: Client, text: str, path: str = "/suggest") -> list[dict[str, str]]:
    """What is suggested, or found, for a text."""
    response = client.get(f"/api/v1/search{path}", params={"q": text})
    assert response.status_code == 200, response.text
    found: list[dict[str, str]] = response.json()["items"]
    return found


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("", []),
        ("t", []),
        ("1850", ["/block/1850"]),
        ("#1,850", ["/block/1850"]),
        ("cum", ["/nodes/cumulus"]),
        ("STRATUS", ["/nodes/stratus"]),
        ("ti", ["/search?q=tip"]),
        ("hal", ["/search?q=halving"]),
        (BLOCK, [f"/block/{BLOCK}"]),
        (TXID, [f"/tx/{TXID}"]),
        (ZEROS, []),
        (ADDRESS, [f"/address/{ADDRESS}"]),
        (ADDRESS[:12], [f"/address/{ADDRESS}"]),
        ("t9zz", []),
        ("tm0O", []),
        ("zz", []),
    ],
)
def test_suggestions(client: Client, text: str, urls: list[str]) -> None:
    assert [item["url"] for item in items(client, text)] == urls


def test_the_beginning_of_an_address_gives_addresses_of_the_chain_in_order(client: Client) -> None:
    known = {item["address"] for item in client.pages("/api/v1/nodes", 1000)}
    counts = set()
    for start in {address[:length] for address in known for length in (4, 5, 8)}:
        found = [item["url"].rpartition("/")[2] for item in items(client, start)]
        assert found == sorted(found, key=lambda a: decode_address(a, network()))
        assert all(address.startswith(start) for address in found) and len(found) <= 5
        assert len(found) == 5 or {address for address in known if address.startswith(start)} <= set(found)
        counts.add(len(found))
    assert {1, 2} <= counts


def test_the_beginning_of_an_ip_gives_nodes(client: Client) -> None:
    for start in (IP[:3], IP[:5], IP, "100.", IP + ":"):
        found = items(client, start)
        assert found or start == "100" or start.endswith(":")
        assert all(f"at {start}" in item["label"] or item["kind"] != "node" for item in found[1:])
    assert len(items(client, "100.")) <= 8


def test_a_text_that_is_too_long_is_refused_and_answers_are_kept(client: Client) -> None:
    assert client.get("/api/v1/search/suggest", params={"q": "x" * 201}).status_code == 400
    url = "/api/v1/search/suggest?q=cumu"
    assert client.get(url, headers={"If-None-Match": client.get(url).headers["etag"]}).status_code == 304


@pytest.mark.parametrize("name", ["main", "test"])
def test_a_range_of_keys_holds_every_address_that_begins_so(name: str) -> None:
    chain = NETWORKS[name]
    for address in ([MAIN_ADDRESS] if name == "main" else ["tmSJ1rcCPdRYpFvuzbSEYDpccVvjKiEb5gj"]):
        key = decode_address(address, chain)
        for length in range(3, len(address) + 1):
            span = keys_beginning_with(address[:length], chain)
            assert span is not None and span[0] <= key <= span[1]
        beside = address[:6] + ("z" if address[6] != "z" else "y")
        other = keys_beginning_with(beside, chain)
        assert other is not None and not other[0] <= key <= other[1]
        whole = keys_beginning_with(address, chain)
        assert whole == (key, key)
    for nothing in ("", "1", "t9", "0", "t1" + "z" * 40):
        assert keys_beginning_with(nothing, chain) is None


@pytest.mark.parametrize(
    "text",
    [f"{TXID}:0", f"{TXID}-0", f"COutPoint({TXID}, 0)", f"{TXID} 0", f"{TXID}, 0", f"{TXID}/0", f"{TXID}#0",
     f"{TXID}#vout=0", f"{TXID}#out-0", f"0x{TXID},0"],
)  # fmt: skip
def test_an_output_is_found_in_every_spelling(client: Client, text: str) -> None:
    assert [item["url"] for item in items(client, text, "")] == [f"/tx/{TXID}"]


def test_a_node_is_found_by_its_output_in_every_spelling(client: Client) -> None:
    txid, _, n = NODE.rpartition(":")
    for text in (NODE, f"{txid} {n}", f"{txid}#vout={n}"):
        assert items(client, text, "")[0]["url"] == f"/node/{NODE}"


def test_a_cut_is_the_next_one_and_the_block_of_the_last(client: Client) -> None:
    begun = [era for era in eras(network()) if era.first <= 2400]
    for text in ("halving", "Cut", "reductions"):
        *coming, last = items(client, text, "")
        assert last["url"] == f"/block/{begun[-1].first}"
        assert [item["kind"] for item in coming] == ["page"] * (len(coming) > 0)
        for item in coming:
            assert client.get(item["url"], headers={"Accept": "text/html"}).status_code == 200
