"""A running explorer asks the chains by itself, and shows how that goes: status, metrics, ETags."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.app import create_app
from explorer.grounds import Ground
from explorer.meta import Meta, Tip
from explorer.parallel.base import Parallel
from indexer.config import load_config
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.parallel.servers import Answer
from tests.explorer.parallel.test_chains import GOOD
from tests.explorer.parallel.world import OUTSTANDING, World, world
from tests.site.markup import Markup

SECONDS = 20


@pytest.fixture
def w(mongod: str, database_name: str) -> Iterator[World]:
    """Two chains, a daemon, a database."""
    with world(mongod, database_name) as made:
        yield made


@pytest.fixture
def client(w: World, tmp_path: Path) -> Iterator[Client]:
    """An explorer with a file of chains that names one of them, asked ten times a second."""
    path = tmp_path / "chains.toml"
    path.write_text(GOOD.replace("http://127.0.0.1:4001/", w.nodes["algo"].url))
    environ = {
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DATABASE_URI": w.uri,
        "FLUX_DATABASE_NAME": w.name,
        "FLUX_DAEMON_URL": w.daemon.url,
        "FLUX_PARALLEL_CHAINS_FILE": str(path),
        "FLUX_PARALLEL_INTERVAL_SECONDS": "0.1",
        "FLUX_PARALLEL_STALE_SECONDS": "2",
        "FLUX_PARALLEL_TIMEOUT_SECONDS": "1",
        "FLUX_GUARD_RATE": "0",
    }
    with Client(create_app(load_config(environ=environ))) as running:
        yield running


def until(client: Client, state: str) -> Any:
    """What status says of the chain once it, and the time when all were read together, are in a state."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = client.json("/api/v1/status")["parallel"]
        together = found["cut_height"] is not None and found["cut_stale"] == (state == "stale")
        if found["chains"][0]["state"] == state and together:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never {state}: {found}")


def test_a_running_explorer_reads_notes_failures_and_recovers(w: World, client: Client) -> None:
    found = until(client, "fresh")
    assert (found["cut_height"], found["cut_stale"]) == (10, False)
    meta = client.services.db.meta
    assert meta.parallel is not None and meta.parallel.cut is not None
    assert meta.parallel.cut.total == OUTSTANDING + w.tokens["algo"].held[3]  # the file names SWAP only
    honest, w.nodes["algo"].behaviour = w.nodes["algo"].behaviour, lambda _: Answer(b"", 502)
    (chain,) = until(client, "stale")["chains"]
    assert chain["reason"].endswith("answered HTTP 502") and chain["age_seconds"] >= 2
    rows = Markup(client.get("/status").text).rows()
    assert any("Algorand" in row[0] and "answered HTTP 502" in row[-1] for row in rows), rows
    samples = client.get("/metrics").text.splitlines()
    assert 'flux_explorer_parallel_state{chain="algo",state="stale"} 1' in samples
    assert 'flux_explorer_parallel_state{chain="algo",state="fresh"} 0' in samples
    assert samples.count("# TYPE flux_explorer_parallel_state gauge") == 1
    assert "flux_explorer_parallel_cut_stale 1" in samples
    assert any(line.startswith('flux_explorer_parallel_failures{chain="algo"}') for line in samples)
    w.nodes["algo"].behaviour = honest
    until(client, "fresh")


def test_a_network_without_parallel_chains_says_nothing_of_them(recorded_index: tuple[str, str]) -> None:
    with Client(create_app(settings(recorded_index))) as client:
        assert client.json("/api/v1/status")["parallel"] is None
        assert client.services.db.meta.parallel is None
        assert "parallel" not in client.get("/metrics").text


TIP = Tip(7, bytes(32), 1, 2, False, 0)


def test_an_answer_that_shows_readings_is_kept_until_the_next_ones() -> None:
    before, after = (Meta(TIP, parallel=Parallel(revision, (), None)) for revision in (5, 6))
    shown, other = Ground(TIP, {"parallel": 5}, None, False), Ground(TIP, {}, None, False)
    assert [ground.holds(meta) for ground in (shown, other) for meta in (before, after)] == [True, False, True, True]
    assert not shown.holds(Meta(TIP))
