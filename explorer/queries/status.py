"""The state of daemon, index and checks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from explorer.db import View
from explorer.parallel.base import Parallel
from explorer.queries.status_results import (
    Checks,
    Daemon,
    Difference,
    Index,
    KeepingUp,
    ParallelReading,
    ParallelReadings,
    Progress,
    Reorgs,
    Status,
)
from indexer import __version__

COMPARED = ("queue", "supply")  # with the daemon
KEPT = "reorganisations"


async def status(view: View, *, started_at: int, simulated: bool) -> Status:
    """What the explorer knows of the daemon, the index and its checks; ``started_at`` in Unix seconds."""
    tip, reorgs = await asyncio.gather(view.row("blocks", view.tip.height), _reorgs(view))
    told = view.told
    daemon = _daemon(told.daemon)
    return Status(
        network=view.network.name,
        simulated=simulated,
        daemon=daemon,
        index=_index(view),
        checks=_checks(tip or {}, told.checks),
        reorgs=reorgs,
        schema=told.schema_version,
        version=__version__,
        started_at=started_at,
        parallel=None if view.parallel is None else readings(view.parallel, int(time.time())),
    )


async def keeping_up(view: View) -> KeepingUp:
    """How the index keeps up and what it has found of payouts: the same from second to second while it follows."""
    tip, meta = await view.row("blocks", view.tip.height), view.meta
    checks = _checks(tip or {}, {})
    return KeepingUp(Progress(meta.state, meta.lag), checks.payouts_checked, checks.payouts_mismatched)


def readings(parallel: Parallel, now: int) -> ParallelReadings:
    """How old the readings of the parallel chains are at ``now``, Unix seconds."""
    found = []
    for known in parallel.chains:
        read_at = None if known.reading is None else known.reading.time
        age = None if read_at is None else max(now - read_at, 0)
        found.append(ParallelReading(known.chain.key, known.chain.name, known.state, read_at, age, known.reason))
    cut = parallel.cut
    return ParallelReadings(
        tuple(found), None if cut is None else cut.height, None if cut is None else cut.time, parallel.cut_stale
    )


def _daemon(heard: Mapping[str, Any]) -> Daemon:
    best = heard.get("hash")
    return Daemon(
        height=heard.get("height"),
        hash=best[::-1].hex() if isinstance(best, bytes) else best,
        version=heard.get("version"),
        connections=heard.get("connections"),
        reachable=heard.get("reachable", False),
        in_initial_download=heard.get("initial_download"),
    )


def _index(view: View) -> Index:
    meta = view.told
    return Index(
        state=meta.state,
        behind=meta.behind,
        blocks_per_second=meta.rates.get("blocks_per_second"),
        eta_seconds=meta.rates.get("eta_seconds"),
        indexes_ready=tuple(sorted(meta.ready)),
        indexes_building=dict(meta.building),
    )


def compared(checks: Mapping[str, Any], height: int) -> dict[str, Any]:
    """What the comparisons with the daemon said of blocks up to ``height``: others are no longer in the index."""
    names = tuple(name for name in COMPARED if checks.get(f"{name}_checked_height", height + 1) <= height)
    return {key: value for key, value in checks.items() if key.startswith(names)}


def _checks(tip: Mapping[str, Any], checks: Mapping[str, Any]) -> Checks:
    said = compared(checks, tip.get("_id", -1))
    return Checks(
        payouts_checked=tip.get("payouts_checked", 0),
        payouts_mismatched=tip.get("payouts_mismatched", 0),
        queue_matches_daemon=said.get("queue_matches_daemon"),
        queue_checked_height=said.get("queue_checked_height"),
        supply_matches_daemon=said.get("supply_matches_daemon"),
        supply_checked_height=said.get("supply_checked_height"),
        queue_unchecked=checks.get("queue_unchecked"),
        supply_unchecked=checks.get("supply_unchecked"),
        difference_count=sum(said.get(f"{name}_difference_count", 0) for name in COMPARED),
        differences=tuple(Difference(**found) for name in COMPARED for found in said.get(f"{name}_differences", ())),
    )


async def _reorgs(view: View) -> Reorgs:
    """What the epoch began with: the next reorganisation ends it."""
    kept: Reorgs | None = view.kept(KEPT, 0)
    if kept is None:
        within = {"fork": {"$exists": True}, "_id": {"$lte": view.tip.reorgs << 16}}
        heads = await view.many("reorgs", within, sort=[("_id", 1)], fields=("fork", "old_tip"))
        depths = [head["old_tip"]["height"] - head["fork"] for head in heads]
        kept = Reorgs(view.tip.reorgs, max(depths, default=None), heads[-1]["fork"] if heads else None)
        view.keep(KEPT, 0, kept)
    return kept
