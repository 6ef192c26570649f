"""The recorded daemon and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from indexer.source.rpc import DaemonRpc, parse_endpoints
from tests.replay_daemon import ReplayDaemon


@pytest.fixture
def daemon() -> Iterator[ReplayDaemon]:
    """A recorded daemon at height 200."""
    with ReplayDaemon(200) as running:
        yield running


@pytest.fixture
def rpc(daemon: ReplayDaemon) -> Iterator[DaemonRpc]:
    """A client of ``daemon`` with its login."""
    client = DaemonRpc(parse_endpoints(daemon.url, daemon.user, daemon.password), timeout=5)
    yield client
    client.close()
