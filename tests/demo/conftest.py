"""The first demo chain, built once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.demo.builder import FIRST_BLOCKS
from tests.demo.chains import NOW, begin


@pytest.fixture(scope="session")
def first_chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the first chain of seed 1, its last block at NOW; for reading and copying only."""
    folder = tmp_path_factory.mktemp("demo")
    builder = begin(folder)
    builder.build(FIRST_BLOCKS, NOW)
    builder.chain.file.close()
    return folder
