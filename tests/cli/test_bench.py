"""``bench``: what it prints with and without a daemon and its files, and that it leaves nothing behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from indexer.commands import bench, own_blocks, speed
from indexer.config import Config, load_config
from indexer.errors import ConfigError
from indexer.parse import parse_block
from indexer.sample.shape import plan
from tests import recorded
from tests.replay_daemon import ReplayDaemon
from tests.test_sync_files import block_files

FEW = plan(nodes=100, blocks=40)


@pytest.fixture(scope="module")
def daemon() -> Iterator[ReplayDaemon]:
    """The recorded daemon."""
    with ReplayDaemon() as running:
        yield running


def settings(daemon: ReplayDaemon | None = None, **more: str) -> Config:
    """The settings of an operator."""
    environ = {"FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE), "FLUX_DATABASE_CACHE_MIB": "256", **more}
    if daemon is not None:
        login = {"FLUX_DAEMON_USER": daemon.user, "FLUX_DAEMON_PASSWORD": daemon.password}
        environ |= {"FLUX_DAEMON_URL": daemon.url, **login}
    return load_config(environ=environ)


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What was printed, by its first word."""
    return {name: text.strip() for name, text in (row.split(":", 1) for row in capsys.readouterr().out.splitlines())}


def names(uri: str) -> list[str]:
    """The databases of a server."""
    client: MongoClient[dict[str, object]] = MongoClient(uri)
    with client:
        return client.list_database_names()


def test_with_a_daemon_it_says_how_long_the_chain_takes(
    daemon: ReplayDaemon, mongod: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = names(mongod)
    assert bench.run(settings(daemon, FLUX_DATABASE_URI=mongod), FEW) == 0
    printed = lines(capsys)
    assert list(printed) == ["measuring", "SHA-256", "parser", "database", "indexing", "your chain"]
    assert re.fullmatch(r"[\d,]+ MB/s", printed["SHA-256"])
    assert "transactions/s" in printed["parser"] and "blocks of the daemon: " in printed["parser"]
    assert re.fullmatch(r"[\d,]+ rows/s; a durable write takes [\d.]+ ms", printed["database"])
    assert re.match(r"[1-9][\d,]* transactions/s of a sample chain", printed["indexing"])
    total = sum(len(block["block"]["tx"]) for block in recorded.blocks())
    found = re.match(r"([\d,]+) blocks with about ([\d,]+) transactions: .* by RPC", printed["your chain"])
    assert found is not None
    assert found[1] == f"{recorded.TIP + 1:,}"
    assert int(found[2].replace(",", "")) == pytest.approx(total, rel=0.2)
    assert names(mongod) == before


def test_with_block_files_those_are_parsed(
    daemon: ReplayDaemon, mongod: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(block_files(tmp_path, 400_000, 900_000))
    assert bench.run(settings(daemon, FLUX_DATABASE_URI=mongod, FLUX_DAEMON_BLOCKS_DIR=folder), FEW) == 0
    printed = lines(capsys)
    assert f"blocks of {folder}: " in printed["parser"]
    assert printed["your chain"].endswith("from its block files")


def test_without_a_daemon_it_measures_all_the_same_and_leaves_no_file(
    mongod: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    folder = tmp_path / "data"
    assert bench.run(settings(FLUX_DATA_DIR=str(folder)), FEW) == 0
    printed = lines(capsys)
    assert "blocks of the sample chain: " in printed["parser"]
    assert printed["your chain"].startswith("not known, for the daemon cannot be asked: no daemon is set")
    assert list(folder.iterdir()) == []


def test_a_data_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used: Not a directory; set data.dir"):
        with bench.scratch(settings(FLUX_DATA_DIR=str(tmp_path / "file" / "data"))):
            pass


@pytest.mark.parametrize(
    ("count", "most", "chosen"), [(1, 4, [0]), (3, 4, [0, 1, 2]), (4, 4, [0, 1, 2, 3]), (100, 4, [24, 49, 74, 99])]
)
def test_evenly(count: int, most: int, chosen: list[int]) -> None:
    assert own_blocks.evenly(count, most) == chosen


def test_blocks_of_all_files(tmp_path: Path) -> None:
    magic = settings().network.magic
    found = own_blocks.from_files(block_files(tmp_path, 400_000, 900_000), magic)
    raws = {raw: height for height, raw in enumerate(map(bytes.fromhex, (b["hex"] for b in recorded.blocks())))}
    heights = [raws[raw] for raw in found if raw in raws]
    assert len(found) == 3 * own_blocks.BLOCKS_OF_A_FILE
    assert heights[0] == 0 and heights[-1] > 1_000


def test_figures() -> None:
    assert speed.Parsing(1, 5e8, 1e6, 2e9).passes == 4
    assert speed.Indexing(1_000, 2.0, 0.5).seconds_for(4_000) == 10
    sampled = own_blocks.Sampled(99, 2.5, 10.0, [])
    assert sampled.transactions == 250
    assert speed.parsing([bytes.fromhex(recorded.blocks()[0]["hex"])]).blocks == 1
    assert parse_block(bytes.fromhex(recorded.blocks()[0]["hex"])).tx_count == 1
