"""A demo network in processes of its own: the daemon of this test, driven by it, and the installed commands."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from indexer.chain.keys import hash_text
from indexer.children import stop_child
from indexer.commands.demo import free_port
from indexer.demo.daemon import DemoDaemon, Settings
from indexer.demo.network import demo_network
from indexer.demo.parallel import files
from indexer.demo.publish import Publisher
from indexer.demo.serialize import Wire
from indexer.source.rpc import DaemonRpc, Endpoint
from indexer.store import embedded

NETWORK = demo_network()
PATIENCE = 60.0
LOOK_SECONDS = 0.01
MOST_TRIES = 100


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

    def send_anything(self) -> str:
        """Let people and nodes of the network send until something new waits at the daemon; its txid."""
        known = set(self.rpc.call("getrawmempool"))
        for now in range(int(time.time()), int(time.time()) + MOST_TRIES):  # not everybody can pay at once
            self.daemon.send_something(now)
            if new := set(self.rpc.call("getrawmempool")) - known:
                return str(new.pop())
        raise AssertionError("nobody has anything to send")

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


@contextmanager
def running_site(
    mongod: str, folder: Path, name: str, first_blocks: int, settings: Mapping[str, str] | None = None
) -> Iterator[Site]:
    """The network at the end of a short first chain, whose daemon does nothing of its own accord.

    ``name`` is that of its database, ``settings`` are variables more for indexer and site.
    """
    port, topics = free_port(), f"tcp://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        stack.callback(embedded.drop_database, mongod, name)
        publisher = stack.enter_context(closing(Publisher(topics)))
        daemon = stack.enter_context(DemoDaemon(Settings(NETWORK, folder, first_blocks=first_blocks), publisher))
        assert daemon.load()
        login = daemon.settings.user, daemon.settings.password
        rpc = stack.enter_context(closing(DaemonRpc([Endpoint(daemon.url, *login)], timeout=20)))
        written = files.write(NETWORK, folder, daemon.parallel.url)
        variables = environment(folder, daemon) | {
            "FLUX_DAEMON_ZMQ": topics,
            "FLUX_DATABASE_URI": mongod,
            "FLUX_DATABASE_NAME": name,
            "FLUX_EXPLORER_PORT": str(port),
            "FLUX_GUARD_RATE": "0",  # a test asks more in a second than people do in a day
            "FLUX_EXPLORER_LABELS_FILE": str(written.labels),
            "FLUX_PARALLEL_CHAINS_FILE": str(written.chains),
            **(settings or {}),
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
