"""A transaction's life on the demo network, through processes of their own: sent, seen, mined, and what a reorg does.

The daemon is driven as a regtest one would be (``generate``, ``invalidateblock``); indexer and site are the installed
commands, told of everything by JSON-RPC and ZMQ.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text
from indexer.children import stop_child
from indexer.commands.demo import free_port
from indexer.demo.daemon import DemoDaemon, Settings
from indexer.demo.network import demo_network
from indexer.demo.publish import Publisher
from indexer.demo.serialize import Output, Wire
from indexer.demo.wallet import Owner
from indexer.source.rpc import DaemonRpc, Endpoint
from indexer.store import embedded

NETWORK = demo_network()
FIRST_BLOCKS = 400
PATIENCE = 60.0
LOOK_SECONDS = 0.01
SENT_FOR_LATENCY = 7
AMOUNT = 123_456_789


@dataclass
class Site:
    """A running demo network: its daemon, a client of it, and a browser of its explorer."""

    daemon: DemoDaemon
    rpc: DaemonRpc
    http: httpx.Client

    def json(self, path: str) -> Any:
        """The body of an answer of the API; None when there is no such thing."""
        response = self.http.get(f"/api/v1{path}")
        return response.json() if response.status_code == 200 else None

    def page(self, path: str) -> str:
        """A page, whatever its status."""
        return self.http.get(path, headers={"Accept": "text/html"}).text

    def until(self, what: str, told: Callable[[], Any]) -> Any:
        """What ``told`` gives once it gives something."""
        deadline = time.monotonic() + PATIENCE
        while not (found := told()):
            assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} s: {what}"
            time.sleep(LOOK_SECONDS)
        return found

    def until_at_tip(self) -> None:
        """Wait until the explorer shows the daemon's tip."""
        best = self.rpc.call("getbestblockhash")
        self.until(f"the tip {best}", lambda: (s := self.json("/status")) and s["tip"]["hash"] == best)

    def send(self, wire: Wire) -> str:
        """Hand a transaction to the site, as a wallet does; its txid."""
        response = self.http.post("/api/v1/transactions", json={"hex": wire.raw.hex()})
        assert response.status_code == 200, response.text
        txid: str = response.json()["txid"]
        assert txid == hash_text(wire.txid)
        return txid

    def until_waiting(self, txid: str) -> Any:
        """The transaction as the API has it once it is unconfirmed there."""

        def told() -> Any:
            found = self.json(f"/transactions/{txid}")
            return found and found["block"] is None and found

        return self.until(f"{txid} unconfirmed", told)

    def until_confirmed(self, txid: str, block_hash: str) -> Any:
        """The transaction as the API has it once it is in a block."""

        def told() -> Any:
            found = self.json(f"/transactions/{txid}")
            return found and found["block"] and found["block"]["hash"] == block_hash and found

        return self.until(f"{txid} in block {block_hash}", told)


@contextmanager
def process(command: str, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-m", "indexer.cli", command], env=environ, stdout=subprocess.DEVNULL)
    try:
        yield child
    finally:
        assert stop_child(child, PATIENCE) == 0


@pytest.fixture(scope="module")
def site(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The network at the end of a short first chain, whose daemon does nothing of its own accord."""
    folder, port, name = tmp_path_factory.mktemp("lifecycle"), free_port(), f"t_lifecycle_{os.getpid()}"
    topics = f"tcp://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        stack.callback(embedded.drop_database, mongod, name)
        publisher = stack.enter_context(closing(Publisher(topics)))
        daemon = stack.enter_context(DemoDaemon(Settings(NETWORK, folder, first_blocks=FIRST_BLOCKS), publisher))
        assert daemon.load()
        login = daemon.settings.user, daemon.settings.password
        rpc = stack.enter_context(closing(DaemonRpc([Endpoint(daemon.url, *login)], timeout=20)))
        variables = environment(folder, daemon) | {
            "FLUX_DAEMON_ZMQ": topics,
            "FLUX_DATABASE_URI": mongod,
            "FLUX_DATABASE_NAME": name,
            "FLUX_EXPLORER_PORT": str(port),
        }
        for command in ("index", "serve"):
            stack.enter_context(process(command, variables))
        http = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False))
        running = Site(daemon, rpc, http)
        running.until("the site listens", lambda: listens(http))
        running.until_at_tip()
        running.until("the mempool is known", lambda: running.json("/mempool"))
        yield running


def environment(home: Path, daemon: DemoDaemon) -> dict[str, str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    return bare | {
        "HOME": str(home),
        "FLUX_NETWORK_NAME": NETWORK.name,
        "FLUX_DAEMON_URL": daemon.url,
        "FLUX_DAEMON_USER": daemon.settings.user,
        "FLUX_DAEMON_PASSWORD": daemon.settings.password,
    }


def listens(http: httpx.Client) -> bool:
    try:
        http.get("/healthz")
    except httpx.TransportError:
        return False
    return True


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
    assert site.json(f"/transactions/{txid}") is None
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


def zat(amount: str) -> int:
    """An amount of the API in zatoshi."""
    return int(amount.replace(".", ""))
