"""The whole indexer with notifications: a new block is committed long before the next poll."""

from __future__ import annotations

import time
from dataclasses import replace

from indexer.errors import ConfigError
from tests.indexed import chain
from tests.replay_daemon import ReplayDaemon
from tests.source.test_zmq import Publisher
from tests.test_sync import config_for, running

SLOW_POLL = 20.0


def test_a_notification_is_faster_than_the_poll(mongod: str, database_name: str) -> None:
    publisher = Publisher()
    with ReplayDaemon(150) as daemon:
        config = config_for(daemon, database_name, zmq=publisher.address)
        config = replace(config, indexer=replace(config.indexer, poll_seconds=SLOW_POLL))
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[150])
            publisher.await_subscriptions(3)
            started = time.monotonic()
            for height in range(151, 161):
                daemon.chain.extend()
                publisher.send("hashblock", bytes.fromhex(chain()[height]), height)
                indexer.until_at(chain()[height])
            daemon.chain.reorg("R1", won=False)
            publisher.send("chainreorg", bytes(108), 0)
            indexer.until_at(daemon.chain.active[-1])
            assert time.monotonic() - started < SLOW_POLL / 2
    publisher.close()


def test_polling_goes_on_without_notifications(mongod: str, database_name: str) -> None:
    with ReplayDaemon(10) as daemon:
        with running(config_for(daemon, database_name, zmq="tcp://127.0.0.1:9"), mongod) as indexer:
            indexer.until_at(chain()[10])
            daemon.chain.extend()
            indexer.until_at(chain()[11])


def test_a_wrong_address_ends_it(mongod: str, database_name: str) -> None:
    with ReplayDaemon(10) as daemon, running(config_for(daemon, database_name, zmq="16126"), mongod) as indexer:
        assert isinstance(indexer.until_failed(), ConfigError)
