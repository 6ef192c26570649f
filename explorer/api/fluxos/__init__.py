"""The public methods of FluxOS (``/daemon/…``, ``/explorer/…``), answered from the index, in its envelope."""

from __future__ import annotations

from starlette.routing import BaseRoute

from explorer.api.fluxos import addresses, blocks, chain, nodes, transactions

GROUPS = (blocks, chain, transactions, addresses, nodes)


def routes() -> list[BaseRoute]:
    """The routes of all methods."""
    return [route for group in GROUPS for method in group.method.declared for route in method.routes()]
