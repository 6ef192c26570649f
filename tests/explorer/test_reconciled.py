"""Whether the supply was compared with something else than itself: what the API says of the stored verdicts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.app import create_app
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from indexer.verify import Extent, verify
from tests.explorer.client import Client, settings
from tests.indexed import Index, chain, network

TIP = 130


@pytest.fixture
def own(mongod: str, database_name: str) -> Iterator[tuple[MongoStore, Client]]:
    """A short index that a test may damage, and its explorer."""
    store = MongoStore(mongod, database_name)
    prepare(store, network())
    Index(store).catch_up(chain()[: TIP + 1], 131)
    with Client(create_app(settings((mongod, database_name)))) as client:
        yield store, client
    store.database.client.drop_database(database_name)
    store.close()


def said(client: Client) -> tuple[bool | None, int | None]:
    """What the supply says of itself."""
    for _ in range(2):  # a poll that was under way knows the verdicts before
        client.run(client.services.db.poll())
        time.sleep(0.02)
    native = client.json("/api/v1/supply")["native"]
    return native["reconciles"], native["reconciled_height"]


def prove(store: MongoStore) -> None:
    """``flux-explorer verify`` of the sums alone."""
    verify(store, network(), Extent(0, 0), lambda report: None)


def compared(store: MongoStore, height: int, good: bool, block_hash: str) -> None:
    """A comparison with the daemon's sums, as the self-check keeps it."""
    verdict: dict[str, Any] = {
        "supply_matches_daemon": good,
        "supply_checked_height": height,
        "supply_checked_hash": bytes.fromhex(block_hash)[::-1],
        "supply_checked_at": int(time.time()) + height,
    }
    store.put_meta("checks", {"checks": verdict})


def test_nobody_has_compared_yet(own: tuple[MongoStore, Client]) -> None:
    assert said(own[1]) == (None, None)


def test_the_stored_coins_are_compared_by_verify(own: tuple[MongoStore, Client]) -> None:
    store, client = own
    prove(store)
    assert said(client) == (True, TIP)
    coin = store.database.utxos.find_one({"v": {"$gt": 1}})
    assert coin is not None
    store.database.utxos.update_one({"_id": coin["_id"]}, {"$inc": {"v": 1}})
    assert said(client) == (True, TIP)  # nothing is read of the coins that are shown
    prove(store)
    assert said(client) == (False, TIP)


def test_a_finding_elsewhere_says_nothing_of_the_supply(own: tuple[MongoStore, Client]) -> None:
    store, client = own
    store.database.node_events.insert_one({"_id": 5 << 32, "node": 1, "event": 5, "tier": 1})
    prove(store)
    kept = store.meta("checks")
    assert kept is not None
    assert kept["verify"]["supply"] is True
    assert said(client) == (True, TIP)


def test_the_newest_comparison_counts_unless_one_disagreed(own: tuple[MongoStore, Client]) -> None:
    store, client = own
    compared(store, 100, True, chain()[100])
    assert said(client) == (True, 100)
    prove(store)
    assert said(client) == (True, TIP)
    compared(store, 110, False, chain()[110])
    assert said(client) == (False, 110)


@pytest.mark.parametrize("height", [100, TIP + 1])
def test_a_comparison_of_a_block_that_is_gone_does_not_count(own: tuple[MongoStore, Client], height: int) -> None:
    store, client = own
    compared(store, height, False, chain()[99] if height <= TIP else chain()[height])
    assert said(client) == (None, None)


def test_an_answer_changes_its_tag_with_a_verdict(own: tuple[MongoStore, Client]) -> None:
    store, client = own
    assert said(client) == (None, None)
    before = client.get("/api/v1/supply").headers["etag"]
    compared(store, 100, True, chain()[100])
    assert said(client) == (True, 100)
    again = client.get("/api/v1/supply", headers={"If-None-Match": before})
    assert again.status_code == 200
    assert again.headers["etag"] != before
    blocks = client.get("/api/v1/blocks").headers["etag"]
    assert blocks not in (before, again.headers["etag"])
