"""What operators and tools ask: health, metrics, the OpenAPI document."""

from __future__ import annotations

import time

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from explorer.api import v1
from explorer.api.openapi import document
from explorer.api.respond import REVALIDATE, json_response
from explorer.db import Database
from explorer.errors import ExplorerError
from explorer.meta import LAG_BLOCKS
from explorer.parallel.gauges import gauges as parallel_gauges
from explorer.parallel.state import PARALLEL_READINGS, STATE_ID
from explorer.queries.gauges import chain_gauges
from explorer.queries.status import compared
from explorer.services import services

LAG_SECONDS = 15 * 60
VERDICTS = ("queue_matches_daemon", "queue_checked_height", "supply_matches_daemon", "supply_checked_height")


async def healthz(request: Request) -> Response:
    """200 while the database answers and the index keeps up; 503 otherwise, with the reason."""
    db = services(request).db
    problem = health_problem(db)
    body = {"status": problem or "ok"}
    return json_response(request, body, status=503 if problem else 200, headers={"Cache-Control": "no-store"})


def health_problem(db: Database) -> str:
    """Why this explorer should not be asked, or empty."""
    if not db.reachable:
        return "the database does not answer"
    if db.meta.lagging_seconds > LAG_SECONDS:
        return f"the index has been more than {LAG_BLOCKS} blocks behind the daemon for over 15 minutes"
    return ""


async def metrics(request: Request) -> Response:
    """Gauges of the index and counts of requests, in the text format of Prometheus."""
    s = services(request)
    meta = s.db.meta
    s.metrics.counts.listeners = s.watcher.listeners
    gauges: dict[str, float] = {"database_up": int(s.db.reachable)}
    if meta.tip is not None:
        gauges |= {"tip_height": meta.tip.height, "tip_time_seconds": meta.tip.time, "reorgs_total": meta.tip.reorgs}
        if meta.behind is not None:
            gauges["behind_blocks"] = meta.behind
        try:
            gauges |= (await s.db.fenced(chain_gauges, wallets=s.labels.fusion)).value
        except ExplorerError:
            gauges["database_up"] = 0
        if meta.pool is not None:
            gauges |= {"mempool_transactions": meta.pool.count, "mempool_bytes": meta.pool.bytes}
        said = compared(meta.checks, meta.tip.height)
        gauges |= {name: int(said[name]) for name in VERDICTS if name in said}
    if meta.parallel is not None:
        try:
            document = await s.db.find_one(PARALLEL_READINGS, {"_id": STATE_ID}, ())
        except ExplorerError:
            gauges["database_up"] = 0
        else:
            gauges |= parallel_gauges(meta.parallel, document or {}, int(time.time()))
    kept = {"Cache-Control": "no-store"}
    return PlainTextResponse(s.metrics.text(gauges), headers=kept, media_type="text/plain; version=0.0.4")


async def openapi(request: Request) -> Response:
    """The OpenAPI 3.1 document of the routes that exist."""
    return json_response(request, document(v1.api.endpoints), headers={"Cache-Control": REVALIDATE})


def routes() -> list[BaseRoute]:
    """The routes of this module."""
    return [Route("/healthz", healthz), Route("/metrics", metrics), Route("/openapi.json", openapi)]
