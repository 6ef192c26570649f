"""What ``run`` and ``demo`` decide before they start the demo network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from explorer.labels import load_labels
from explorer.parallel.chains import configured_chains
from indexer.commands import demo
from indexer.config import Config, load_config
from indexer.demo.files import FILE_NAME
from indexer.demo.network import demo_network
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests.demo.chains import begin, copy_of


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"FLUX_NETWORK_NAME": "demo"}, True),
        ({"FLUX_NETWORK_NAME": "test"}, False),
        ({"FLUX_DAEMON_URL": "http://127.0.0.1:1"}, False),
        ({"FLUX_NETWORK_NAME": "demo", "FLUX_DAEMON_URL": "http://127.0.0.1:1"}, False),
        ({"FLUX_DAEMON_GATEWAY": "https://gateway.invalid"}, False),
    ],
)
def test_when_the_demo_stands_in(
    variables: dict[str, str], expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert demo.stands_in(load_config(environ=variables)) is expected


def test_a_daemon_of_this_user_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".flux").mkdir()
    (tmp_path / ".flux" / "flux.conf").write_text("rpcuser=a\nrpcpassword=b\n")
    assert not demo.stands_in(load_config(environ={}))


def test_the_processes_of_the_demo_find_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = {"FLUX_DATA_DIR": str(tmp_path)}
    first = load_config(environ=demo.environment(load_config(environ={"FLUX_DATABASE_NAME": "flux_main", **folder})))
    assert (first.network.name, first.database_name) == ("demo", "flux_demo")
    assert first.daemon.url.startswith("http://127.0.0.1:")
    assert first.daemon.zmq.startswith("tcp://127.0.0.1:")
    parallel = configured_chains(first)
    assert parallel is not None
    port = first.demo.parallel_port
    assert {urlsplit(chain.endpoints[0]).netloc for chain in parallel.chains} == {f"127.0.0.1:{port}"}
    assert len(load_labels(first.network, first.explorer.labels_file).fusion) == 4
    named = {"FLUX_DATABASE_NAME": "mine", "FLUX_NETWORK_NAME": "demo", **folder}
    assert demo.environment(load_config(environ=named))["FLUX_DATABASE_NAME"] == "mine"


@pytest.fixture
def config(tmp_path: Path, database_name: str) -> Config:
    """The settings of a demo network with a folder and a database of its own."""
    named = {"FLUX_NETWORK_NAME": "demo", "FLUX_DATA_DIR": str(tmp_path), "FLUX_DATABASE_NAME": database_name}
    return load_config(environ=named)


@pytest.fixture
def store(mongod: str, config: Config, first_chain: Path) -> Iterator[MongoStore]:
    """That database with the first blocks of the first chain."""
    first = demo.first_block(first_chain / FILE_NAME)
    with closing(MongoStore(mongod, config.database_name)) as store:
        prepare(store, demo_network())
        store.insert("blocks", [{"_id": 0, "hash": bytes(32)}, {"_id": 1, "hash": first}, {"_id": 2, "hash": b"2"}])
        yield store


def test_a_database_of_the_chain_in_the_folder_is_kept(
    store: MongoStore, config: Config, mongod: str, first_chain: Path
) -> None:
    copy_of(first_chain, demo.chain_folder(config))
    assert demo.drop_if_useless(config, mongod) == ""
    assert len(list(store.scan("blocks"))) == 3


@pytest.mark.parametrize("chain", ["none", "another", "only block 0"])
def test_a_database_of_another_chain_is_dropped(chain: str, store: MongoStore, config: Config, mongod: str) -> None:
    if chain != "none":
        builder = begin(demo.chain_folder(config), seed=7)
        builder.build(3 if chain == "another" else 0, 1_790_000_000)
        builder.chain.file.close()
    assert "of another chain than the one in" in demo.drop_if_useless(config, mongod)
    assert (list(store.scan("blocks")), store.meta("schema")) == ([], None)
    assert demo.drop_if_useless(config, mongod) == ""


def test_a_database_of_another_version_is_dropped(store: MongoStore, config: Config, mongod: str) -> None:
    store.put_meta("schema", {"version": 0})
    assert "has schema 0, this version writes schema" in demo.drop_if_useless(config, mongod)
    assert list(store.scan("blocks")) == []
