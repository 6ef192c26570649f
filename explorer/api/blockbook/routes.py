"""Everything that speaks Blockbook."""

from __future__ import annotations

from starlette.routing import BaseRoute

from explorer.api.blockbook import rest, socket


def routes() -> list[BaseRoute]:
    """The routes of REST and the one of the websocket."""
    return [*rest.routes(), *socket.routes()]
