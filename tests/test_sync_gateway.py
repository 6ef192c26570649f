"""The whole indexer through a gateway: the same index, whatever the gateway does."""

from __future__ import annotations

from indexer.errors import ConfigError
from tests.indexed import chain
from tests.replay_chain import ReplayChain
from tests.replay_daemon import ReplayDaemon
from tests.replay_gateway import ReplayGateway
from tests.test_sync import assert_equals_straight, config_for, running

HEIGHT = 480


def test_an_index_through_a_gateway_is_the_one_by_rpc(mongod: str, database_name: str) -> None:
    with ReplayDaemon(0) as daemon, ReplayGateway(ReplayChain(HEIGHT)) as gateway:
        config = config_for(daemon, database_name, url="", gateway=gateway.url)
        gateway.misbehave("damaged_block", 4)
        with running(config, mongod) as indexer:
            indexer.until(lambda: indexer.reports and "damaged" in indexer.reports[-1].note)
            indexer.until_at(chain()[HEIGHT])
            assert_equals_straight(indexer.store, HEIGHT)
            source = indexer.store.meta("source")
            assert source is not None and source["daemon"]["subversion"] == "FluxOS gateway"
        assert daemon.requests == 0


def test_another_networks_gateway_is_told(mongod: str, database_name: str) -> None:
    with ReplayDaemon(0) as daemon, ReplayGateway(ReplayChain(20)) as gateway:
        gateway.nodes[0].another_network = True
        with running(config_for(daemon, database_name, url="", gateway=gateway.url), mongod) as indexer:
            error = indexer.until_failed()
    assert isinstance(error, ConfigError)
    assert "daemon.gateway" in str(error)


def test_a_daemon_is_preferred(mongod: str, database_name: str) -> None:
    with ReplayDaemon(20) as daemon, ReplayGateway(ReplayChain(20)) as gateway:
        config = config_for(daemon, database_name, gateway=gateway.url)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[20])
        assert not gateway.calls
