"""The whole indexer from block files: identical to an index by RPC, however often it is killed."""

from __future__ import annotations

import lzma
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.chain.keys import hash_text
from indexer.errors import ConfigError
from indexer.store.mongo import MongoStore
from tests import recorded
from tests.indexed import chain
from tests.replay_daemon import ReplayDaemon
from tests.test_sync import assert_equals_straight, config_for, running

KILLS = 20
PATIENCE = 60.0


def block_files(folder: Path, *cuts: int) -> Path:
    """The recorded daemon's block file, cut into several at these offsets."""
    content = lzma.decompress((recorded.CHAIN / "blk00000.dat.xz").read_bytes())
    bounds = [0, *cuts, len(content)]
    for number, (start, end) in enumerate(zip(bounds, bounds[1:], strict=False)):
        (folder / f"blk{number:05}.dat").write_bytes(content[start:end])
    return folder


def test_an_index_from_files_is_the_one_by_rpc(mongod: str, database_name: str, tmp_path: Path) -> None:
    with ReplayDaemon() as daemon:
        config = config_for(daemon, database_name, blocks_dir=str(block_files(tmp_path)))
        config = replace(config, indexer=replace(config.indexer, check_supply_blocks=0))  # which asks for a block
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[-1])
            assert_equals_straight(indexer.store, recorded.TIP)
        assert daemon.calls["getblock"] == 0


def test_rpc_takes_over_in_the_middle_of_a_torn_file(mongod: str, database_name: str, tmp_path: Path) -> None:
    block_files(tmp_path, 400_000, 900_000)
    (tmp_path / "blk00001.dat").unlink()
    with ReplayDaemon() as daemon:
        with running(config_for(daemon, database_name, blocks_dir=str(tmp_path)), mongod) as indexer:
            indexer.until_at(chain()[-1])
            assert_equals_straight(indexer.store, recorded.TIP)
        assert 100 < daemon.calls["getblock"] < recorded.TIP - 100


def test_another_networks_files_are_refused(mongod: str, database_name: str, tmp_path: Path) -> None:
    (tmp_path / "blk00000.dat").write_bytes(bytes.fromhex("24e92764") + bytes(1000))
    with ReplayDaemon(20) as daemon, running(config_for(daemon, database_name, blocks_dir=str(tmp_path)), mongod) as it:
        error = it.until_failed()
    assert isinstance(error, ConfigError)
    assert "daemon.blocks_dir" in str(error)


@pytest.mark.slow
def test_a_catch_up_killed_at_random_and_resumed(mongod: str, database_name: str, tmp_path: Path) -> None:
    folder = block_files(tmp_path, 700_000)
    chance = random.Random(20)
    with ReplayDaemon() as daemon, closing(MongoStore(mongod, database_name)) as store:
        environ = {
            **os.environ,
            "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
            "FLUX_DAEMON_URL": daemon.url,
            "FLUX_DAEMON_USER": daemon.user,
            "FLUX_DAEMON_PASSWORD": daemon.password,
            "FLUX_DAEMON_BLOCKS_DIR": str(folder),
            "FLUX_DATABASE_URI": mongod,
            "FLUX_DATABASE_NAME": database_name,
            "FLUX_INDEXER_BATCH_BLOCKS": "10",
        }
        command = [sys.executable, "-m", "indexer.cli", "index"]
        seen = [-1]
        for _ in range(KILLS):
            process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _wait_for_height(store, seen[-1] + 1)
            time.sleep(chance.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            process.wait()
            seen.append(_height(store))
        process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE
        while hash_text((store.meta("tip") or {"hash": b""})["hash"]) != chain()[-1]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, told
        assert_equals_straight(store, recorded.TIP)
        assert sorted(seen) == seen and seen[-1] < recorded.TIP
        assert daemon.calls["getblock"] < recorded.TIP // 2


def _height(store: MongoStore) -> int:
    return int((store.meta("tip") or {"height": -1})["height"])


def _wait_for_height(store: MongoStore, height: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while _height(store) < height:
        assert time.monotonic() < deadline
        time.sleep(0.01)
