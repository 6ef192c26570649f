"""Following gateways that fail, lie and disagree: never a wrong block, and always the truth in the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from time import monotonic

import pytest

from indexer.errors import ConfigError, Garbled, Refused, Unreachable, WarmingUp
from indexer.session import parse_checked
from indexer.source.base import NO_PARENT, Event, Extend, Fork, Idle
from indexer.source.envelope import Gateways, decode
from indexer.source.follow import follow
from indexer.source.gateway import GatewaySource
from indexer.source.retry import Retry
from tests import recorded
from tests.replay_chain import ReplayChain, reorgs
from tests.replay_gateway import MISBEHAVIOURS, ReplayGateway

GENESIS = bytes.fromhex(recorded.blocks()[0]["hash"])[::-1]
PATIENCE = 8.0


class Follower:
    """An index that keeps nothing but hashes, and checks every event against what it holds."""

    def __init__(self, urls: str, *, timeout: float = 10.0, persists: float = 60.0, start: list[bytes] | None = None):
        self.chain: list[bytes] = start or []
        self.stored = tuple(self.chain)
        self.forks = 0
        self.problems: list[str] = []
        self.stop = Flag()
        self.source = GatewaySource(
            Gateways(urls, timeout=timeout, first_pause=0.005),
            tip=len(self.chain) - 1,
            ours=self._stored,
            check=parse_checked,
            genesis=GENESIS,
            fresh_seconds=0.0,
            persists_seconds=persists,
        )
        self._flow = follow(
            self.source,
            len(self.chain) - 1,
            self._stored,
            self.stop,
            genesis=GENESIS,
            poll_seconds=0.005,
            retry=Retry(self.stop, first=0.005, cap=0.02),
        )

    def _stored(self, height: int) -> bytes | None:
        return self.stored[height] if height < len(self.stored) else None

    def next(self) -> Event:
        event = next(self._flow)
        if isinstance(event, Extend):
            for block in event.blocks:
                assert block.height == len(self.chain)
                assert block.prev_hash == (self.chain[-1] if self.chain else NO_PARENT)
                assert block.raw == recorded.raw_by_hash()[block.hash[::-1].hex()]
                self.chain.append(block.hash)
        elif isinstance(event, Fork):
            self.forks += 1
            del self.chain[event.height + 1 :]
            assert self.chain[-1] == event.hash
        elif event.problem:
            self.problems.append(event.problem)
        return event

    def until(self, condition: Callable[[], object]) -> None:
        limit = monotonic() + PATIENCE
        while not condition():
            assert monotonic() < limit, (len(self.chain), self.problems[-3:])
            self.next()

    def until_at(self, tip: str) -> None:
        self.until(lambda: self.chain and self.chain[-1][::-1].hex() == tip)

    def rounds(self, count: int) -> None:
        """Look on for so many pauses."""
        while count:
            count -= isinstance(self.next(), Idle)


@contextmanager
def following(*gateways: ReplayGateway, **how: object) -> Iterator[Follower]:
    follower = Follower(",".join(gateway.url for gateway in gateways), **how)  # type: ignore[arg-type]
    try:
        yield follower
    finally:
        follower.stop.set()
        follower.source.close()


def wire(hashes: list[str]) -> list[bytes]:
    return [bytes.fromhex(text)[::-1] for text in hashes]


def test_catches_up_and_follows() -> None:
    with ReplayGateway(ReplayChain(120)) as gateway, following(gateway) as follower:
        follower.until_at(gateway.nodes[0].active[120])
        assert gateway.calls["getblock"] == 121
        gateway.nodes[0].extend(2)
        follower.until_at(gateway.nodes[0].active[122])
        assert (follower.forks, follower.problems) == (0, [])
        status = follower.source.status()
        assert (status.height, status.chain, status.subversion) == (122, "regtest", "FluxOS gateway")
        assert (status.url, status.connections) == (gateway.url, 1)


@pytest.mark.parametrize("kind", MISBEHAVIOURS)
def test_a_gateway_that_misbehaves_for_a_while(kind: str) -> None:
    with ReplayGateway(ReplayChain(30)) as gateway, following(gateway, timeout=0.3) as follower:
        follower.until_at(gateway.nodes[0].active[30])
        gateway.misbehave(kind, {"busy_always": 1, "busy_until": 2}.get(kind, 6))
        gateway.nodes[0].extend(5)
        if kind == "busy_always":
            follower.until(lambda: any("wait" in problem for problem in follower.problems))
            return
        follower.until_at(gateway.nodes[0].active[35])
        assert follower.forks == 0
        assert follower.chain == wire(gateway.nodes[0].active)
        assert follower.problems or kind in ("busy",)


@pytest.mark.parametrize("kind", [k for k in MISBEHAVIOURS if k not in ("slow_drip", "busy_until")])
def test_one_of_two_gateways_always_misbehaves(kind: str) -> None:
    with ReplayGateway(ReplayChain(20)) as bad, ReplayGateway(ReplayChain(20)) as good:
        bad.misbehave(kind)
        with following(bad, good, timeout=0.3) as follower:
            follower.until_at(good.nodes[0].active[20])
            good.nodes[0].extend(2)
            follower.until_at(good.nodes[0].active[22])
            assert follower.chain == wire(good.nodes[0].active)


def test_another_networks_gateway_is_refused() -> None:
    with ReplayGateway(ReplayChain(50)) as gateway, following(gateway) as follower:
        gateway.nodes[0].another_network = True
        with pytest.raises(ConfigError, match="another network"):
            follower.until(lambda: follower.chain)


def test_another_networks_gateway_beside_a_right_one_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    with ReplayGateway(ReplayChain(50)) as wrong, ReplayGateway(ReplayChain(50)) as right:
        wrong.nodes[0].another_network = True
        with following(wrong, right) as follower:
            follower.until_at(right.nodes[0].active[50])
            assert follower.source.status().connections == 1
    assert f"{wrong.url} is on another network" in caplog.text


def test_a_lagging_node_is_no_reorganisation() -> None:
    with ReplayGateway(ReplayChain(200), ReplayChain(197), ReplayChain(200)) as gateway, following(gateway) as follower:
        follower.until_at(gateway.nodes[0].active[200])
        follower.rounds(30)
        assert follower.forks == 0
        for node in gateway.nodes:
            node.extend()
        follower.until_at(gateway.nodes[0].active[201])
        assert follower.forks == 0


@pytest.mark.parametrize("name", ["R1", "R2", "R3", "R4", "R5"])
def test_two_tips_until_one_of_them_is_longer(name: str) -> None:
    fork = reorgs()[name]
    lost, won = ReplayChain(), ReplayChain()
    lost.reorg(name, won=False)
    won.reorg(name)
    won.set_tip(won.active[lost.height])  # as high as the branch that will lose
    with ReplayGateway(lost) as gateway, following(gateway, start=wire(lost.active[: fork["fork_height"] - 5])) as it:
        it.until_at(lost.active[-1])
        gateway.nodes.append(won)
        it.rounds(30)
        assert (it.forks, it.chain[-1][::-1].hex()) == (0, lost.active[-1])
        won.reorg(name)
        it.until_at(won.active[-1])
        assert it.forks == 1
        it.rounds(30)
        assert (it.forks, it.chain[-1][::-1].hex()) == (1, won.active[-1])


def test_after_a_restart_too_a_branch_must_be_longer() -> None:
    lost, won = ReplayChain(), ReplayChain()
    lost.reorg("R4", won=False)
    won.reorg("R4")
    won.set_tip(won.active[lost.height])
    with ReplayGateway(won) as gateway, following(gateway, start=wire(lost.active)) as follower:
        follower.rounds(20)
        assert follower.forks == 0
        won.reorg("R4")
        follower.until_at(won.active[-1])
        assert follower.forks == 1


def test_a_branch_no_longer_than_ours_is_believed_when_all_insist() -> None:
    lost, won = ReplayChain(), ReplayChain()
    lost.reorg("R4", won=False)
    won.reorg("R4")
    won.set_tip(won.active[lost.height - 1])
    with ReplayGateway(won) as gateway, following(gateway, start=wire(lost.active), persists=0.5) as follower:
        started = monotonic()
        follower.until_at(won.active[-1])
        assert monotonic() - started >= 0.5
        assert follower.forks == 1
        assert follower.chain == wire(won.active)


def test_a_chain_that_leaves_ours_too_deep_is_never_taken() -> None:
    ours = wire(ReplayChain(300).active)
    ours[150:] = [bytes([n % 256]) * 32 for n in range(150, 301)]
    with ReplayGateway(ReplayChain(400)) as gateway, following(gateway, start=ours, persists=0.05) as follower:
        follower.until(lambda: any("not of our chain" in problem for problem in follower.problems))
        follower.rounds(5)
        assert follower.forks == 0


def test_says_how_long_it_will_take(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), ReplayGateway(ReplayChain()) as gateway, following(gateway) as follower:
        follower.until(lambda: len(follower.chain) > 100)
    assert "blocks are missing and come through the gateway at" in caplog.text
    assert caplog.text.count("a second: about") == 1


def test_a_gateway_that_asks_us_to_wait_is_left_alone() -> None:
    now = [0.0]
    with ReplayGateway(ReplayChain(5)) as gateway:
        gateways = Gateways(gateway.url, clock=lambda: now[0])
        gateway.misbehave("busy_always", 1)
        for time, asked in ((0.0, 1), (1.0, 1), (29.9, 1), (30.1, 2)):
            now[0] = time
            if asked == 2:
                assert gateways.ask("getblockcount", read=int) == 5
            else:
                with pytest.raises(WarmingUp, match="wait"):
                    gateways.ask("getblockcount", read=int)
            assert gateway.calls["getblockcount"] == asked
        gateways.close()


def test_answers_come_in_order_up_to_the_first_that_failed() -> None:
    with ReplayGateway(ReplayChain(30)) as gateway:
        gateways = Gateways(gateway.url)
        hashes = gateways.ask_many("getblockhash", [(height,) for height in range(31)], lambda _, text: text)
        assert hashes == gateway.nodes[0].active
        assert 28 <= len(gateways.ask_many("getblockhash", [(height,) for height in range(28, 60)], lambda *a: a)) + 28
        assert gateways.ask_many("getblockhash", [], lambda *a: a) == []
        with pytest.raises(Refused, match="out of range"):
            gateways.ask_many("getblockhash", [(40,), (1,)], lambda *a: a)
        gateways.close()


def test_nobody_there() -> None:
    gateways = Gateways("http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="no connection to the gateway http://127.0.0.1:9"):
        gateways.ask("getblockcount", read=int)
    gateways.close()
    with pytest.raises(ConfigError, match="daemon.gateway"):
        Gateways(" , ")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"status":"success","data":0}', None),
        (b'{"status":"error","data":{"code":-8,"name":"RpcError","message":"Block height out of range"}}', Refused),
        (b'{"status":"error","data":"Unauthorized. Access denied."}', Refused),
        (b'{"status":"error","data":{"code":-28,"message":"Loading"}}', WarmingUp),
        (b'{"status":"error"}', Garbled),
        (b'{"status":"fine","data":1}', Garbled),
        (b"[]", Garbled),
        (b"", Garbled),
        (b"[" * 100_000, Garbled),
    ],
)
def test_envelopes(body: bytes, error: type[Exception] | None) -> None:
    if error is None:
        assert decode(body, "getblockcount", "http://g") == 0
    else:
        with pytest.raises(error):
            decode(body, "getblockcount", "http://g")
