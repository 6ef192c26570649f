"""The site of the recorded chain."""

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
def site(recorded_index: tuple[str, str], daemon: ReplayDaemon) -> Iterator[Client]:
    """A client of the site of the recorded chain."""
    with Client(create_app(settings(recorded_index, daemon=daemon))) as client:
        yield client
