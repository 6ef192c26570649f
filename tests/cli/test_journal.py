"""``status`` in every state an index can be in."""

from __future__ import annotations

import time
from typing import Any

import pytest

from indexer.commands.journal import is_running, lines
from tests.memory_store import MemoryStore

DAEMON = {
    "reachable": True, "problem": "", "height": 1500, "headers": 1500, "connections": 8, "initial_download": False,
    "subversion": "/MagicBean:9.0.6/",
}  # fmt: skip
RATES = {"state": "catching_up", "blocks_per_second": 50.0, "eta_seconds": 10.0}


def report(source: dict[str, Any], *, owner: str = "host/1/a", age: int = 0, height: int = 1000) -> dict[str, str]:
    """The report of an index at a height, whose indexer wrote ``source`` so many seconds ago."""
    store = MemoryStore()
    if "rates" in source:
        source = source | {"rates": source["rates"] | {"updated_at": time.time() - age}}
    store.put_meta("tip", {"height": height, "hash": b"\x01" * 32, "time": 1_800_000_000, "reorgs": 2})
    store.put_meta("writer", {"owner": owner})
    store.put_meta("indexes", {"ready": ["a", "b"], "building": {"txids.prefixes": 40.0}})
    if height >= 0:
        store.insert("blocks", [{"_id": height, "payouts_mismatched": 1, "payouts_checked": 2000}])
    return dict(lines("regtest", store, source, is_running(store, source, time.time())))


def test_catching_up() -> None:
    assert report({"daemon": DAEMON, "rates": RATES}) == {
        "network": "regtest",
        "tip": f"block 1,000 {'01' * 32}, 2027-01-15 08:00:00 UTC",
        "daemon": "block 1,500, 8 connections, /MagicBean:9.0.6/",
        "indexer": "catching up, 500 behind, 50.0 blocks/s, 10 s left",
        "indexes": "2 late ones ready, building txids.prefixes 40 %",
        "payouts": "1 of 2,000 mismatched",
        "node lists": "not compared with the daemon yet",
        "supply": "not compared with the daemon yet",
        "reorgs": "2",
    }


@pytest.mark.parametrize(
    ("source", "options", "name", "words"),
    [
        ({}, {}, "daemon", "never asked"),
        ({}, {}, "indexer", "never ran"),
        ({}, {"height": -1}, "tip", "no block yet"),
        ({}, {"height": -1}, "payouts", "no block yet"),
        ({"daemon": {"reachable": False, "problem": "is it running?"}}, {}, "daemon", "not reached: is it running?"),
        ({"daemon": {"reachable": False, "problem": ""}}, {}, "daemon", "not reached: no answer yet"),
        (
            {"daemon": DAEMON | {"reachable": False, "problem": "it warms up"}}, {}, "daemon",
            "block 1,500, 8 connections, /MagicBean:9.0.6/; not reached now: it warms up",
        ),
        (
            {"daemon": DAEMON | {"initial_download": True, "headers": 9000}}, {}, "daemon",
            "block 1,500, 8 connections, /MagicBean:9.0.6/, itself in its first download (9,000 headers)",
        ),
        ({"daemon": DAEMON, "rates": RATES | {"state": "following"}}, {"height": 1500}, "indexer", "following"),
        ({"daemon": {"reachable": False}, "rates": RATES | {"state": "waiting"}}, {}, "indexer", "waiting"),
        (
            {"daemon": DAEMON, "rates": RATES | {"state": "stalled", "eta_seconds": None, "blocks_per_second": 0.0}},
            {}, "indexer", "stalled, 500 behind, 0.0 blocks/s",
        ),
        ({"daemon": DAEMON, "rates": RATES}, {"age": 3600}, "indexer", "not running: last seen 1 h ago"),
        ({"daemon": DAEMON, "rates": RATES}, {"owner": "", "age": 2}, "indexer", "not running: last seen 2 s ago"),
    ],
)  # fmt: skip
def test_other_states(source: dict[str, Any], options: dict[str, Any], name: str, words: str) -> None:
    assert report(source, **options)[name] == words


def test_an_empty_database() -> None:
    store = MemoryStore()
    found = dict(lines("main", store, {}, is_running(store, {}, 0.0)))
    assert found == {
        "network": "main", "tip": "no block yet", "daemon": "never asked", "indexer": "never ran",
        "indexes": "0 late ones ready", "payouts": "no block yet",
        "node lists": "not compared with the daemon yet", "supply": "not compared with the daemon yet",
    }  # fmt: skip
