"""An explorer of the recorded chain: a real database, the replay daemon, and a client."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explorer.app import create_app
from tests.explorer.client import Client, settings
from tests.replay_daemon import ReplayDaemon


@pytest.fixture(scope="session")
def daemon() -> Iterator[ReplayDaemon]:
    """The replay daemon at the recorded tip."""
    with ReplayDaemon() as running:
        yield running


@pytest.fixture(scope="session")
def client(recorded_index: tuple[str, str], daemon: ReplayDaemon) -> Iterator[Client]:
    """A client of the explorer of the recorded chain, with motor."""
    with Client(create_app(settings(recorded_index, daemon=daemon))) as running:
        yield running


@pytest.fixture(scope="session", params=["motor", "pymongo_async"])
def any_client(request: pytest.FixtureRequest, recorded_index: tuple[str, str]) -> Iterator[Client]:
    """A client of an explorer without a daemon, with either driver."""
    with Client(create_app(settings(recorded_index, driver=request.param))) as running:
        yield running
