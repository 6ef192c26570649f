"""The API of Insight (``/api/…``, also ``/insight-api/…``) as Flux wallets and dashboards call it."""

from __future__ import annotations

from starlette.routing import BaseRoute

from explorer.api.insight import addresses, blocks, fluxnodes, statistics, status, supply, transactions

PREFIXES = ("/api", "/insight-api")
GROUPS = (blocks, transactions, addresses, fluxnodes, status, supply, statistics)


def routes() -> list[BaseRoute]:
    """The routes of all answers, under both names."""
    return [route for prefix in PREFIXES for group in GROUPS for route in group.insight.routes(prefix)]
