"""What every request needs: the database, the daemon, the network, who tells what happens."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request

from explorer.accounts.keeping import Keeping
from explorer.daemon import Daemon
from explorer.db import Database
from explorer.events.places import Places
from explorer.events.watcher import Watcher
from explorer.labels import Labels
from explorer.metrics import Metrics
from explorer.shared import PerTip
from indexer.chain.params import Network


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of a running explorer; ``started_at`` in Unix seconds, ``simulated`` on the demo network."""

    db: Database
    daemon: Daemon
    network: Network
    metrics: Metrics
    started_at: int
    simulated: bool
    labels: Labels
    watcher: Watcher
    places: Places
    accounts: Keeping
    shared: PerTip = field(default_factory=PerTip)


def services(request: Request) -> Services:
    """The services of the application that serves a request."""
    found: Services = request.state.services
    return found
