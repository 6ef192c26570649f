"""The guard rails of one process, as the settings want them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from explorer.events.places import Places
from explorer.guard.allowance import Allowance
from explorer.guard.clients import Clients
from explorer.guard.connections import Connections
from explorer.guard.door import Door
from explorer.guard.refusals import Refused
from explorer.guard.shares import share_of_all, share_of_client
from explorer.guard.tolls import tolled
from indexer.config import Config


@dataclass(frozen=True, slots=True)
class Rails:
    """What stands before the application, and the books that are kept of clients; ``refused`` counts refusals."""

    clients: Clients
    allowance: Allowance
    connections: Connections
    places: Places
    answer_seconds: float
    refused: Refused

    @property
    def door(self) -> Middleware:
        """What every request passes first."""
        return Middleware(Door, clients=self.clients, allowance=self.allowance, refused=self.refused)

    def tolled(self, routes: Iterable[BaseRoute]) -> list[BaseRoute]:
        """Routes behind their tolls."""
        return tolled(routes, self.answer_seconds, self.refused)


def rails(config: Config, refused: Refused) -> Rails:
    """The guard rails of one of the workers of a site."""
    guard, site, workers = config.guard, config.explorer, config.explorer.workers
    clients = Clients(guard.proxy_networks, guard.free_networks)
    return Rails(
        clients,
        Allowance(share_of_client(guard.rate, workers), share_of_client(guard.burst, workers)),
        Connections(
            clients,
            share_of_all(guard.connections, workers),
            share_of_client(guard.connections_per_client, workers),
            refused,
        ),
        Places(share_of_all(site.streams, workers), share_of_client(site.streams_per_client, workers), refused),
        guard.answer_seconds,
        refused,
    )
