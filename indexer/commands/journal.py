"""``status``: what the indexer last wrote about itself."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from indexer.chain.keys import hash_text
from indexer.commands.database import readable
from indexer.config import Config
from indexer.progress import duration
from indexer.store.base import Store
from indexer.store.mongo import MongoStore

SILENT_SECONDS = 30  # a running indexer writes every second
EMPTY = "no block yet"
UNCHECKED = {
    None: "not compared with the daemon yet",
    "no_daemon": "not compared: blocks come from a gateway, there is no daemon",
    "switched_off": "not compared: switched off in the settings",
}


def status(config: Config) -> int:
    """Print how far the index is; 1 when it lags or nobody writes it, else 0."""
    with readable(config) as uri, closing(MongoStore(uri, config.database_name)) as store:
        source = store.meta("source") or {}
        running = is_running(store, source, time.time())
        for name, value in lines(config.network.name, store, source, running):
            print(f"{name + ':':<11} {value}")
    return 0 if running and source["rates"]["state"] == "following" else 1


def is_running(store: Store, source: Mapping[str, Any], now: float) -> bool:
    """Whether an indexer holds the right to write and was heard of lately."""
    writer = store.meta("writer") or {}
    updated: float = source.get("rates", {}).get("updated_at", 0)
    return bool(writer.get("owner")) and now - updated <= SILENT_SECONDS


def lines(network: str, store: Store, source: Mapping[str, Any], running: bool) -> Iterator[tuple[str, str]]:
    """The lines of the report: a name and a sentence."""
    yield "network", network
    tip = store.meta("tip")
    height = -1 if tip is None else tip["height"]
    yield "tip", EMPTY if tip is None or height < 0 else f"block {height:,} {hash_text(tip['hash'])}, {_when(tip)}"
    yield "daemon", _daemon(source.get("daemon", {}))
    yield "indexer", _indexer(source, height, running)
    yield "indexes", _indexes(store.meta("indexes") or {})
    yield "payouts", _payouts(store, height)
    checks = (store.meta("checks") or {}).get("checks", {})
    for name, check in (("node lists", "queue"), ("supply", "supply")):
        yield name, _compared(checks, check)
    if tip is not None:
        yield "reorgs", f"{tip['reorgs']:,}"


def _when(tip: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(tip['time'], UTC):%Y-%m-%d %H:%M:%S} UTC"


def _daemon(daemon: Mapping[str, Any]) -> str:
    if not daemon:
        return "never asked"
    if "height" not in daemon:
        return f"not reached: {daemon.get('problem') or 'no answer yet'}"
    state = f"block {daemon['height']:,}, {daemon['connections']} connections, {daemon['subversion']}"
    if daemon["initial_download"]:
        state += f", itself in its first download ({daemon['headers']:,} headers)"
    return state if daemon["reachable"] else f"{state}; not reached now: {daemon['problem']}"


def _indexer(source: Mapping[str, Any], height: int, running: bool) -> str:
    rates = source.get("rates")
    if not rates:
        return "never ran"
    if not running:
        return f"not running: last seen {duration(time.time() - rates['updated_at'])} ago"
    behind = source.get("daemon", {}).get("height", height) - height
    state = str(rates["state"]).replace("_", " ")
    if behind <= 0:
        return state
    text = f"{state}, {behind:,} behind, {rates['blocks_per_second']:.1f} blocks/s"
    eta = rates["eta_seconds"]
    return text if eta is None else f"{text}, {duration(eta)} left"


def _indexes(indexes: Mapping[str, Any]) -> str:
    building = [f"{name} {percent:.0f} %" for name, percent in indexes.get("building", {}).items()]
    ready = len(indexes.get("ready", ()))
    return f"{ready} late ones ready" + (f", building {', '.join(building)}" if building else "")


def _payouts(store: Store, height: int) -> str:
    for block in store.scan("blocks", height, height + 1):
        return f"{block['payouts_mismatched']:,} of {block['payouts_checked']:,} mismatched"
    return EMPTY


def _compared(checks: Mapping[str, Any], check: str) -> str:
    """What the last comparison with the daemon said, and the first of what differs."""
    height = checks.get(f"{check}_checked_height")
    if height is None:
        return UNCHECKED[checks.get(f"{check}_unchecked")]
    if checks[f"{check}_matches_daemon"]:
        return f"the daemon's, at block {height:,}"
    count, first = checks[f"{check}_difference_count"], checks[f"{check}_differences"][0]
    where = " ".join(first[part] for part in ("subject", "outpoint", "field") if first[part])
    ours, theirs = ("absent" if first[side] is None else first[side] for side in ("ours", "theirs"))
    from_it = f"{count:,} difference{'s' * (count > 1)} from the daemon's at block {height:,}"
    return f"{from_it}: {where} is {ours} here, {theirs} in the daemon"
