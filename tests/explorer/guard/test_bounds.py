"""Every question has a bound: one more is refused with the number that is allowed, and nothing is looked up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from indexer.chain.address import encode_address
from tests import recorded
from tests.explorer.client import Client
from tests.explorer.talking import talking

ADDRESS = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
NODE = f"{'00' * 32}:0"


def different(number: int) -> str:
    """So many addresses, separated by commas."""
    keys = (bytes((1,)) + n.to_bytes(20, "big") for n in range(number))
    return ",".join(encode_address(key, recorded.network()) for key in keys)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/api/v1/blocks?limit=1001", None, 400, "1000"),
        ("GET", "/api/v1/nodes?limit=1001", None, 400, "1000"),
        ("GET", "/api/v1/richlist?limit=1001", None, 400, "1000"),
        ("POST", "/api/v1/balances", {"addresses": [ADDRESS] * 1001}, 400, "1000"),
        ("POST", "/api/v1/credits", {"addresses": [ADDRESS] * 1001}, 400, "1000"),
        ("POST", "/api/v1/credits", {"addresses": [ADDRESS], "limit": 1001}, 400, "1000"),
        ("GET", "/api/v1/charts/fees?points=1001", None, 400, "1000"),
        ("GET", "/api/v1/supply/history?points=1001", None, 400, "1000"),
        ("GET", f"/api/v1/events?address={different(101)}", None, 400, "100"),
        ("GET", "/api/v1/events?node=" + ",".join([NODE] * 101), None, 400, "100"),
        ("GET", f"/api/addrs/{different(101)}/utxo", None, 400, "100"),
        ("GET", f"/api/addrs/{ADDRESS}/txs?from=0&to=101", None, 400, "100"),
        ("POST", "/api/addrs/utxo", {"addrs": different(101)}, 400, "100"),
        ("GET", "/api/v2/address/" + "x" * 2000, None, 400, "address"),
        ("GET", "/api/v1/search?q=" + "9" * 5000, None, 400, "200"),
        ("GET", "/api/v1/transactions/" + "ab" * 20_000, None, 400, "txid"),
    ],
)
def test_one_more_is_refused(client: Client, method: str, path: str, body: Any, status: int, words: str) -> None:
    answer = client.request(method, path, content=json.dumps(body) if body else b"")
    assert (answer.status_code, words in answer.text) == (status, True), answer.text[:300]
    assert len(answer.content) < 2000


def test_a_socket_follows_so_many_addresses_and_has_one_subscription_of_a_kind(client: Client) -> None:
    before = client.services.watcher.listeners
    with talking(client) as mouth:
        assert "1000" in mouth.answer("subscribeAddresses", addresses=[ADDRESS] * 1001)["error"]["message"]
        assert "32" in mouth.answer("estimateFee", blocks=[1] * 33)["error"]["message"]
        for _ in range(50):
            assert mouth.answer("subscribeNewBlock") == {"subscribed": True}
            assert mouth.answer("subscribeAddresses", addresses=[ADDRESS]) == {"subscribed": True}
        assert client.services.watcher.listeners == before + 2
    assert client.services.watcher.listeners == before
