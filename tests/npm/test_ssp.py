"""SSP wallet's calls, made by the libraries that it uses, against a demo network: what it shows, spends and sends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from indexer.chain.address import decode_address, encode_address, script_for
from indexer.chain.keys import P2PKH, hash_text
from indexer.demo.network import demo_network
from indexer.demo.serialize import Output
from tests.demo.site import Site, running_site
from tests.npm.install import installed
from tests.npm.link import Link, linked

pytestmark = pytest.mark.browser

NETWORK = demo_network()
FIRST_BLOCKS = 600  # some addresses have more than a page of the export by then
PREFIXES = {
    "pubkey": int.from_bytes(NETWORK.pubkey_address_prefix, "big"),
    "script": int.from_bytes(NETWORK.script_address_prefix, "big"),
}
FUNDED, PAID, FEE = 500_000_000, 123_456_789, 1_000
MESSAGE = "Grüße, and thanks"
EXTENSION = {"Origin": "chrome-extension://ssp"}
UNUSED = encode_address(bytes([P2PKH]) + bytes(20), NETWORK)
LISTS = {
    "the site": ["/api/fluxnode/doslist", "/api/fluxnode/startlist"],
    "a node": ["/daemon/getdoslist", "/daemon/getstartlist"],
}


@pytest.fixture(scope="module")
def site(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo network at the end of a short first chain."""
    folder = tmp_path_factory.mktemp("ssp")
    with running_site(mongod, folder, f"t_ssp_{os.getpid()}", FIRST_BLOCKS) as running:
        yield running


@pytest.fixture(scope="module")
def wallet(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    """The wallet's calls to that network."""
    with linked(installed("ssp", tmp_path_factory.mktemp("wallet")), str(site.http.base_url)) as running:
        yield running


def zat(amount: str) -> int:
    """An amount of the API in zatoshi."""
    return int(amount.replace(".", ""))


def busiest(site: Site) -> str:
    """An address whose history has more than one page of the wallet's export."""
    paid = {i["address"] for i in site.json("/payouts?limit=200")["items"]}
    count: dict[str, int] = {text: site.json(f"/addresses/{text}")["transaction_count"] for text in paid}
    found = max(count, key=lambda text: count[text])
    assert count[found] > 50
    return found


def test_an_address_is_shown_as_it_is(site: Site, wallet: Link) -> None:
    text = busiest(site)
    expected = site.json(f"/addresses/{text}")
    shown = wallet("balance", text)
    assert (shown["address"], shown["transactions"]) == (text, expected["transaction_count"])
    assert (int(shown["confirmed"]), shown["unconfirmed"]) == (zat(expected["balance"]), "0")
    assert wallet("height") == site.json("/status")["tip"]["height"]


def test_who_was_never_paid_has_nothing(wallet: Link) -> None:
    assert wallet("balance", UNUSED) == {
        "address": UNUSED, "confirmed": "0", "unconfirmed": "0", "transactions": 0,
    }  # fmt: skip
    for mode in ("utxo", "unspent"):
        assert wallet("coins", UNUSED, mode) == []
    assert wallet("everyTransaction", UNUSED) == []
    assert wallet("nodes", UNUSED, LISTS["the site"]) == []


def test_the_whole_history_is_exported_page_by_page(site: Site, wallet: Link) -> None:
    text = busiest(site)
    moves: list[Any] = site.json(f"/addresses/{text}/transactions?limit=1000")["items"]
    exported = wallet("everyTransaction", text)
    assert [row["txid"] for row in exported] == [move["txid"] for move in moves]
    for row, move in zip(exported, moves, strict=True):
        assert (row["height"], row["time"], int(row["amount"])) == (move["height"], move["time"], zat(move["delta"]))
    assert wallet("transactions", text, 0, 10) == exported[:10]


@pytest.mark.parametrize("mode", ["utxo", "unspent"])
def test_coins_can_be_spent(site: Site, wallet: Link, mode: str) -> None:
    text = busiest(site)
    expected = {c["outpoint"]: c for c in site.json(f"/addresses/{text}/utxos?limit=1000")["items"]}
    coins = wallet("coins", text, mode)
    assert {f"{coin['txid']}:{coin['vout']}" for coin in coins} == set(expected) != set()
    script = script_for(decode_address(text, NETWORK)).hex()
    for coin in coins:
        theirs = expected[f"{coin['txid']}:{coin['vout']}"]
        assert (int(coin["satoshis"]), coin["confirmations"]) == (zat(theirs["value"]), theirs["confirmations"])
        assert coin["coinbase"] == (theirs["coinbase"] and theirs["confirmations"] < NETWORK.coinbase_maturity)
        assert coin["script"] == script


def test_a_payment_of_two_signatures_is_sent_shown_and_mined(site: Site, wallet: Link) -> None:
    own = wallet("address", PREFIXES)
    builder = site.daemon.builder
    with site.daemon.lock:
        people = builder.wallets.people
        payer, coins = next((p, c) for p in people if (c := builder.payments.spendable(p, 2 * FUNDED)))
        payee = encode_address(next(person for person in people if person is not payer).address, NETWORK)
        funding = [Output(FUNDED, script_for(decode_address(own, NETWORK)))]
        wire = builder.payments.send(payer, coins, funding, Random(1))
    site.until_waiting(site.send(wire))
    assert wallet("coins", own, "unspent") == wallet("coins", own, "utxo") == []
    assert [coin[0] for coin in wallet("allCoins", own)] == [hash_text(wire.txid)]
    site.rpc.call("generate", 1)
    site.until_at_tip()
    assert wallet("balance", own)["confirmed"] == str(FUNDED)

    rawtx = wallet("pay", PREFIXES, payee, PAID, FEE, MESSAGE)
    theirs = site.rpc.call("decoderawtransaction", rawtx)
    assert (theirs["version"], theirs["expiryheight"]) == (4, site.rpc.call("getblockcount") + 30)
    txid = wallet("send", rawtx)
    assert txid == theirs["txid"]
    site.until_waiting(txid)
    (pending, _) = wallet("transactions", own, 0, 10)
    assert (pending["txid"], pending["height"]) == (txid, None)
    assert (pending["amount"], pending["fee"]) == (str(-PAID - FEE), str(FEE))
    assert (pending["receiver"], pending["message"]) == (payee, MESSAGE)
    assert pending["spends"] == [[i["txid"], i["vout"]] for i in theirs["vin"]]
    assert pending["time"] > 0 and pending["size"] == len(rawtx) // 2
    assert wallet("allCoins", own) == [[txid, 1, 0]]
    assert wallet("coins", own, "unspent") == []
    assert wallet("balance", own)["unconfirmed"] == str(-PAID - FEE)

    (block,) = site.rpc.call("generate", 1)
    site.until_confirmed(txid, block)
    (mined, _) = wallet("transactions", own, 0, 10)
    assert mined == {**pending, "height": site.rpc.call("getblockcount"), "time": mined["time"], "spends": []}
    left = str(FUNDED - PAID - FEE)
    assert wallet("balance", own) == {"address": own, "confirmed": left, "unconfirmed": "0", "transactions": 2}


def test_a_refused_payment_comes_with_the_daemons_reason(wallet: Link) -> None:
    assert "decode failed" in wallet.ask("send", "00")["error"]


@pytest.mark.parametrize("lists", LISTS)
def test_the_nodes_of_an_address(site: Site, wallet: Link, lists: str) -> None:
    for status in ("confirmed", "started", "dos"):
        nodes = {n["node"]: n for n in site.json(f"/nodes?status={status}&limit=3")["items"]}
        assert nodes or status == "dos"
        for point, node in nodes.items():
            (shown,) = [one for one in wallet("nodes", node["address"], LISTS[lists]) if one["point"] == point]
            assert (shown["status"], shown["satoshis"]) == (status, zat(node["collateral"]))
            if status != "confirmed":
                continue
            own = shown["node"]
            assert (shown["ip"], own["payment_address"], own["pubkey"]) == (node["ip"], node["address"], node["pubkey"])
            assert own["tier"] == node["tier"].upper()
            assert [own[name] for name in ("added_height", "confirmed_height", "last_confirmed_height")] == [
                node[name] for name in ("started_height", "confirmed_height", "last_confirmed_height")
            ]
            assert {type(own[name]) for name in ("outidx", "activesince", "lastpaid", "amount")} == {str}


def test_a_browser_extension_may_ask(site: Site) -> None:
    asked = {**EXTENSION, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for path in ("/api/tx/send", "/api/fluxnode/listfluxnodes"):
        allowed = site.http.options(path, headers=asked)
        assert allowed.status_code in (200, 204)
        assert allowed.headers["access-control-allow-origin"] == "*"
        assert "content-type" in allowed.headers["access-control-allow-headers"].lower()
        assert site.http.post(path, json={}, headers=EXTENSION).headers["access-control-allow-origin"] == "*"
    assert site.http.get("/api/status?getinfo", headers=EXTENSION).headers["access-control-allow-origin"] == "*"
