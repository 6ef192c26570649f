"""An explorer of the recorded chain and of parallel chains that may be asked anything, anything often."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from explorer.accounts.hooks import Wish
from explorer.app import create_app
from indexer.config import Config
from tests.accounts.visiting import ALICE
from tests.explorer.client import Client, settings
from tests.fuzz.asking import Transport
from tests.fuzz.known import known_values
from tests.replay_daemon import ReplayDaemon
from tests.site import test_supply
from tests.site.parallel_chains import SITUATIONS, Readings, Situation, chains_file
from tests.site.test_pages import ADDRESS

PATIENCE: Final = 60.0
SEED: Final = int(os.environ.get("FLUX_FUZZ_SEED", "1"))
CHAINS, LABELS = "chains.toml", "labels.toml"
ASKED: Final = ("method", "url", "params", "headers", "json", "data")
"""What a request is made of."""


@dataclass
class Explorer:
    """An explorer of the recorded chain with a daemon of its own, what it knows, and how it is asked.

    ``readings`` are what is kept of the parallel chains. ``token`` is that of a visitor who is signed in.
    """

    client: Client
    values: dict[str, list[Any]]
    http: httpx.AsyncClient
    readings: Readings
    token: str = ""

    def ask(self, case: Any, *, signed_in: bool = False) -> httpx.Response:
        """The answer to a case, asked by who is signed in or not."""
        told = case.as_transport_kwargs(base_url="http://explorer")
        request = {name: told[name] for name in ASKED if name in told}
        if isinstance(request.get("data"), bytes | str):
            request["content"] = request.pop("data")
        if not signed_in:
            return self.request(**request)
        answer = self._signed(request)
        if answer.status_code == 401:
            self.sign_in()
            answer = self._signed(request)
        return answer

    def _signed(self, request: dict[str, Any]) -> httpx.Response:
        headers = {**request.get("headers", {}), "Authorization": f"Bearer {self.token}"}
        return self.request(**{**request, "headers": headers})

    def sign_in(self) -> None:
        """Begin a session of an account that watches something, with a webhook."""
        self.token, self.values["id"] = self.client.run(self._begin())

    async def _begin(self) -> tuple[str, list[str]]:
        accounts, address, node = self.client.services.accounts, self.values["address"][0], self.values["outpoint"][0]
        await accounts.book.admit(ALICE.address)
        for kind, entry in (("payee", address), ("node", node)):
            await accounts.book.watch(ALICE.address, kind, entry, "a note")
        kept = await accounts.hooks.all(ALICE.address)
        if not kept:
            await accounts.hooks.make(ALICE.address, Wish(self.values["url"][0], "", [address], [node], None, 1))
            kept = await accounts.hooks.all(ALICE.address)
        token = await accounts.sessions.begin(ALICE.address, "program", "explorer")
        return token, [hook.id for hook in kept]

    def tell(self, situation: Situation) -> None:
        """Let the kept readings be those of a situation."""
        self.readings.write(situation)
        self.client.run(self.client.services.db.poll())

    def request(self, **request: Any) -> httpx.Response:
        """The answer to a request."""
        return self.client.run(self.http.request(**request))


def patient(config: Config, folder: Path) -> Config:
    """Settings for a machine that is busy: nothing is given up before its time, and no parallel chain is asked."""
    return replace(
        config,
        daemon=replace(config.daemon, timeout_seconds=PATIENCE),
        guard=replace(config.guard, answer_seconds=PATIENCE),
        parallel=replace(config.parallel, enabled=False, chains_file=str(folder / CHAINS)),
        explorer=replace(config.explorer, labels_file=str(folder / LABELS)),
    )


@pytest.fixture(scope="package")
def explorer(recorded_index: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    """What all cases ask."""
    folder = tmp_path_factory.mktemp("chains")
    (folder / LABELS).write_text(test_supply.LABELS.format(ADDRESS))
    tip = test_supply.CUT, test_supply.wire_hash(test_supply.CUT)
    readings = Readings(*recorded_index, chains_file(folder / CHAINS), tip)
    with ReplayDaemon() as daemon, closing(readings):
        readings.write_hours(40)
        readings.write(SITUATIONS["fresh"])
        with Client(create_app(patient(settings(recorded_index, daemon=daemon), folder))) as client:
            http = httpx.AsyncClient(transport=Transport(client.asgi), base_url="http://explorer")
            made = Explorer(client, known_values(client, readings.chains), http, readings)
            made.sign_in()
            yield made
            client.run(client.services.accounts.delete(ALICE.address))
            client.run(http.aclose())
