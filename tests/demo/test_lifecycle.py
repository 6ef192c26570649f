"""A transaction's life on the demo network, through processes of their own: sent, seen, mined, and what a reorg does.

The daemon is driven as a regtest one would be (``generate``, ``invalidateblock``); indexer and site are the installed
commands, told of everything by JSON-RPC and ZMQ.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from random import Random

import pytest

from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text
from indexer.demo.network import demo_network
from indexer.demo.serialize import Output, Wire
from indexer.demo.wallet import Owner
from tests.demo.site import Site, running_site

NETWORK = demo_network()
FIRST_BLOCKS = 400
SENT_FOR_LATENCY = 7
AMOUNT = 123_456_789


@pytest.fixture(scope="module")
def site(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The network at the end of a short first chain."""
    folder = tmp_path_factory.mktemp("lifecycle")
    with running_site(mongod, folder, f"t_lifecycle_{os.getpid()}", FIRST_BLOCKS) as running:
        yield running


def address(owner: Owner) -> str:
    return encode_address(owner.address, NETWORK)


def spends(site: Site, count: int = 2) -> tuple[Owner, list[Owner], list[Wire]]:
    """Someone's coin, and spends of it to different people that exclude each other."""
    builder = site.daemon.builder
    with site.daemon.lock:
        people = builder.wallets.people
        payer, coins = next((p, c) for p in people if (c := builder.payments.spendable(p, 2 * AMOUNT)))
        payees = [person for person in people if person is not payer][:count]
        send = builder.payments.send
        wires = [send(payer, coins, [Output(AMOUNT, p.script)], Random(n)) for n, p in enumerate(payees)]
    return payer, payees, wires


def waits_everywhere(site: Site, txid: str, payee: Owner) -> None:
    """What waits is told by the API and by the pages of mempool, transaction and payee."""
    assert txid in [item["txid"] for item in site.json("/mempool?limit=1000")["items"]]
    assert f"/tx/{txid}" in site.page("/mempool")
    assert "Unconfirmed" in site.page(f"/tx/{txid}")
    assert txid in site.page(f"/address/{address(payee)}")
    assert site.json(f"/addresses/{address(payee)}")["unconfirmed"] == "1.23456789"


def test_a_transaction_is_sent_seen_mined_and_mined_again_on_another_branch(site: Site) -> None:
    _, (payee, _), (wire, _) = spends(site)
    before = site.json(f"/addresses/{address(payee)}")["balance"]
    txid = site.send(wire)
    assert site.until_waiting(txid)["confirmations"] == 0
    waits_everywhere(site, txid, payee)
    (block,) = site.rpc.call("generate", 1)
    mined = site.until_confirmed(txid, block)
    assert mined["confirmations"] == 1
    assert site.json("/mempool")["items"] == []
    assert "1 confirmation" in site.page(f"/tx/{txid}")
    paid = site.json(f"/addresses/{address(payee)}")
    assert (paid["unconfirmed"], zat(paid["balance"]) - zat(before)) == ("0.00000000", AMOUNT)

    site.rpc.call("invalidateblock", block)
    assert site.rpc.call("getrawmempool") == [txid]
    (other, _) = site.rpc.call("generate", 2)
    assert other != block
    site.until_at_tip()
    again = site.until_confirmed(txid, other)
    assert (again["confirmations"], again["block"]["height"]) == (2, mined["block"]["height"])
    assert site.json(f"/blocks/{block}")["replaced_by"] == other
    assert zat(site.json(f"/addresses/{address(payee)}")["balance"]) - zat(before) == AMOUNT


def test_a_transaction_leaves_with_a_reorg_when_another_spend_of_its_coins_wins(site: Site) -> None:
    payer, (payee, other_payee), (wire, other) = spends(site)
    before = [site.json(f"/addresses/{address(p)}")["balance"] for p in (payee, other_payee)]
    txid = site.send(wire)
    site.until_waiting(txid)
    refused = site.http.post("/api/v1/transactions", json={"hex": other.raw.hex()})
    assert (refused.status_code, "txn-mempool-conflict" in refused.text) == (400, True)
    (block,) = site.rpc.call("generate", 1)
    site.until_confirmed(txid, block)
    with site.daemon.lock:  # a miner who heard of the other spend first
        site.daemon.invalidate(block)
        site.daemon.builder.mempool.remove(wire.txid)
        site.daemon.builder.mempool.accept(other.raw)
        winner, _ = site.daemon.generate(2)
    site.until_confirmed(hash_text(other.txid), winner)
    site.until(f"{txid} is gone", lambda: site.json(f"/transactions/{txid}") is None)
    assert site.http.get(f"/tx/{txid}", headers={"Accept": "text/html"}).status_code == 404
    assert txid not in site.page(f"/address/{address(payer)}")
    assert site.json("/mempool")["items"] == []
    after = [site.json(f"/addresses/{address(p)}")["balance"] for p in (payee, other_payee)]
    assert [zat(now) - zat(then) for now, then in zip(after, before, strict=True)] == [0, AMOUNT]
    assert site.http.post("/api/v1/transactions", json={"hex": wire.raw.hex()}).status_code == 400


def test_a_transaction_that_a_reorg_took_out_waits_until_it_is_mined(site: Site) -> None:
    _, (payee, _), (wire, _) = spends(site)
    txid = site.send(wire)
    (block,) = site.rpc.call("generate", 1)
    site.until_confirmed(txid, block)
    with site.daemon.lock:  # the other branch has none of it
        site.daemon.invalidate(block)
        entry = site.daemon.builder.mempool.remove(wire.txid)
        assert entry is not None
        site.daemon.generate(2)
        site.daemon.builder.mempool.accept(wire.raw)
    site.until_waiting(txid)
    waits_everywhere(site, txid, payee)
    (late,) = site.rpc.call("generate", 1)
    assert site.until_confirmed(txid, late)["confirmations"] == 1


def test_a_transaction_is_seen_within_a_second(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    took = []
    for _ in range(SENT_FOR_LATENCY):
        _, _, (wire, _) = spends(site)
        begun = time.monotonic()
        txid = site.send(wire)
        site.until_waiting(txid)
        took.append(time.monotonic() - begun)
    with capsys.disabled():
        print(f"\nfrom sending to the API: median {statistics.median(took):.3f} s, most {max(took):.3f} s")
    assert statistics.median(took) < 1.0
    site.rpc.call("generate", 1)
    site.until_at_tip()


def test_a_block_is_told_over_http_within_a_second(site: Site) -> None:
    with site.http.stream("GET", "/api/v1/events?kinds=block", headers={"Accept-Encoding": "gzip"}) as response:
        lines = response.iter_lines()
        next(line for line in lines if line == "event: tip")
        begun = time.monotonic()
        (block,) = site.rpc.call("generate", 1)
        told = next(line for line in lines if line.startswith("data: ") and block in line)
        assert time.monotonic() - begun < 1.0
    site.until_at_tip()
    assert json.loads(told.removeprefix("data: "))["hash"] == block


def zat(amount: str) -> int:
    """An amount of the API in zatoshi."""
    return int(amount.replace(".", ""))
