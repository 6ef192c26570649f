"""The whole indexer: recorded daemon over HTTP, parser, state, a real MongoDB."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest

from explorer.app import create_app
from indexer.chain.keys import hash_text
from indexer.config import Config, load_config
from indexer.errors import ChainError, ConfigError, FluxError, Locked, ParseError, WrongCredentials, WrongDatabase
from indexer.progress import Report
from indexer.store import embedded
from indexer.store.mongo import MongoStore
from indexer.store.schema import CHAIN_DERIVED
from indexer.sync import run_indexer
from tests import recorded
from tests.explorer.client import Client, settings
from tests.indexed import chain, straight
from tests.replay_daemon import ReplayDaemon

PATIENCE = 60.0


def config_for(daemon: ReplayDaemon, name: str, **daemon_settings: Any) -> Config:
    """Settings for the recorded chain; the daemon is asked every 20 ms."""
    environ = {
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DAEMON_URL": daemon.url,
        "FLUX_DAEMON_USER": daemon.user,
        "FLUX_DAEMON_PASSWORD": daemon.password,
        "FLUX_DATABASE_NAME": name,
        "FLUX_INDEXER_POLL_SECONDS": "0.02",
    }
    config = load_config(Path("/dev/null"), environ)
    return replace(config, daemon=replace(config.daemon, **daemon_settings))


class Running:
    """An indexer at work in a thread."""

    def __init__(self, config: Config, uri: str) -> None:
        self.stop = Flag()
        self.reports: list[Report] = []
        self.error: FluxError | None = None
        self.store = MongoStore(uri, config.database_name)
        self._thread = Thread(target=self._run, args=(config, uri))
        self._thread.start()

    def _run(self, config: Config, uri: str) -> None:
        try:
            run_indexer(config, uri, self.stop, self.reports.append)
        except FluxError as error:
            self.error = error

    def until(self, done: Callable[[], object]) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert self.error is None, self.error
            assert time.monotonic() < deadline, f"not within {PATIENCE:.0f} seconds"
            time.sleep(0.01)

    def until_at(self, hash_: str) -> None:
        """Wait until the tip is this block."""
        self.until(lambda: (tip := self.store.meta("tip")) and hash_text(tip["hash"]) == hash_ and not tip["dirty"])

    def until_failed(self) -> FluxError:
        """Wait until the indexer gives up."""
        self._thread.join(PATIENCE)
        assert self.error is not None
        return self.error

    def end(self) -> None:
        """Stop, and wait for it."""
        self.stop.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.store.close()


@contextmanager
def running(config: Config, uri: str) -> Iterator[Running]:
    """An indexer for the while."""
    indexer = Running(config, uri)
    try:
        yield indexer
    finally:
        indexer.end()


def assert_equals_straight(store: MongoStore, height: int) -> None:
    """Document by document."""
    for collection in CHAIN_DERIVED:
        rows = {row["_id"]: row for row in store.scan(collection.name)}
        assert rows == straight(height)[collection.name], collection.name


def test_the_recorded_history_live_with_all_its_reorganisations(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(170)
        with running(config_for(daemon, database_name), mongod) as indexer:
            for name in ("R1", "R2", "R3", "R4", "R5"):
                daemon.chain.reorg(name, won=False)
                indexer.until_at(daemon.chain.answer("getbestblockhash", []))
                daemon.chain.reorg(name)
                indexer.until_at(daemon.chain.answer("getbestblockhash", []))
            daemon.chain.set_tip(recorded.TIP)
            indexer.until_at(chain()[-1])
            assert indexer.store.meta("tip")["reorgs"] == 5  # type: ignore[index]
            assert_equals_straight(indexer.store, recorded.TIP)
            indexer.until(lambda: len((indexer.store.meta("indexes") or {})["ready"]) == 5)


def test_resumes_where_it_stopped_without_another_look(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(300)
        config = config_for(daemon, database_name)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[300])
            epoch = indexer.store.meta("tip")["epoch"]  # type: ignore[index]
        daemon.chain.set_tip(420)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[420])
            assert indexer.store.meta("tip")["epoch"] == epoch + 1  # type: ignore[index]
            assert_equals_straight(indexer.store, 420)


@pytest.mark.parametrize(
    "kind", ["warming_up", "queue_full", "html", "broken_json", "drop", "garbage_hex", "truncated"]
)
def test_waits_out_a_daemon_in_trouble_and_loses_nothing(kind: str, mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(60)
        with running(config_for(daemon, database_name), mongod) as indexer:
            indexer.until_at(chain()[60])
            daemon.misbehave(kind)
            daemon.chain.set_tip(80)
            indexer.until(lambda: indexer.reports[-1].note)
            assert indexer.store.meta("source")["daemon"]["problem"]  # type: ignore[index]
            daemon.behave()
            indexer.until_at(chain()[80])
            assert_equals_straight(indexer.store, 80)


def test_a_daemon_below_our_tip_is_not_a_reorganisation(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(60)
        with running(config_for(daemon, database_name), mongod) as indexer:
            indexer.until_at(chain()[60])
            daemon.chain.set_tip(40)
            indexer.until(lambda: "below our tip 60" in indexer.reports[-1].note)
            assert indexer.store.meta("tip")["height"] == 60  # type: ignore[index]
            daemon.chain.set_tip(61)
            indexer.until_at(chain()[61])


def test_a_daemon_that_falls_below_our_tip_between_two_questions_is_no_reorganisation(
    mongod: str, database_name: str
) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(60)
        with running(config_for(daemon, database_name), mongod) as indexer:
            indexer.until_at(chain()[60])
            daemon.before("getblockhash", lambda: daemon.chain.set_tip(40))
            indexer.until(lambda: "below our tip 60" in indexer.reports[-1].note)
            tip = indexer.store.meta("tip")
            assert tip is not None
            assert (tip["height"], tip["reorgs"]) == (60, 0)


def test_a_wrong_password_is_told_and_ends_it(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        config = config_for(daemon, database_name, password="not it")
        with running(config, mongod) as indexer:
            error = indexer.until_failed()
    assert isinstance(error, WrongCredentials)
    assert "not it" not in str(error)


def test_another_networks_daemon_is_refused(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        config = replace(config_for(daemon, database_name), network=load_config(Path("/dev/null"), {}).network)
        with running(config, mongod) as indexer:
            error = indexer.until_failed()
            assert isinstance(error, (ConfigError, ChainError))
            assert indexer.store.meta("tip")["height"] == -1  # type: ignore[index]


def test_a_database_of_another_network_is_refused_with_the_difference(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(3)
        config = config_for(daemon, database_name)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[3])
        other = replace(config, network=load_config(Path("/dev/null"), {}).network)
        with running(other, mongod) as indexer:
            error = indexer.until_failed()
    assert isinstance(error, WrongDatabase)
    assert "was made for network regtest: its " in str(error)
    assert "use another database.name" in str(error)


def test_a_block_that_is_not_what_it_claims_stops_it_and_leaves_nothing(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(20)
        with running(config_for(daemon, database_name), mongod) as indexer:
            indexer.until_at(chain()[20])
            daemon.misbehave("wrong_block")
            daemon.chain.set_tip(25)
            indexer.until(lambda: indexer.error or indexer.reports[-1].note)
            daemon.behave()
            if indexer.error is None:
                indexer.until_at(chain()[25])
        with running(config_for(daemon, database_name), mongod) as indexer:
            indexer.until_at(chain()[25])
            assert_equals_straight(indexer.store, 25)


def test_a_second_indexer_is_refused(mongod: str, database_name: str) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(5)
        config = config_for(daemon, database_name)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[5])
            owner = indexer.store.meta("writer")["owner"]  # type: ignore[index]
            indexer.store.put_meta("writer", {"owner": owner.replace("/", "-other/", 1)})
            # The first one finds that its lease was taken over; the second one that the other still lives.
            assert isinstance(_error_of_second(config, mongod, indexer), Locked)


def _error_of_second(config: Config, uri: str, first: Running) -> FluxError | None:
    """What a second indexer is told while somebody else keeps the lease warm."""
    beating = Flag()

    def keep_warm() -> None:
        while not beating.wait(0.2):
            seen = first.store.meta("writer")
            assert seen is not None
            first.store.put_meta("writer", {"beat": seen["beat"] + 1})

    thread = Thread(target=keep_warm)
    thread.start()
    try:
        with running(config, uri) as second:
            return second.until_failed()
    finally:
        beating.set()
        thread.join()


def test_parse_errors_name_height_and_hash() -> None:
    from indexer.session import parse_checked
    from indexer.source.base import RawBlock

    raw = recorded.raw_by_hash()[chain()[7]]
    with pytest.raises(ParseError, match=rf"block 7 \({chain()[7]}\): .*offset"):
        parse_checked(RawBlock(7, bytes.fromhex(chain()[7])[::-1], raw[:-1]))
    with pytest.raises(ChainError, match="its bytes hash to"):
        parse_checked(RawBlock(7, bytes(32), raw))


def test_waits_for_a_database_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    with ReplayDaemon() as daemon:
        daemon.chain.set_tip(40)
        server = embedded.start(tmp_path, cache_mib=256)
        try:
            with running(config_for(daemon, "away"), server.uri) as indexer:
                indexer.until_at(chain()[40])
                server.stop()
                daemon.chain.set_tip(60)
                time.sleep(1)
                server = embedded.start(tmp_path, cache_mib=256)
                indexer.until_at(chain()[60])
                assert_equals_straight(indexer.store, 60)
        finally:
            server.stop()


def test_before_the_daemon_was_heard_nobody_says_that_the_index_follows(mongod: str, database_name: str) -> None:
    with ReplayDaemon(20) as daemon:
        config = config_for(daemon, database_name)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[20])
            indexer.until(lambda: state_of(indexer) == "following")
        daemon.misbehave("warming_up")
        with running(config, mongod) as indexer, Client(create_app(settings((mongod, database_name)))) as client:
            indexer.until(lambda: state_of(indexer) == "waiting")
            indexer.until(lambda: indexer_status(client)["behind"] is None)
            assert indexer_status(client)["state"] == "catching_up"
            daemon.behave()
            indexer.until(lambda: state_of(indexer) == "following" and indexer_status(client)["state"] == "following")


def state_of(indexer: Running) -> str:
    """What the indexer last said of itself."""
    state: str = (indexer.store.meta("source") or {"rates": {"state": ""}})["rates"]["state"]
    return state


def indexer_status(client: Client) -> Any:
    """What the explorer says of the index."""
    return client.json("/api/v1/status")["index"]
