"""An explorer of the recorded chain that may be asked anything, anything often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx
import pytest

from explorer.app import create_app
from indexer.config import Config
from tests.explorer.client import Client, settings
from tests.fuzz.asking import Transport
from tests.fuzz.known import known_values
from tests.replay_daemon import ReplayDaemon

PATIENCE: Final = 60.0
SEED: Final = int(os.environ.get("FLUX_FUZZ_SEED", "1"))
ASKED: Final = ("method", "url", "params", "headers", "json", "data")
"""What a request is made of."""


@dataclass(frozen=True)
class Explorer:
    """An explorer of the recorded chain with a daemon of its own, what it knows, and how it is asked."""

    client: Client
    values: dict[str, list[Any]]
    http: httpx.AsyncClient

    def ask(self, case: Any) -> httpx.Response:
        """The answer to a case."""
        told = case.as_transport_kwargs(base_url="http://explorer")
        request = {name: told[name] for name in ASKED if name in told}
        if isinstance(request.get("data"), bytes | str):
            request["content"] = request.pop("data")
        return self.request(**request)

    def request(self, **request: Any) -> httpx.Response:
        """The answer to a request."""
        return self.client.run(self.http.request(**request))


def patient(config: Config) -> Config:
    """Settings for a machine that is busy: nothing is given up before its time."""
    daemon, guard = config.daemon, config.guard
    return replace(
        config,
        daemon=replace(daemon, timeout_seconds=PATIENCE),
        guard=replace(guard, answer_seconds=PATIENCE),
    )


@pytest.fixture(scope="package")
def explorer(recorded_index: tuple[str, str]) -> Iterator[Explorer]:
    """What all cases ask."""
    with ReplayDaemon() as daemon, Client(create_app(patient(settings(recorded_index, daemon=daemon)))) as client:
        http = httpx.AsyncClient(transport=Transport(client.asgi), base_url="http://explorer")
        yield Explorer(client, known_values(client), http)
        client.run(http.aclose())
