"""A site of the recorded chain, and people with browsers and keys who visit it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explorer.app import create_app
from tests.accounts.visiting import Browser
from tests.explorer.client import Client, settings
from tests.replay_daemon import ReplayDaemon


@pytest.fixture(scope="package")
def client(recorded_index: tuple[str, str]) -> Iterator[Client]:
    """A client of the site of the recorded chain."""
    with ReplayDaemon() as daemon, Client(create_app(settings(recorded_index, daemon=daemon))) as running:
        yield running


@pytest.fixture
def browser(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser of somebody who is not signed in; what he left on the site is removed afterwards."""
    monkeypatch.setattr("explorer.accounts.challenges.MOST_PER_CLIENT", 10_000)  # all tests come from one address
    visitor = Browser(client)
    yield visitor
    visitor.forget()
