"""Blockbook's REST against the recorded answers of the daemon: figures exact, shapes as its clients read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from starlette.routing import Route, WebSocketRoute

from explorer.api.blockbook.accounts import MOST_ON_PAGE
from explorer.api.blockbook.methods import METHODS
from explorer.api.blockbook.routes import routes as blockbook_routes
from explorer.api.blockbook.shapes import op_return
from explorer.app import create_app
from indexer.parse import parse_transaction
from indexer.parse.inputs import signed_inputs
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.test_mempool import TIP, settled, touched
from tests.explorer.test_recorded_addresses import KNOWN_DIFFERENCES, STEP, expectations
from tests.explorer.test_recorded_blocks import zatoshi
from tests.explorer.test_routes import ADDRESS, BLOCK, MAIN_ADDRESS, NODE_TX, TXID, UNUSED, ZEROS
from tests.generated_docs import DOCS
from tests.indexed import Index, chain, network
from tests.mempool.pool import Pool, waiting, waiting_at
from tests.replay_chain import raw_transactions
from tests.replay_daemon import ReplayDaemon

ADDRESSES = sorted(expectations())
LONGEST = max(expectations(), key=lambda address: len(expectations()[address].by_transaction))
SAMPLED = [109, 114, 115, 153, 319, 700, 1642, 1811, 2000]  # heights with transfers of all kinds


def verbose(height: int) -> list[dict[str, Any]]:
    """The transactions of a block in the daemon's words."""
    transactions: list[dict[str, Any]] = recorded.blocks()[height]["block"]["tx"]
    return transactions


# --- addresses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES[::STEP])
def test_an_address_is_the_daemons(client: Client, address: str) -> None:
    expected = expectations()[address]
    balance, received, count = expected.totals
    body = client.json(f"/api/v2/address/{address}")
    assert (body["address"], body["balance"], body["txs"]) == (address, str(balance), count)
    assert (body["totalReceived"], body["totalSent"]) == (str(received), str(received - balance))
    assert (body["unconfirmedBalance"], body["unconfirmedTxs"]) == ("0", 0)
    assert body.get("txids", []) == [d.txid for d in expected.by_transaction][:MOST_ON_PAGE]
    coins = client.json(f"/api/v2/utxo/{address}")
    assert {f"{c['txid']}:{c['vout']}": int(c["value"]) for c in coins} == expected.unspent
    assert [c["height"] for c in coins] == sorted((c["height"] for c in coins), reverse=True)
    for coin in coins:
        assert coin["confirmations"] == recorded.TIP - coin["height"] + 1
        first = verbose(coin["height"])[0]["txid"]
        assert coin.get("coinbase", False) == (coin["txid"] == first and coin["confirmations"] < 100)


@pytest.mark.parametrize("size", [7, 250])
def test_pages_of_a_long_history_are_all_of_it(client: Client, size: int) -> None:
    expected = [d.txid for d in expectations()[LONGEST].by_transaction]
    pages = -(-len(expected) // size)
    chosen = sorted({1, 2, pages // 3, pages // 2, pages - 1, pages} - {0})
    for number in chosen:
        body = client.json(f"/api/v2/address/{LONGEST}?page={number}&pageSize={size}")
        assert (body["page"], body["totalPages"], body["itemsOnPage"]) == (number, pages, size)
        assert body["txids"] == expected[(number - 1) * size : number * size]
    beyond = client.json(f"/api/v2/address/{LONGEST}?page=99999&pageSize={size}")
    assert (beyond["page"], beyond["txids"]) == (pages, expected[(pages - 1) * size :])


@pytest.mark.parametrize(("first", "last"), [(1000, 1500), (0, 300), (2000, 0), (1500, 1000), (1 << 52, 0)])
def test_a_range_of_heights_bounds_the_history(client: Client, first: int, last: int) -> None:
    deltas = expectations()[LONGEST].by_transaction
    expected = [d.txid for d in deltas if first <= d.height <= (last or recorded.TIP)]
    body = client.json(f"/api/v2/address/{LONGEST}?from={first}&to={last}&pageSize=100&page=2")
    pages = max(1, -(-len(expected) // 100))
    assert body["totalPages"] == pages
    assert body.get("txids", []) == (expected[100:200] if pages > 1 else expected)
    assert body["txs"] == len(deltas)


def test_how_much_is_told_of_an_address(client: Client) -> None:
    for details in ("basic", "tokens", "tokenBalances"):
        body = client.json(f"/api/v2/address/{ADDRESS}?details={details}")
        assert not {"page", "txids", "transactions"} & body.keys()
    ids = client.json(f"/api/v2/address/{ADDRESS}?details=txids&pageSize=5")["txids"]
    for details in ("txslight", "txs"):
        found = client.json(f"/api/v2/address/{ADDRESS}?details={details}&pageSize=5")["transactions"]
        assert [transaction["txid"] for transaction in found] == ids
    body = client.json(f"/api/v2/address/{UNUSED}?details=txs")
    assert (body["balance"], body["txs"], body["totalPages"]) == ("0", 0, 1)
    assert "transactions" not in body
    assert client.json(f"/api/v2/utxo/{UNUSED}") == []


def test_the_balance_history_adds_up(client: Client) -> None:
    for address in (ADDRESS, LONGEST):
        balance, received, count = expectations()[address].totals
        whole = client.json(f"/api/v2/balancehistory/{address}?groupBy=86400")
        for body in (whole, client.json(f"/api/v2/balancehistory/{address}")):
            sums = {name: sum(int(part[name]) for part in body) for name in ("txs", "received", "sent")}
            assert sums == {"txs": count, "received": received, "sent": received - balance}
            assert [part["time"] for part in body] == sorted({part["time"] for part in body})
            assert all(0 <= int(part["sentToSelf"]) <= int(part["received"]) for part in body)
        url, cut = f"/api/v2/balancehistory/{address}?groupBy=86400", whole[len(whole) // 2]["time"]
        assert client.json(f"{url}&to={cut}") + client.json(f"{url}&from={cut}") == whole


def test_what_comes_back_to_the_sender_is_told(client: Client) -> None:
    paid: dict[str, int] = {}
    for row in recorded.blocks():
        for tx in row["block"]["tx"]:
            own = {i.get("address") for i in tx.get("vin", ())} - {None}
            for output in tx.get("vout", ()):
                for address in output["scriptPubKey"].get("addresses", ()):
                    if address in own and output["scriptPubKey"]["type"] in ("pubkeyhash", "scripthash"):
                        paid[address] = paid.get(address, 0) + output["valueZat"]
    odd = set(KNOWN_DIFFERENCES.values())
    plain = sorted(paid.keys() - odd)[:5]
    assert plain
    for address in plain:
        told = client.json(f"/api/v2/balancehistory/{address}")
        assert sum(int(part["sentToSelf"]) for part in told) == paid[address]


# --- transactions and blocks --------------------------------------------------------------------------------


@pytest.mark.parametrize("height", SAMPLED)
def test_transactions_are_the_daemons(client: Client, height: int) -> None:
    listed = {tx["txid"]: tx for tx in client.json(f"/api/v2/block/{height}")["txs"]}
    assert list(listed) == [tx["txid"] for tx in verbose(height)]
    for tx in verbose(height)[:25]:
        body = client.json(f"/api/v2/tx/{tx['txid']}")
        assert body["hex"] == raw_transactions()[tx["txid"]]
        assert (body["version"], body.get("lockTime", 0)) == (tx["version"], tx.get("locktime", 0))
        assert (body["blockHeight"], body["blockHash"]) == (height, recorded.blocks()[height]["hash"])
        assert (body["confirmations"], body["size"]) == (recorded.TIP - height + 1, len(body["hex"]) // 2)
        same_inputs(body["vin"], tx.get("vin", []))
        same_outputs(body["vout"], tx.get("vout", []))
        assert body["value"] == str(sum(output["valueZat"] for output in tx.get("vout", ())))
        without = {"hex", "vin"}
        assert {k: v for k, v in body.items() if k not in without} == {
            k: v for k, v in listed[tx["txid"]].items() if k not in without
        }


def same_inputs(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [i["n"] for i in found] == list(range(len(expected)))
    for ours, theirs in zip(found, expected, strict=True):
        assert ours["sequence"] == theirs["sequence"]
        if "coinbase" in theirs:
            assert (ours["coinbase"], ours["isAddress"]) == (theirs["coinbase"], False)
            continue
        assert (ours["txid"], ours["vout"]) == (theirs["txid"], theirs["vout"])
        assert ours["value"] == str(theirs["valueSat"])
        assert ours["addresses"] == ([theirs["address"]] if "address" in theirs else ours["addresses"])


def same_outputs(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        script = theirs["scriptPubKey"]
        assert (ours["n"], ours["value"], ours.get("hex", "")) == (theirs["n"], str(theirs["valueZat"]), script["hex"])
        if script["type"] in ("pubkeyhash", "scripthash"):
            assert (ours["addresses"], ours["isAddress"]) == (script["addresses"], True)
        if script["type"] == "nulldata":
            assert (ours["addresses"][0].startswith("OP_RETURN"), ours["isAddress"]) == (True, False)
        spend = [ours.get(name) for name in ("spentTxId", "spentIndex", "spentHeight")]
        if "spentTxId" in theirs:  # the daemon's index of spends leaves out odd scripts
            assert spend == [theirs["spentTxId"], theirs["spentIndex"], theirs["spentHeight"]]
        assert ours.get("spent", False) == (spend[0] is not None)


def test_fees_are_what_the_inputs_leave(client: Client) -> None:
    told = 0
    for tx in [tx for height in SAMPLED for tx in verbose(height)[1:]]:
        body = client.json(f"/api/v2/tx/{tx['txid']}")
        if tx.get("vin") and not tx.get("vjoinsplit") and not tx.get("valueBalance"):
            assert int(body["fees"]) == int(body["valueIn"]) - int(body["value"])
            told += 1
    assert told


def test_a_node_transaction_has_no_coins_and_says_what_it_is(client: Client) -> None:
    body = client.json(f"/api/v2/tx/{NODE_TX}")
    assert (body["vin"], body["vout"], body["value"], body["fees"]) == ([], [], "0", "0")
    assert body["coinSpecificData"]["event"] in ("start", "confirm", "update")
    assert body["hex"] == raw_transactions()[NODE_TX]


@pytest.mark.parametrize("height", [0, 1, 1850, 2400])
def test_a_block_is_the_daemons(client: Client, height: int) -> None:
    theirs = recorded.blocks()[height]["block"]
    body = client.json(f"/api/v2/block/{height}")
    assert body == client.json(f"/api/v2/block/{theirs['hash']}")
    names = {"hash": "hash", "height": "height", "size": "size", "time": "time", "version": "version",
             "merkleRoot": "merkleroot", "bits": "bits", "previousBlockHash": "previousblockhash",
             "nextBlockHash": "nextblockhash"}  # fmt: skip
    assert {ours: body.get(ours) for ours in names} == {ours: theirs.get(name) for ours, name in names.items()}
    assert float(body["difficulty"]) == pytest.approx(float(theirs["difficulty"]), rel=1e-12)
    assert (body["txCount"], body["page"], body["totalPages"]) == (len(theirs["tx"]), 1, 1)
    assert client.json(f"/api/v2/block-index/{height}") == {"blockHash": theirs["hash"]}
    assert client.json(f"/api/v2/rawblock/{height}") == {"hex": recorded.blocks()[height]["hex"]}


def test_bytes_and_the_daemons_own_words(client: Client) -> None:
    assert client.get(f"/api/v2/rawtx/{TXID}").text == raw_transactions()[TXID]
    for call in recorded.rpc_calls():
        found = call["response"]["result"]
        if call["method"] == "getrawtransaction" and isinstance(found, dict) and found.get("vout"):
            response = client.get(f"/api/v2/tx-specific/{found['txid']}")
            if response.status_code == 200:  # not one that a reorganisation removed
                told = json.loads(response.text, parse_float=Decimal)
                assert told["txid"] == found["txid"]
                assert told["vout"] == found["vout"]
                return
    raise AssertionError("no recorded transaction was described")


def test_every_recorded_transaction_gives_its_input_scripts() -> None:
    seen = 0
    for height in (*range(1, 400), *range(1800, 1900)):
        for tx in verbose(height):
            raw = bytes.fromhex(raw_transactions()[tx["txid"]])
            expected = [(i.get("coinbase") or i["scriptSig"]["hex"], i["sequence"]) for i in tx.get("vin", ())]
            assert [(i.script.hex(), i.sequence) for i in signed_inputs(raw)] == expected
            assert parse_transaction(raw)
            seen += len(expected)
    assert seen > 500


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("6a0548656c6c6f", "OP_RETURN (Hello)"),
        ("6a4c0548656c6c6f", "OP_RETURN (Hello)"),
        ("6a02fffe", "OP_RETURN fffe"),
        ("6a", "OP_RETURN"),
        ("6a51", "OP_RETURN 51"),
        ("6a0548", "OP_RETURN 0548"),
    ],
)
def test_the_words_of_nulldata(script: str, words: str) -> None:
    assert op_return(bytes.fromhex(script)) == words


# --- status, fees, errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v2", "/api/v2/", "/api/v2/status", "/api", "/api/"])
def test_status(client: Client, path: str) -> None:
    body = client.json(path)
    assert (body["blockbook"]["coin"], body["blockbook"]["decimals"]) == ("Flux", 8)
    assert body["blockbook"]["bestHeight"] == body["backend"]["blocks"] == recorded.TIP
    assert body["backend"]["bestBlockHash"] == recorded.blocks()[recorded.TIP]["hash"]
    theirs = [c["response"]["result"] for c in recorded.rpc_calls() if c["method"] == "getblockchaininfo"][-1]
    assert body["backend"]["consensus"] == theirs["consensus"]


def test_fees_are_what_the_daemon_demands_to_relay(client: Client) -> None:
    answers = [c["response"]["result"] for c in recorded.rpc_calls() if c["method"] == "getnetworkinfo"]
    body = client.json("/api/v2/estimatefee/2")
    assert Decimal(body["result"]) == answers[-1]["relayfee"]
    assert client.get("/api/v2/estimatefee/0").status_code == 200
    assert client.get("/api/v2/estimatefee/9999").status_code == 400


BAD = [
    ("/api/v2/address/nonsense", ""),
    (f"/api/v2/address/{MAIN_ADDRESS}", "address of main"),
    ("/api/v2/xpub/xpub6CUGRUonZSQ4TWtTMmzXdrXDtypWKiKrhko4egpiMZbpiaQL2jkwSB1icqYh2cfDfVxdx4df189oLKnC5fSwqPfgyP3hooxujYzAu3fDVmz",
     "not derived"),
    (f"/api/v2/address/{ADDRESS}?details=everything", "details"),
    (f"/api/v2/address/{ADDRESS}?page=x", "page"),
    (f"/api/v2/address/{ADDRESS}?from=-1", "from"),
    (f"/api/v2/utxo/{ADDRESS[:-1]}G", "checksum"),
    ("/api/v2/tx/nonsense", "64 hex digits"),
    (f"/api/v2/tx/{ZEROS}", "no transaction"),
    (f"/api/v2/tx-specific/{ZEROS}", "no transaction"),
    (f"/api/v2/rawtx/{ZEROS}", "no transaction"),
    ("/api/v2/block/2401", "2400"),
    (f"/api/v2/block/{ZEROS}", "no block"),
    ("/api/v2/block-index/2401", "2400"),
    ("/api/v2/block-index/x", "height"),
    ("/api/v2/rawblock/x", "no block"),
    ("/api/v2/estimatefee/x", "blocks"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "words"), BAD)
def test_what_is_wrong_is_told_as_blockbook_does(client: Client, path: str, words: str) -> None:
    response = client.get(path)
    assert response.status_code == 400
    assert response.json().keys() == {"error"}
    assert words in response.json()["error"]


def test_while_the_index_of_spends_is_missing_it_says_so(mongod: str, database_name: str) -> None:
    with closing(MongoStore(mongod, database_name)) as store:
        prepare(store, network())
        Index(store).catch_up(chain()[:20], 20)
        with Client(create_app(settings((mongod, database_name)))) as client:
            response = client.get("/api/v2/block/5")
            assert (response.status_code, "waits for the first catch-up" in response.json()["error"]) == (503, True)
            assert response.headers["retry-after"]
            assert client.get("/api/v2/block-index/5").json() == {"blockHash": chain()[5]}


def test_browsers_get_the_page_of_the_api_and_programs_the_status(client: Client) -> None:
    page = client.get("/api", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
        assert "blockbook" in client.get("/api", headers={"Accept": accept}).json()


def test_answers_are_revalidated_and_open_to_all(client: Client) -> None:
    first = client.get(f"/api/v2/address/{ADDRESS}")
    assert first.headers["access-control-allow-origin"] == "*"
    assert client.get(f"/api/v2/address/{ADDRESS}", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_what_passes_is_kept_by_nobody(recorded_index: tuple[str, str]) -> None:
    with ReplayDaemon() as daemon, Client(create_app(settings(recorded_index, daemon=daemon))) as client:
        for path in ("/api/v2", "/api/v2/estimatefee/2"):
            assert client.get(path).headers["cache-control"] == "no-store"
        daemon.misbehave("refusing")
        away = client.get(f"/api/v2/tx/{TXID}")
        assert (away.status_code, away.headers["cache-control"], "hex" in away.json()) == (200, "no-store", False)
        daemon.behave()
        back = client.get(f"/api/v2/tx/{TXID}")
        assert ("etag" in back.headers, "hex" in back.json()) == (True, True)


def test_without_a_daemon_what_needs_one_says_so(any_client: Client) -> None:
    body = any_client.json(f"/api/v2/tx/{TXID}")
    assert "hex" not in body
    assert "sequence" not in body["vin"][0]
    for path in ("/api/v2/estimatefee/2", f"/api/v2/tx-specific/{TXID}", f"/api/v2/block/{BLOCK}/x"):
        assert any_client.get(path).status_code in (404, 503)


def test_the_documentation_names_every_route_and_method() -> None:
    told = (DOCS / "api.md").read_text().partition("\n## Blockbook\n")[2].partition("\n## ")[0]
    words = set(re.findall(r"`([^`\n]+)`", told))
    for route in blockbook_routes():
        assert isinstance(route, Route | WebSocketRoute)
        path = route.path.removeprefix("/api/v2").rstrip("/") if len(route.path) > len("/api/v2/") else route.path
        assert {path, path.rstrip("/"), path + "/"} & words, route.path
    assert set(METHODS) <= words


# --- unconfirmed --------------------------------------------------------------------------------------------


@pytest.fixture
def pool(mongod: str, database_name: str) -> Iterator[Pool]:
    with waiting_at(mongod, database_name, TIP) as at_tip:
        yield at_tip


def test_what_waits_comes_first_and_changes_the_coins(pool: Pool, mongod: str, database_name: str) -> None:
    with Client(create_app(settings((mongod, database_name), daemon=pool.daemon))) as client:
        settled(client, pool)
        raws = waiting(TIP + 1)
        for address in touched(pool):
            summary = client.json(f"/api/v1/addresses/{address}")
            body = client.json(f"/api/v2/address/{address}?details=txs")
            mined = [m["txid"] for m in client.json(f"/api/v1/addresses/{address}/transactions?limit=1000")["items"]]
            waits = [tx for tx in body["transactions"] if tx["confirmations"] == 0]
            assert [tx["txid"] for tx in body["transactions"]] == [tx["txid"] for tx in waits] + mined
            assert (body["unconfirmedTxs"], body["txs"]) == (len(waits), len(mined))
            assert all((tx["blockHeight"], "blockHash" in tx) == (-1, False) for tx in waits)
            assert {tx["txid"] for tx in waits} <= set(raws)
            assert int(body["unconfirmedBalance"]) == zatoshi(summary["unconfirmed"])
            assert all(output["hex"] for tx in waits for output in tx["vout"])
            coins = client.json(f"/api/v2/utxo/{address}")
            assert sum(int(c["value"]) for c in coins) == int(body["balance"]) + int(body["unconfirmedBalance"])
            assert all(("height" in coin) == (coin["confirmations"] > 0) for coin in coins)
            confirmed = client.json(f"/api/v2/utxo/{address}?confirmed=true")
            assert sum(int(c["value"]) for c in confirmed) == int(body["balance"])
        txid, raw = next(iter(raws.items()))
        body = client.json(f"/api/v2/tx/{txid}")
        assert (body["hex"], body["blockHeight"], body["confirmations"]) == (raw, -1, 0)
        sent = client.get(f"/api/v2/sendtx/{raw}")
        assert sent.json() == {"result": txid}
        assert client.post("/api/v2/sendtx/", content=raw).json() == {"result": txid}
        pool.daemon.chain.refusal = (-26, "18: bad-txns-inputs-spent")
        refused = client.post("/api/v2/sendtx/", content=raw)
        assert refused.status_code == 400
        assert "bad-txns-inputs-spent" in refused.json()["error"]["message"]
        assert client.post("/api/v2/sendtx/", content=b"\xff").status_code == 400
