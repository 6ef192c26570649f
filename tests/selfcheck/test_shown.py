"""The verdict and the differences where people look: page, API, metrics, command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest

from explorer.app import create_app
from indexer.commands import journal
from indexer.config import load_config
from indexer.selfcheck import open_selfcheck
from indexer.selfcheck.checks import Checks, note_unchecked
from indexer.selfcheck.theirs import Daemon
from indexer.source.rpc import DaemonRpc, parse_endpoints
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.indexed import Index, chain, network
from tests.replay_daemon import ReplayDaemon
from tests.site.markup import Markup

HEIGHT = 450
FIRST = recorded.states()[chain()[HEIGHT]]["snapshot"]["nodes"][0]
NAME = f"{FIRST['txhash']}:{FIRST['outidx']}"


@dataclass
class Shown:
    """A database at HEIGHT, its checks and its site."""

    store: MongoStore
    index: Index
    checks: Checks
    client: Client

    def until(self, done: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The checks in the API, once they are so."""
        deadline = time.monotonic() + 5
        while not done(said := self.client.json("/api/v1/status")["checks"]):
            assert time.monotonic() < deadline, said
            time.sleep(0.02)
        return dict(said)

    def command(self) -> dict[str, str]:
        """The report of ``flux-explorer status`` by name."""
        return dict(journal.lines("regtest", self.store, {}, False))


@pytest.fixture
def shown(mongod: str, database_name: str) -> Iterator[Shown]:
    """An index of the first blocks with the recorded daemon at the same one."""
    with ReplayDaemon(HEIGHT) as daemon, closing(MongoStore(mongod, database_name)) as store:
        prepare(store, network())
        index = Index(store)
        index.catch_up(chain()[:HEIGHT], HEIGHT)
        index.extend([chain()[HEIGHT]])
        rpc = DaemonRpc(parse_endpoints(daemon.url, daemon.user, daemon.password))
        with closing(rpc), Client(create_app(settings((mongod, database_name)))) as client:
            yield Shown(store, index, Checks(network(), store, Daemon(rpc), lambda seconds: True), client)


def test_nothing_is_claimed_before_the_first_comparison(shown: Shown) -> None:
    said = shown.until(lambda said: True)
    assert {name: said[name] for name in said if not name.startswith("payouts")} == {
        "queue_matches_daemon": None, "queue_checked_height": None, "supply_matches_daemon": None,
        "supply_checked_height": None, "queue_unchecked": None, "supply_unchecked": None, "difference_count": 0,
        "differences": [],
    }  # fmt: skip
    assert "matches_daemon" not in shown.client.get("/metrics").text
    assert shown.command()["node lists"] == shown.command()["supply"] == "not compared with the daemon yet"


def test_agreement_and_its_block(shown: Shown) -> None:
    assert shown.checks.nodes() and shown.checks.supply()
    said = shown.until(lambda said: said["supply_checked_height"])
    assert (said["queue_matches_daemon"], said["supply_matches_daemon"], said["differences"]) == (True, True, [])
    page = Markup(shown.client.get("/status").text)
    for row in ("Node queue and the daemon's", "Supply and the daemon's"):
        assert page.definitions()[row] == f"Equal at block {HEIGHT}"
    metrics = shown.client.get("/metrics").text
    for name in ("queue", "supply"):
        assert f"flux_explorer_{name}_matches_daemon 1\n" in metrics
        assert f"flux_explorer_{name}_checked_height {HEIGHT}\n" in metrics
    assert shown.command()["node lists"] == shown.command()["supply"] == f"the daemon's, at block {HEIGHT}"
    shown.index.rewind(HEIGHT - 1)  # a verdict about a block that is gone is none
    assert shown.until(lambda said: said["queue_checked_height"] is None)["supply_matches_daemon"] is None
    assert "matches_daemon" not in shown.client.get("/metrics").text


def test_a_difference_is_named_everywhere_and_harmless(shown: Shown) -> None:
    (id,) = (row["_id"] for row in shown.store.scan("nodes") if bytes(row["outpoint"])[31::-1].hex() == FIRST["txhash"])
    shown.store.update("nodes", [([id], {"ip": "<b>9</b>"})])
    shown.store.update("blocks", [([HEIGHT], {"txouts": 7})])
    assert shown.checks.nodes() and shown.checks.supply()
    said = shown.until(lambda said: said["supply_checked_height"])
    txouts = str(recorded.states()[chain()[HEIGHT]]["txoutset"]["txouts"])
    assert (said["queue_matches_daemon"], said["supply_matches_daemon"], said["difference_count"]) == (False, False, 2)
    assert said["differences"] == [
        {"subject": "confirmed", "outpoint": NAME, "field": "ip", "ours": "<b>9</b>", "theirs": FIRST["ip"]},
        {"subject": "supply", "outpoint": None, "field": "txouts", "ours": "7", "theirs": txouts},
    ]
    page = Markup(shown.client.get("/status").text)
    assert page.problems == []
    assert page.definitions()["Node queue and the daemon's"] == f"Different at block {HEIGHT}"
    assert page.rows() == [
        [NAME, "confirmed", "ip", "<b>9</b>", FIRST["ip"]],
        ["none", "supply", "txouts", "7", txouts],
    ]
    assert "flux_explorer_queue_matches_daemon 0\n" in shown.client.get("/metrics").text
    start = f"1 difference from the daemon's at block {HEIGHT}: "
    assert shown.command()["node lists"] == f"{start}confirmed {NAME} ip is <b>9</b> here, {FIRST['ip']} in the daemon"
    assert shown.command()["supply"] == f"{start}supply txouts is 7 here, {txouts} in the daemon"


def test_without_a_daemon_or_switched_off_that_is_said(shown: Shown) -> None:
    gateway = load_config("/dev/null", {"FLUX_DAEMON_GATEWAY": "https://gateway.invalid"})
    assert open_selfcheck(gateway, shown.store) is None
    said = shown.until(lambda said: said["queue_unchecked"])
    assert said["queue_unchecked"] == said["supply_unchecked"] == "no_daemon"
    assert said["queue_matches_daemon"] is None
    words = "not compared: blocks come from a gateway, there is no daemon"
    definitions = Markup(shown.client.get("/status").text).definitions()
    assert definitions["Node queue and the daemon's"] == definitions["Supply and the daemon's"] == words
    assert shown.command()["node lists"] == shown.command()["supply"] == words

    assert shown.checks.nodes()
    off = {"FLUX_INDEXER_CHECK_BLOCKS": "0", "FLUX_INDEXER_CHECK_SUPPLY_BLOCKS": "0", "FLUX_DAEMON_URL": "http://a:1"}
    assert open_selfcheck(load_config("/dev/null", off), shown.store) is None
    said = shown.until(lambda said: said["queue_unchecked"] == "switched_off" and said["queue_checked_height"])
    assert (said["queue_matches_daemon"], said["supply_unchecked"]) == (True, "switched_off")
    told = Markup(shown.client.get("/status").text).definitions()["Node queue and the daemon's"]
    assert told == f"Equal at block {HEIGHT} since then not compared: switched off in the settings"
    note_unchecked(shown.store, {"queue": None, "supply": None})
    assert shown.until(lambda said: said["queue_unchecked"] is None)["queue_matches_daemon"] is True
