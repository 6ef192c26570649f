"""The whole indexer through a gateway: the same index, whatever the gateway does."""

from __future__ import annotations

from functools import partial

import pytest

from indexer.errors import ConfigError
from indexer.source import choose, envelope, follow
from indexer.source.envelope import Gateways
from indexer.source.gateway import GatewaySource
from indexer.source.retry import Retry
from tests.indexed import chain
from tests.replay_chain import ReplayChain
from tests.replay_daemon import ReplayDaemon
from tests.replay_gateway import MISBEHAVIOURS, ReplayGateway
from tests.test_sync import Running, assert_equals_straight, config_for, running

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


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses that are meant for other people's nodes, made short."""
    monkeypatch.setattr(envelope, "ASKED_TO_WAIT", 0.2)
    monkeypatch.setattr(follow, "Retry", partial(Retry, first=0.005, cap=0.02))
    monkeypatch.setattr(choose, "Gateways", partial(Gateways, first_pause=0.005))
    monkeypatch.setattr(choose, "GatewaySource", partial(GatewaySource, fresh_seconds=0.0, persists_seconds=2.0))


def reorgs_of(indexer: Running) -> int:
    """How many reorganisations the index has been through: a wrong block that was stored would count as one."""
    tip = indexer.store.meta("tip")
    assert tip is not None
    return int(tip["reorgs"])


@pytest.mark.usefixtures("hasty")
def test_whatever_a_gateway_answers_no_wrong_block_is_ever_stored(mongod: str, database_name: str) -> None:
    height = 200
    with ReplayDaemon(0) as daemon, ReplayGateway(ReplayChain(height)) as gateway:
        config = config_for(daemon, database_name, url="", gateway=gateway.url, timeout_seconds=0.3)
        with running(config, mongod) as indexer:
            indexer.until_at(chain()[height])
            for kind in MISBEHAVIOURS:
                gateway.misbehave(kind, 6)
                gateway.nodes[0].extend(3)
                height += 3
                indexer.until_at(chain()[height])
                gateway.behave()
            assert reorgs_of(indexer) == 0
            assert_equals_straight(indexer.store, height)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("kind", ["other_block", "truncated_hex", "html", "busy_always", "slow_drip"])
def test_a_gateway_that_always_lies_beside_an_honest_one_changes_nothing(
    kind: str, mongod: str, database_name: str
) -> None:
    with ReplayDaemon(0) as daemon, ReplayGateway(ReplayChain(60)) as liar, ReplayGateway(ReplayChain(60)) as honest:
        liar.misbehave(kind)
        both = f"{liar.url},{honest.url}"
        with running(config_for(daemon, database_name, url="", gateway=both, timeout_seconds=0.3), mongod) as indexer:
            indexer.until_at(chain()[60])
            for gateway in (liar, honest):
                gateway.nodes[0].extend(5)
            indexer.until_at(chain()[65])
            assert reorgs_of(indexer) == 0
            assert_equals_straight(indexer.store, 65)


@pytest.mark.usefixtures("hasty")
def test_a_gateway_that_goes_over_to_another_chain_is_not_followed(mongod: str, database_name: str) -> None:
    with ReplayDaemon(0) as daemon, ReplayGateway(ReplayChain(60)) as gateway:
        with running(config_for(daemon, database_name, url="", gateway=gateway.url), mongod) as indexer:
            indexer.until_at(chain()[60])
            gateway.nodes[0].another_network = True
            gateway.nodes[0].extend(5)
            indexer.until(lambda: indexer.reports[-1].note)
            assert indexer.store.meta("tip")["height"] == 60  # type: ignore[index]
            gateway.nodes[0].another_network = False
            indexer.until_at(chain()[65])
            assert reorgs_of(indexer) == 0
            assert_equals_straight(indexer.store, 65)


@pytest.mark.usefixtures("hasty")
def test_of_two_tips_the_first_stays_until_the_other_is_longer(mongod: str, database_name: str) -> None:
    lost, won = ReplayChain(), ReplayChain()
    lost.reorg("R4", won=False)
    won.reorg("R4")
    longer = won.active[-1]
    won.set_tip(won.active[lost.height])
    with ReplayDaemon(0) as daemon, ReplayGateway(lost) as gateway:
        with running(config_for(daemon, database_name, url="", gateway=gateway.url), mongod) as indexer:
            indexer.until_at(lost.active[-1])
            gateway.nodes.append(won)
            asked = gateway.calls["getblockchaininfo"]
            indexer.until(lambda: gateway.calls["getblockchaininfo"] > asked + 30)
            assert (reorgs_of(indexer), indexer.store.meta("tip")["height"]) == (0, lost.height)  # type: ignore[index]
            won.reorg("R4")
            indexer.until_at(longer)
            assert reorgs_of(indexer) == 1
            assert_equals_straight(indexer.store, won.height)
