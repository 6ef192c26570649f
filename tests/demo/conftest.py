"""The first demo chain, built once for all tests, and a daemon on a copy of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.demo.builder import FIRST_BLOCKS
from indexer.demo.daemon import DemoDaemon
from indexer.source.rpc import DaemonRpc
from tests.demo.chains import NOW, begin, client_of, copy_of, settings


@pytest.fixture(scope="session")
def first_chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the first chain of seed 1, its last block at NOW; for reading and copying only.

    The workers of one test run share it: the first one builds, the others wait.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "first demo chain"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            builder = begin(folder)
            builder.build(FIRST_BLOCKS, NOW)
            builder.chain.file.close()
            (folder / "built").touch()
    return folder


@pytest.fixture
def daemon(first_chain: Path, tmp_path: Path) -> Iterator[DemoDaemon]:
    """A daemon on the first chain that does nothing of its own accord."""
    with DemoDaemon(settings(copy_of(first_chain, tmp_path))) as running:
        assert running.load(now=NOW)
        yield running


@pytest.fixture
def rpc(daemon: DemoDaemon) -> Iterator[DaemonRpc]:
    """A client with the daemon's login."""
    client = client_of(daemon)
    yield client
    client.close()
