"""Which parser serves, and what the extension's source may not do."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import indexer.parse
from indexer.errors import ChainError, ConfigError, MerkleMismatch, ParseError
from indexer.parse import PARSERS, choose_parser, pure
from tests import recorded
from tests.parse import twins

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "cython_ext"


def test_the_choice_by_name() -> None:
    assert choose_parser("pure", required=True) is pure
    assert choose_parser("compiled", required=False) is twins.compiled
    assert choose_parser("auto", required=False) is twins.compiled
    with pytest.raises(ConfigError, match="must be one of auto, compiled, pure"):
        choose_parser("quick", required=False)


@pytest.fixture
def no_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(indexer.parse, "compiled")
    monkeypatch.setitem(sys.modules, "indexer.parse.compiled", None)


def test_without_extension_the_pure_parser_serves_and_says_so(
    no_extension: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert choose_parser("auto", required=False) is pure
    assert [r.levelname for r in caplog.records] == ["WARNING"] and "build_ext" in caplog.text


@pytest.mark.parametrize(("wanted", "required"), [("auto", True), ("compiled", False)])
def test_without_extension_a_demand_for_it_fails(no_extension: None, wanted: str, required: bool) -> None:
    with pytest.raises(ConfigError, match="build_ext"):
        choose_parser(wanted, required)


@pytest.mark.parametrize("name", PARSERS)
def test_the_environment_decides(name: str) -> None:
    environment = os.environ | {"FLUX_PARSER": name}
    command = [sys.executable, "-c", "import indexer.parse; print(indexer.parse.PARSER)"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == {"auto": "compiled"}.get(name, name)


def test_a_kernel_that_computes_wrongly_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytes.fromhex(recorded.blocks()[5]["hex"])
    real = twins.compiled.blockparse.parse_block

    class Wrong:
        Malformed = twins.compiled.blockparse.Malformed
        fill = staticmethod(twins.compiled.blockparse.fill)

        @staticmethod
        def parse_block(*given: Any) -> Any:
            return real(*given)[0], bytes(32)

    monkeypatch.setattr(twins.compiled, "blockparse", Wrong)
    with pytest.raises(ChainError, match="FLUX_PARSER=pure"):
        twins.compiled.parse_block(raw)


def test_errors_are_not_the_other_kind() -> None:
    assert not issubclass(MerkleMismatch, ParseError) and not issubclass(ParseError, ChainError)


# --- the source of the extension ----------------------------------------------------------------------------

SOURCES = sorted(path for path in EXTENSION.iterdir() if path.suffix in {".pyx", ".pxd"})


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.name)
def test_bounds_are_never_left_unchecked(path: Path) -> None:
    if path.name != "cursor.pxd":
        assert not re.search(r"boundscheck\s*(=|\()\s*False", path.read_text())


def test_only_the_cursor_reads_raw_bytes() -> None:
    source = (EXTENSION / "blockparse.pyx").read_text()
    assert re.findall(r"\.raw\b(?! = )", source) == []
    assert re.search(r"c\.raw \+", (EXTENSION / "cursor.pxd").read_text())
