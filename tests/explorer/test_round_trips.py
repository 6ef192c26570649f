"""How often an answer waits for the database, and for how many commands: a hot one never, cold ones as a table says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.monitoring import CommandListener

from explorer import db
from explorer.app import create_app
from explorer.by_id import RowsById
from explorer.kept import Kept
from tests.explorer.client import Client, settings
from tests.explorer.test_routes import ADDRESS, BLOCK, NODE, TXID
from tests.explorer.waves import Waves

# At most so many round trips, of which the last reads the tip once more, and commands besides those for ``meta``.
COLD = {
    "/api/v1/status": (2, 2),
    "/api/v1/blocks?before=2401&limit=1000": (2, 1),
    "/api/v1/blocks/1850": (2, 1),
    f"/api/v1/blocks/{BLOCK}": (2, 1),
    "/api/v1/blocks/1850/transactions?limit=100": (3, 3),
    f"/api/v1/transactions/{TXID}": (3, 4),
    f"/api/v1/addresses/{ADDRESS}": (3, 4),
    f"/api/v1/addresses/{ADDRESS}?at=700": (2, 2),
    f"/api/v1/addresses/{ADDRESS}/transactions": (3, 3),
    f"/api/v1/addresses/{ADDRESS}/utxos": (3, 2),
    f"/api/v1/addresses/{ADDRESS}/statement?from=1900": (3, 5),
    f"/api/v1/addresses/{ADDRESS}/nodes": (2, 7),
    f"/api/v1/addresses/{ADDRESS}/payouts": (3, 2),
    f"/api/v1/credits?address={ADDRESS}": (3, 4),
    "/api/v1/mempool": (2, 2),
    "/api/v1/supply": (2, 1),
    "/api/v1/supply?at=700": (2, 1),
    "/api/v1/supply/history?points=500": (2, 1),
    "/api/v1/tiers": (3, 8),
    "/api/v1/tiers/cumulus/queue?limit=1000": (3, 8),
    "/api/v1/tiers/cumulus/queue?limit=1000&at=1850": (3, 9),
    "/api/v1/nodes?limit=1000": (2, 7),
    f"/api/v1/nodes/{NODE}": (2, 7),
    f"/api/v1/nodes/{NODE}?at=1850": (3, 11),
    f"/api/v1/nodes/{NODE}/events": (3, 3),
    f"/api/v1/nodes/{NODE}/payouts": (3, 3),
    "/api/v1/payouts?limit=1000": (3, 4),
    "/api/v1/producers": (3, 7),
    "/api/v1/charts/fees": (2, 1),
    "/api/v1/home": (3, 10),
    "/": (3, 10),
    "/blocks": (2, 1),
    f"/block/{BLOCK}": (3, 4),
    f"/tx/{TXID}": (3, 5),
    f"/address/{ADDRESS}": (3, 8),
    "/nodes": (3, 10),
    "/nodes/cumulus": (3, 10),
    f"/node/{NODE}": (3, 12),
    f"/node/{NODE}?view=payouts": (3, 13),
    f"/node/{NODE}?at=1850": (3, 17),
    "/payouts": (3, 4),
    "/producers": (3, 8),
    "/producers?by=address": (3, 8),
    "/supply": (3, 4),
    "/charts": (3, 8),
    "/richlist": (3, 2),
    "/api/status": (2, 2),
    f"/api/block/{BLOCK}": (3, 4),
    f"/api/tx/{TXID}": (3, 4),
    f"/api/txs?block={BLOCK}": (3, 4),
    f"/api/txs?address={ADDRESS}": (3, 5),
    f"/api/addr/{ADDRESS}": (3, 7),
    f"/api/addr/{ADDRESS}/utxo": (3, 3),
    f"/api/addrs/{ADDRESS}/txs": (3, 5),
    "/api/v2": (2, 1),
    f"/api/v2/block/{BLOCK}": (3, 5),
    f"/api/v2/tx/{TXID}": (3, 4),
    f"/api/v2/address/{ADDRESS}": (3, 7),
    f"/api/v2/address/{ADDRESS}?details=txs": (3, 15),
    f"/api/v2/utxo/{ADDRESS}": (2, 2),
    f"/daemon/gettxout?txid={TXID}&n=0": (3, 4),
    f"/explorer/balance?address={ADDRESS}": (2, 1),
    f"/explorer/utxo?address={ADDRESS}": (2, 1),
}


# Status tells the clock and the daemon, and the list is one that is made now and then.
NEVER_KEPT = ("/api/v1/status", "/api/status", "/api/v2", "/richlist")


class Listener(CommandListener):
    """Notes the commands for collections other than ``meta``."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tips = 0

    def started(self, event: Any) -> None:
        """A command is sent."""
        collection = event.command.get(event.command_name)
        if collection == "meta":
            self.tips += event.command.get("filter") == {"_id": "tip"}
        elif event.command_name in ("find", "aggregate", "getMore", "count", "distinct"):
            self.asked.append(f"{event.command_name} {collection}")

    def succeeded(self, event: Any) -> None:
        """Its answer."""

    def failed(self, event: Any) -> None:
        """That there is none."""


@pytest.fixture(scope="module")
def counted(recorded_index: tuple[str, str]) -> Iterator[tuple[Client, Listener]]:
    """An explorer without a daemon, and the listener of its client of the database."""
    listener = Listener()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(db, "DRIVERS", {"motor": partial(AsyncIOMotorClient, event_listeners=[listener])})
        with Client(create_app(settings(recorded_index))) as client:
            deadline = time.monotonic() + 60
            while "find mempool" not in listener.asked:  # what is looked at once, unasked
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield client, listener


@pytest.mark.parametrize("url", COLD)
def test_a_cold_answer_takes_no_more_than_the_table_says(counted: tuple[Client, Listener], url: str) -> None:
    most_trips, most_commands = COLD[url]
    for _ in range(3):  # tasks of the site may look at the database meanwhile
        trips, asked = asked_when_cold(*counted, url)
        if trips <= most_trips and len(asked) <= most_commands:
            return
    raise AssertionError(f"{trips} round trips, {len(asked)} commands: {asked}")


def asked_when_cold(client: Client, listener: Listener, url: str) -> tuple[int, list[str]]:
    """The round trips and commands that an answer costs of which nothing is kept."""
    client.services.db.kept = Kept()
    client.services.db.by_id = RowsById(client.services.db.find)
    listener.asked.clear()
    with Waves() as waves:
        trips, answer = client.run(waves.count(client.http.get(url, headers={"Cookie": "own=1"})))
    answer.raise_for_status()
    return trips, list(listener.asked)


@pytest.mark.parametrize("addresses", [1, 1000])
def test_balances_take_few_commands_and_none_when_asked_for_again(
    counted: tuple[Client, Listener], addresses: int
) -> None:
    client, listener = counted
    found = []
    for most in (3, 0):
        listener.asked.clear()
        found.append(client.post("/api/v1/balances", json={"addresses": [ADDRESS] * addresses}).raise_for_status())
        assert len(listener.asked) <= most, listener.asked
    assert found[0].content == found[1].content


@pytest.mark.parametrize("url", [url for url in COLD if url not in NEVER_KEPT])
def test_a_hot_answer_takes_none(counted: tuple[Client, Listener], url: str) -> None:
    client, listener = counted
    client.get(url).raise_for_status()
    tries = (asked_when_hot(client, listener, url) for _ in range(3))  # a second that ends makes ages read otherwise
    assert ([], 0) in tries


def asked_when_hot(client: Client, listener: Listener, url: str) -> tuple[list[str], int]:
    """The commands that an answer costs which was given just now, also to somebody who has it."""
    tag = client.get(url).headers["etag"]
    listener.asked.clear()
    listener.tips = 0
    for known in ("", tag):
        client.get(url, headers={"If-None-Match": known})
    return list(listener.asked), listener.tips
