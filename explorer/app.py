"""The application: routes, lifespan, what errors look like."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from explorer import pages
from explorer.accounts.keeping import open_accounts
from explorer.api import fluxos, insight, operations, v1
from explorer.api.blockbook.routes import routes as blockbook_routes
from explorer.api.respond import error_response, plain_error, retry_after
from explorer.cache import CacheMiddleware
from explorer.daemon import Daemon
from explorer.db import open_database
from explorer.errors import ExplorerError, http_phrase
from explorer.events.watcher import watching
from explorer.guard.rails import rails
from explorer.labels import load_labels
from explorer.languages import LanguageMiddleware, load_catalogues
from explorer.languages.phrases import Phrase
from explorer.meta import Meta
from explorer.metrics import Metrics, MetricsMiddleware
from explorer.negotiate import wants_json
from explorer.parallel.chains import configured_chains
from explorer.parallel.keeper import keeping
from explorer.services import Services
from explorer.tally import Tally, tallying
from indexer.config import Config
from indexer.interpreter import quick_turns, rare_collections
from indexer.source.rpc import parse_endpoints

GZIP_FROM = 1000  # bytes
GZIP_LEVEL = 5
CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 500: "internal"}


def create_app(config: Config, *, simulated: bool = False, tally: Tally | None = None) -> Starlette:
    """The explorer of the network in the settings: its API and its pages; ``simulated`` marks the demo network.

    ``tally`` has the counts of all workers, where it is one of several.
    """
    load_catalogues()
    metrics = Metrics(tally)
    guard = rails(config, metrics.refused)
    labels = load_labels(config.network, config.explorer.labels_file)
    chains = configured_chains(config)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[Mapping[str, Any]]:
        daemon = open_daemon(config)
        network, database = config.network, config.database
        try:
            async with (
                open_database(
                    database.uri, config.database_name, network, database.driver, chains, guard.answer_seconds
                ) as db,
                keeping(db, daemon, chains, config.parallel),
                watching(db) as watcher,
                tallying(tally, metrics.counts, lambda: watcher.listeners),
            ):
                app.state.goodbye = watcher.close
                started_at = int(time.time())
                accounts = open_accounts(db, network, config.accounts)
                services = Services(
                    db, daemon, network, metrics, started_at, simulated, labels, watcher, guard.places, accounts
                )
                with rare_collections(), quick_turns():
                    yield {"services": services}
        finally:
            await daemon.close()

    app = Starlette(
        routes=guard.tolled(
            [
                *v1.routes(),
                *fluxos.routes(),
                *insight.routes(),
                *blockbook_routes(),
                *operations.routes(),
                *pages.routes,
            ]
        ),
        lifespan=lifespan,
        middleware=[
            guard.door,
            Middleware(pages.SecurityHeaders),
            Middleware(MetricsMiddleware, metrics=metrics),
            Middleware(LanguageMiddleware),
            Middleware(CacheMiddleware, meta=known_meta),
            Middleware(GZipMiddleware, minimum_size=GZIP_FROM, compresslevel=GZIP_LEVEL),
        ],
        exception_handlers=error_handlers(),
    )
    app.state.connections = guard.connections
    return app


def known_meta(scope: Scope) -> Meta:
    """What is known when a request comes."""
    meta: Meta = scope["state"]["services"].db.meta
    return meta


def open_daemon(config: Config) -> Daemon:
    """The daemon of the settings; one without a URL answers that there is none."""
    daemon = config.daemon
    cookie = Path(daemon.cookie_file).expanduser() if daemon.cookie_file else None
    return Daemon(parse_endpoints(daemon.url, daemon.user, daemon.password, cookie), daemon.timeout_seconds)


def error_handlers() -> dict[Any, Any]:
    """Errors as JSON for clients of the API, as pages for people."""

    async def explorer_error(request: Request, error: ExplorerError) -> Response:
        if wants_json(request.scope):
            return error_response(request, error)
        return await pages.error_page(request, error.status, error.message, retry_after(error))

    async def http_error(request: Request, error: HTTPException) -> Response:
        asked = f"{request.method} {request.url.path[:200]}"
        return await _other(request, error.status_code, http_phrase(error.status_code, asked))

    async def fault(request: Request, error: Exception) -> Response:
        return await _other(request, 500, Phrase("this is a fault of the explorer, and it has been logged"))

    async def _other(request: Request, status: int, message: str) -> Response:
        if wants_json(request.scope):
            return plain_error(request, status, CODES.get(status, "bad_request"), message)
        return await pages.error_page(request, status, message)

    return {ExplorerError: explorer_error, HTTPException: http_error, Exception: fault}
