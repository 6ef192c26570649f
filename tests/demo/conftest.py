"""The first demo chain, built once for all tests."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from indexer.demo.builder import FIRST_BLOCKS
from tests.demo.chains import NOW, begin


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
