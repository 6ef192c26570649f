"""Trezor's client of Blockbook, unchanged, against a demo network: what wallets read, send and are told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest
from wsproto.events import CloseConnection, TextMessage

from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text
from indexer.demo.network import demo_network
from indexer.demo.serialize import Output, Wire
from indexer.demo.wallet import Owner
from tests.demo.site import Site, running_site
from tests.npm.install import installed
from tests.npm.link import Link, linked
from tests.npm.wire import RawSocket

pytestmark = pytest.mark.browser

NETWORK = demo_network()
FIRST_BLOCKS = 400
AMOUNT = 123_456_789
SOCKETS = 4
TOO_LARGE = 1009  # RFC 6455 §7.4.1
PUSHED_SECONDS = 3.0  # one for us, and room for a busy machine

Knock = Callable[[Site], RawSocket]


@pytest.fixture(scope="module")
def knock() -> Iterator[Knock]:
    """Opens sockets, which stay open until the site has ended: its goodbye waits for none of them."""
    opened: list[RawSocket] = []

    def open_one(site: Site) -> RawSocket:
        opened.append(RawSocket(str(site.http.base_url)))
        return opened[-1]

    yield open_one
    for one in opened:
        one.hang_up()


@pytest.fixture(scope="module")
def site(mongod: str, tmp_path_factory: pytest.TempPathFactory, knock: Knock) -> Iterator[Site]:
    """The demo network at the end of a short first chain."""
    folder = tmp_path_factory.mktemp("blockbook")
    bounds = {"FLUX_EXPLORER_STREAMS_PER_CLIENT": str(SOCKETS)}
    with running_site(mongod, folder, f"t_blockbook_{os.getpid()}", FIRST_BLOCKS, bounds) as running:
        yield running


@pytest.fixture(scope="module")
def link(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Link]:
    """The client of that network."""
    folder = installed("blockbook", tmp_path_factory.mktemp("link"))
    with linked(folder, str(site.http.base_url)) as running:
        assert running("connect") is True
        yield running


def address(owner: Owner) -> str:
    return encode_address(owner.address, NETWORK)


def payment(site: Site) -> tuple[Owner, Owner, Wire]:
    """Someone's payment to someone else, not yet sent."""
    builder = site.daemon.builder
    with site.daemon.lock:
        people = builder.wallets.people
        payer, coins = next((p, c) for p in people if (c := builder.payments.spendable(p, 2 * AMOUNT)))
        payee = next(person for person in people if person is not payer)
        return payer, payee, builder.payments.send(payer, coins, [Output(AMOUNT, payee.script)], Random(1))


def busiest(site: Site) -> str:
    """An address with a long history."""
    blocks = site.json("/blocks?limit=1")["items"]
    paid = site.json(f"/blocks/{blocks[0]['hash']}")["payouts"] + site.json("/payouts?limit=50")["items"]
    found: dict[str, int] = {i["address"]: site.json(f"/addresses/{i['address']}")["transaction_count"] for i in paid}
    return max(found, key=lambda text: found[text])


def zat(amount: str) -> str:
    """An amount of the API as Blockbook writes it."""
    return str(int(amount.replace(".", "")))


def test_the_server_presents_itself(site: Site, link: Link) -> None:
    tip = site.json("/status")["tip"]
    body = link("getInfo")
    assert (body["name"], body["shortcut"], body["network"], body["decimals"]) == ("Flux", "FLUX", "FLUX", 8)
    assert (body["blockHeight"], body["blockHash"], body["testnet"]) == (tip["height"], tip["hash"], True)
    chain = site.rpc.call("getblockchaininfo")
    assert body["consensusBranchId"] == int(chain["consensus"]["chaintip"], 16)
    for height in (0, 1, tip["height"]):
        assert link("getBlockHash", height) == site.rpc.call("getblockhash", height)
    assert "above the tip" in link.ask("getBlockHash", tip["height"] + 1)["error"]
    shown = link("getBlock", tip["height"])
    assert [tx["txid"] for tx in shown["txs"]] == site.rpc.call("getblock", tip["hash"])["tx"]


@pytest.mark.parametrize("details", ["basic", "txids", "txs"])
def test_an_account_is_the_address_of_the_api(site: Site, link: Link, details: str) -> None:
    text = busiest(site)
    expected = site.json(f"/addresses/{text}")
    body = link("getAccountInfo", {"descriptor": text, "details": details, "page": 1, "pageSize": 10})
    assert (body["descriptor"], body["balance"], body["empty"]) == (text, zat(expected["balance"]), False)
    assert body["history"]["total"] == expected["transaction_count"]
    if details != "txs":
        return
    assert body["page"] == {"index": 1, "size": 10, "total": -(-expected["transaction_count"] // 10)}
    moves = site.json(f"/addresses/{text}/transactions?limit=10")["items"]
    assert [tx["txid"] for tx in body["history"]["transactions"]] == [move["txid"] for move in moves]
    for found, move in zip(body["history"]["transactions"], moves, strict=True):
        assert (found["blockHeight"], found["blockTime"]) == (move["height"], move["time"])
        if found["type"] in ("recv", "joint"):
            assert found["amount"] == zat(move["delta"])
    pages = [link("getAccountInfo", {"descriptor": text, "details": "txs", "page": n, "pageSize": 10}) for n in (2, 3)]
    listed = [tx["txid"] for page in pages for tx in page["history"]["transactions"]]
    assert listed == [m["txid"] for m in site.json(f"/addresses/{text}/transactions?limit=30")["items"]][10:]


def test_coins_are_those_of_the_api(site: Site, link: Link) -> None:
    text = busiest(site)
    coins = link("getAccountUtxo", text)
    expected = {c["outpoint"]: c for c in site.json(f"/addresses/{text}/utxos?limit=1000")["items"]}
    assert expected
    assert {f"{c['txid']}:{c['vout']}" for c in coins} == set(expected)
    for coin in coins:
        theirs = expected[f"{coin['txid']}:{coin['vout']}"]
        assert (coin["amount"], coin["blockHeight"]) == (zat(theirs["value"]), theirs["height"])
        assert coin["address"] == text


def test_transactions_are_the_daemons(site: Site, link: Link) -> None:
    for txid in site.rpc.call("getblock", str(site.json("/status")["tip"]["height"]))["tx"]:
        theirs = site.rpc.call("getrawtransaction", txid, 1)
        body = link("getTransaction", txid)
        assert (body["txid"], body["hex"]) == (txid, theirs["hex"])
        assert link("getTransactionHex", txid) == theirs["hex"]
        spent, made = body["details"]["vin"], body["details"]["vout"]
        assert [i.get("sequence") for i in spent] == [i["sequence"] for i in theirs.get("vin", [])]
        assert [(o["value"], o.get("hex", "")) for o in made] == [
            (str(o["valueZat"]), o["scriptPubKey"]["hex"]) for o in theirs.get("vout", [])
        ]
    assert "no transaction" in link.ask("getTransaction", "00" * 32)["error"]


def test_fees(site: Site, link: Link) -> None:
    least = int(site.rpc.call("getnetworkinfo")["relayfee"] * 10**8)
    fees = link("estimateFee", {"blocks": [1, 2, 10], "specific": {"conservative": True, "txsize": 1000}})
    assert fees == [{"feePerUnit": str(least), "feePerTx": str(least)}] * 3


def test_blocks_and_transactions_of_addresses_are_pushed(
    site: Site, link: Link, capsys: pytest.CaptureFixture[str]
) -> None:
    payer, payee, wire = payment(site)
    own = [address(payer), address(payee)]
    assert link("subscribe", {"type": "block"}) == {"subscribed": True}
    assert link("subscribe", {"type": "addresses", "addresses": own}) == {"subscribed": True}
    link.forget()

    begun = time.monotonic()
    txid = hash_text(wire.txid)
    assert link("pushTransaction", {"hex": wire.raw.hex()}) == txid
    notes = [link.told("notification") for _ in own]
    took = [time.monotonic() - begun]
    assert {note["descriptor"] for note in notes} == set(own)
    by_owner = {note["descriptor"]: note["tx"] for note in notes}
    assert (by_owner[own[0]]["type"], by_owner[own[1]]["type"]) == ("sent", "recv")
    assert by_owner[own[1]]["amount"] == str(AMOUNT)
    for note in notes:
        assert (note["tx"]["txid"], note["tx"]["blockHeight"]) == (txid, -1)
    waits = link("getAccountInfo", {"descriptor": own[1], "details": "txs"})
    assert (waits["history"]["unconfirmed"], waits["history"]["transactions"][0]["txid"]) == (1, txid)
    assert int(waits["availableBalance"]) - int(waits["balance"]) == AMOUNT

    begun = time.monotonic()
    (block,) = site.rpc.call("generate", 1)
    pushed = link.told("block")
    took.append(time.monotonic() - begun)
    with capsys.disabled():
        print(f"\nfrom sending to the push of a transaction {took[0]:.3f} s, from a block to its push {took[1]:.3f} s")
    assert max(took) < PUSHED_SECONDS
    assert pushed == {"blockHeight": site.rpc.call("getblockcount"), "blockHash": block}
    mined = link("getTransaction", txid)
    assert (mined["blockHash"], mined["blockHeight"]) == (block, pushed["blockHeight"])
    assert link("unsubscribe", {"type": "addresses"}) == {"subscribed": False}
    assert link("unsubscribe", {"type": "block"}) == {"subscribed": False}
    site.rpc.call("generate", 1)
    assert link.is_told_nothing(1.5)


def test_a_refused_transaction_comes_with_the_daemons_reason(link: Link) -> None:
    assert "decode failed" in link.ask("pushTransaction", {"hex": "00"})["error"]
    xpub = {"descriptor": "xpub6CUGRUonZSQ4TWtTMmzXdrX", "details": "basic"}
    assert "not derived" in link.ask("getAccountInfo", xpub)["error"]


def test_sockets_and_messages_have_bounds_and_hold_nobody_up(site: Site, link: Link, knock: Knock) -> None:
    loud, gone, quiet, refused = (knock(site) for _ in range(SOCKETS))
    assert [one.status for one in (loud, gone, quiet, refused)] == [101, 101, 101, 429]
    loud.say(json.dumps({"id": "1", "method": "sendTransaction", "params": {"hex": "00" * 2_100_000}}))
    closed = loud.hear()
    assert isinstance(closed, CloseConnection)
    assert closed.code == TOO_LARGE
    gone.hang_up()
    site.until("a place is free again", lambda: knock(site).status == 101)
    quiet.say(json.dumps({"id": "2", "method": "subscribeNewBlock"}))
    told = quiet.hear()
    assert isinstance(told, TextMessage)
    assert json.loads(told.data) == {"id": "2", "data": {"subscribed": True}}
    assert link("getInfo")["name"] == "Flux"
