"""The calls of SSP wallet, as it makes them and by what it reads, with a transaction that waits."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.app import create_app
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.test_insight import asked
from tests.explorer.test_mempool import settled
from tests.explorer.test_routes import UNUSED
from tests.mempool.pool import Pool, pool_at, prepared, waiting

TIP = 152  # the next block holds a chain of twelve transactions, each spending the one before
COIN = 10**8


@pytest.fixture(scope="module")
def pool(mongod: str) -> Iterator[Pool]:
    """The chain of twelve in the mempool of the recorded chain."""
    with prepared(mongod, "insight_wallet") as store, pool_at(TIP, store) as at_tip:
        at_tip.hold(waiting(TIP + 1))
        yield at_tip


@pytest.fixture(scope="module")
def wallet(pool: Pool, mongod: str) -> Iterator[Client]:
    """What the wallet asks."""
    with Client(create_app(settings((mongod, "insight_wallet"), daemon=pool.daemon))) as running:
        settled(running, pool)
        yield running


def chained() -> list[dict[str, Any]]:
    """The waiting transactions in the daemon's words, each after the one that it spends."""
    return [tx for tx in recorded.blocks()[TIP + 1]["block"]["tx"][1:] if "vin" in tx]


def own(tx: dict[str, Any]) -> str:
    """The address that a waiting transaction spends from."""
    return str(tx["vin"][0]["address"])


def test_balances(wallet: Client) -> None:
    first, address = chained()[0], own(chained()[0])
    shown = asked(wallet, f"/api/addr/{address}?noTxList=1")
    change = sum(
        sum(o["valueZat"] for o in tx["vout"] if o["scriptPubKey"].get("addresses") == [address])
        - sum(i["valueSat"] for i in tx["vin"] if i.get("address") == address)
        for tx in chained()
    )
    assert shown["unconfirmedBalanceSat"] == change
    coins = asked(wallet, f"/daemon/getaddressutxos/{address}")["data"]
    assert shown["balanceSat"] == sum(coin["satoshis"] for coin in coins)
    assert shown["unconfirmedTxApperances"] == sum(
        any(i.get("address") == address for i in tx["vin"])
        or any(o["scriptPubKey"].get("addresses") == [address] for o in tx["vout"])
        for tx in chained()
    )
    assert first["txid"] in asked(wallet, f"/api/addr/{address}")["transactions"]
    nobody = asked(wallet, f"/api/addr/{UNUSED}?noTxList=1")
    assert {nobody[name] for name in ("balanceSat", "unconfirmedBalanceSat", "txApperances", "totalSentSat")} == {0}
    for path in ("utxo", "unspent"):
        assert asked(wallet, f"/api/addrs/{UNUSED}/{path}") == []
    assert asked(wallet, f"/api/addrs/{UNUSED}/txs?from=0&to=50")["items"] == []


def test_the_height_that_transactions_expire_by(wallet: Client) -> None:
    assert asked(wallet, "/api/status?getinfo")["info"]["blocks"] == TIP


def test_a_waiting_transaction_is_pending_and_whole(wallet: Client) -> None:
    for told in chained():
        page = asked(wallet, f"/api/addrs/{own(told)}/txs?from=0&to=50")
        item = next(item for item in page["items"] if item["txid"] == told["txid"])
        assert (item["blockheight"], item["confirmations"], "blocktime" in item) == (-1, 0, False)
        assert item["size"] == len(waiting(TIP + 1)[told["txid"]]) // 2
        assert item["time"] > 0
        assert [(i["txid"], i["vout"], i["addr"]) for i in item["vin"]] == [
            (i["txid"], i["vout"], i["address"]) for i in told["vin"]
        ]
        assert item["fees"] == sum(i["value"] for i in told["vin"]) - sum(o["value"] for o in told["vout"])
        for output, theirs in zip(item["vout"], told["vout"], strict=True):
            assert output["scriptPubKey"]["asm"] == theirs["scriptPubKey"]["asm"]
        pending = [i["blockheight"] for i in page["items"]]
        assert pending == sorted(pending, key=lambda height: (height != -1, -height))
        whole = asked(wallet, f"/api/tx/{told['txid']}")
        assert whole["vin"][0]["scriptSig"] == told["vin"][0]["scriptSig"]
        assert (whole["blockheight"], "blockhash" in whole) == (-1, False)


def test_coins_with_and_without_the_mempool(wallet: Client) -> None:
    last = chained()[-1]
    spent = {(i["txid"], i["vout"]) for tx in chained() for i in tx["vin"]}
    change = 0
    paid = {address for output in last["vout"] for address in output["scriptPubKey"].get("addresses", ())}
    for address in paid | {own(tx) for tx in chained()}:
        everything = asked(wallet, f"/api/addrs/{address}/utxo")
        confirmed = asked(wallet, f"/api/addrs/{address}/unspent")
        assert not spent & {(u["txid"], u["vout"]) for u in everything}
        assert confirmed == [u for u in everything if u["confirmations"] > 0]
        for utxo in everything:
            assert isinstance(utxo["satoshis"], int)
            assert utxo["scriptPubKey"]
            assert ("height" in utxo) == (utxo["confirmations"] > 0)
            change += (utxo["txid"] == last["txid"]) and utxo["confirmations"] == 0
        balance = asked(wallet, f"/api/addr/{address}?noTxList=1")
        assert sum(u["satoshis"] for u in everything) == balance["balanceSat"] + balance["unconfirmedBalanceSat"]
    assert change


def test_immature_coinbases_are_marked(wallet: Client) -> None:
    assert asked(wallet, f"/api/addrs/{UNUSED}/balance") == {"balance": 0, "unconfirmedBalance": 0, "immature": 0}
    young = recorded.blocks()[TIP - 20]["block"]["tx"][0]
    address = young["vout"][0]["scriptPubKey"]["addresses"][0]
    coins = {(u["txid"], u["vout"]): u for u in asked(wallet, f"/api/addrs/{address}/utxo")}
    assert coins[young["txid"], 0]["coinbase"] is True
    sums = asked(wallet, f"/api/addrs/{address}/balance")
    assert sums["immature"] == sum(u["satoshis"] for u in coins.values() if u.get("coinbase")) > 0
    assert sums["unconfirmedBalance"] == asked(wallet, f"/api/addr/{address}?noTxList=1")["unconfirmedBalanceSat"]
    assert all(u.get("coinbase") is None for u in coins.values() if u["confirmations"] >= 100)


def test_sending(wallet: Client, pool: Pool) -> None:
    txid, raw = next(iter(waiting(TIP + 1).items()))
    sent = wallet.post("/api/tx/send", json={"rawtx": raw})
    assert (sent.status_code, sent.json()) == (200, {"txid": txid})
    pool.daemon.chain.refusal = (-26, "16: bad-txns-inputs-spent")
    refused = wallet.post("/api/tx/send", data={"rawtx": raw})
    pool.daemon.chain.refusal = None
    assert (refused.status_code, refused.text) == (400, "16: bad-txns-inputs-spent. Code:-26")
    assert wallet.post("/api/tx/send", json={}).status_code == 400


def test_nodes_and_their_collaterals(client: Client) -> None:
    state = recorded.states()[recorded.blocks()[recorded.TIP]["hash"]]
    for node in state["snapshot"]["nodes"][::9]:
        utxos = asked(client, f"/api/fluxnode/addrs/{node['payment_address']}/utxo")
        assert all(u["satoshis"] in (1000 * COIN, 12_500 * COIN, 40_000 * COIN) for u in utxos)
        (mine,) = [u for u in utxos if u["txid"] == node["txhash"] and u["vout"] == int(node["outidx"])]
        body = {"filter": node["payment_address"]}
        found = asked(client, "/api/fluxnode/listfluxnodes", verb="POST", json=body)["result"]
        assert any(n["txhash"] == mine["txid"] and int(n["outidx"]) == mine["vout"] and n["ip"] for n in found)
    for name in ("doslist", "startlist"):
        entries = asked(client, f"/api/fluxnode/{name}")["result"]
        assert entries == asked(client, f"/daemon/get{name}")["data"]
        assert all(re.fullmatch(r"COutPoint\([0-9a-f]{64}, \d+\)", entry["collateral"]) for entry in entries)


def test_links_of_the_wallet_are_pages(client: Client) -> None:
    txid = recorded.blocks()[319]["block"]["tx"][1]["txid"]
    for path in (f"/tx/{txid}", f"/address/{UNUSED}"):
        page = client.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
