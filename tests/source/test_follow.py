"""Following the recorded daemon: the events, folded, always end at its active chain."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from threading import Event as Flag
from threading import Timer
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import ChainError, ConfigError, WrongCredentials
from indexer.source.base import NO_PARENT, DaemonStatus, Event, Extend, Fork, Idle, RawBlock
from indexer.source.follow import SINGLE_BLOCKS, follow, fork_search
from indexer.source.retry import Retry
from indexer.source.rpc import DaemonRpc, parse_endpoints
from tests import recorded
from tests.replay_chain import ReplayChain, reorgs
from tests.replay_daemon import ReplayDaemon

GENESIS = bytes.fromhex(recorded.blocks()[0]["hash"])[::-1]
PATIENCE = 20.0


def wire(hashes: Sequence[str]) -> list[bytes]:
    return [bytes.fromhex(text)[::-1] for text in hashes]


class Follower:
    """An index that keeps nothing but hashes, and checks every event against what it holds."""

    def __init__(self, source: DaemonRpc, start: Sequence[str] = (), wait: Callable[[float], object] | None = None):
        self.chain = wire(start)
        self.events: list[Event] = []
        self.stop = Flag()
        self._stored = tuple(self.chain)
        self._flow = follow(
            source,
            len(self.chain) - 1,
            self._hash_at,
            self.stop,
            genesis=GENESIS,
            poll_seconds=0.005,
            wait=wait,
            retry=Retry(self.stop, first=0.005, cap=0.02),
        )

    def _hash_at(self, height: int) -> bytes | None:
        return self._stored[height] if height < len(self._stored) else None

    def next(self) -> Event:
        event = next(self._flow)
        if isinstance(event, Extend):
            assert event.blocks
            for block in event.blocks:
                assert block.height == len(self.chain)
                assert block.prev_hash == (self.chain[-1] if self.chain else NO_PARENT)
                self.chain.append(block.hash)
        elif isinstance(event, Fork):
            assert event.height < len(self.chain) - 1
            del self.chain[event.height + 1 :]
            assert self.chain[-1] == event.hash
        self.events.append(event)
        return event

    def until(self, condition: Callable[[Event], bool]) -> Event:
        limit = monotonic() + PATIENCE
        while monotonic() < limit:
            event = self.next()
            if condition(event):
                return event
        raise AssertionError(f"not within {PATIENCE} seconds; last event {self.events[-1]}")

    def catch_up(self) -> list[Event]:
        """The events up to the daemon's tip, the Idle ones left out."""
        self.events.clear()
        self.until(lambda event: isinstance(event, Idle) and event.at_tip)
        return [event for event in self.events if not isinstance(event, Idle)]

    def problem(self) -> str:
        """The next reason to wait."""
        event = self.until(lambda event: isinstance(event, Idle) and bool(event.problem))
        assert isinstance(event, Idle)
        return event.problem

    def close(self) -> None:
        self.stop.set()
        assert not [event for event in self._flow if not isinstance(event, Idle)]


@pytest.fixture
def follower(rpc: DaemonRpc) -> Iterator[Follower]:
    running = Follower(rpc)
    yield running
    running.close()


def forks(events: Sequence[Event]) -> list[int]:
    return [event.height for event in events if isinstance(event, Fork)]


def test_catch_up_from_nothing_in_batches_then_block_by_block(daemon: ReplayDaemon, follower: Follower) -> None:
    daemon.chain.set_tip(recorded.TIP)
    events = follower.catch_up()
    assert follower.chain == wire(daemon.chain.active)
    extends = [event for event in events if isinstance(event, Extend)]
    assert len(extends) == len(events)
    assert all(event.status.height == recorded.TIP for event in extends)
    for event in extends:
        assert len(event.blocks) == 1 or event.blocks[-1].height <= recorded.TIP - SINGLE_BLOCKS
    assert max(len(event.blocks) for event in extends) == 100


def test_the_whole_recording_live_with_its_five_reorgs(daemon: ReplayDaemon, follower: Follower) -> None:
    """Every step near the reorganisations, every 40th elsewhere."""
    turning = [height for reorg in reorgs().values() for height in (reorg["fork_height"], reorg["height"])]
    seen = []
    while daemon.chain.step():
        height = daemon.chain.height
        if height % 40 and height != recorded.TIP and not any(low - 2 <= height <= low + 9 for low in turning):
            continue
        seen += forks(follower.catch_up())
        assert follower.chain == wire(daemon.chain.active)
    assert seen == [reorg["fork_height"] for reorg in reorgs().values()] == [180, 452, 1001, 1318, 1797]


@pytest.mark.parametrize("name", ["R1", "R2", "R3", "R4", "R5"])
def test_a_reorg_and_back_again(daemon: ReplayDaemon, rpc: DaemonRpc, name: str) -> None:
    """Back to the branch that lost is to a lower tip: the daemon's word counts, not the height."""
    daemon.chain.reorg(name, won=False)
    running = Follower(rpc, daemon.chain.active)
    for won in (True, False, True):
        daemon.chain.reorg(name, won=won)
        events = running.catch_up()
        assert forks(events) == [reorgs()[name]["fork_height"]]
        assert running.chain == wire(daemon.chain.active)
    running.close()


@pytest.mark.parametrize("method", ["getblockchaininfo", "getblockhash", "getblock"])
@pytest.mark.parametrize("start", ["the lost branch", "below the fork", "nothing"])
def test_a_reorg_between_two_questions(daemon: ReplayDaemon, rpc: DaemonRpc, method: str, start: str) -> None:
    daemon.chain.reorg("R2", won=False)
    held = {"the lost branch": daemon.chain.active[:-2], "below the fork": daemon.chain.active[:440], "nothing": []}
    running = Follower(rpc, held[start])
    daemon.before(method, lambda: daemon.chain.reorg("R2"))
    running.catch_up()
    assert running.chain == wire(daemon.chain.active)
    running.close()


def test_a_daemon_that_switches_at_every_question(daemon: ReplayDaemon, follower: Follower) -> None:
    daemon.chain.reorg("R3", won=False)
    for count in range(30):
        for method in ("getblockhash", "getblock"):
            daemon.before(method, lambda won=bool(count % 2): daemon.chain.reorg("R3", won=won))  # type: ignore[misc]
        for _ in range(3):
            follower.next()
    daemon.chain.reorg("R3")
    follower.catch_up()
    assert follower.chain == wire(daemon.chain.active)


def test_a_tip_that_goes_down_is_waited_for(daemon: ReplayDaemon, follower: Follower) -> None:
    follower.catch_up()
    daemon.chain.set_tip(150)
    assert "height 150, below our tip 200" in follower.problem()
    daemon.chain.set_tip(190)
    for _ in range(5):
        assert isinstance(follower.next(), Idle)
    daemon.chain.set_tip(201)
    assert not forks(follower.catch_up())
    assert len(follower.chain) == 202


def test_a_syncing_daemon_on_a_stale_branch_below_us_is_waited_for(daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    running = Follower(rpc, ReplayChain(500).active)
    daemon.chain.reorg("R2", won=False)
    daemon.chain.headers = 500
    assert "below our tip 500" in running.problem()
    daemon.chain.headers = None
    assert forks([running.until(lambda event: isinstance(event, Fork))]) == [452]
    running.close()


def test_another_network_is_named_and_refused(daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    for start in ([], daemon.chain.active, ReplayChain(500).active):
        daemon.chain.another_network = True
        running = Follower(rpc, start)
        with pytest.raises(ConfigError) as caught:
            running.catch_up()
        words = str(caught.value)
        assert GENESIS[::-1].hex() in words
        assert GENESIS[::-1].hex()[::-1] in words
        assert "test" in words
        assert daemon.url in words


@pytest.mark.parametrize(
    "kind",
    ["queue_full", "shutting_down", "html", "broken_json", "drop", "truncated", "warming_up", "wrong_block"]
    + ["garbage_hex", "garbage_hash", "forgets_blocks", "shuffled"],
)
def test_misbehaviour_is_waited_out(daemon: ReplayDaemon, follower: Follower, kind: str) -> None:
    daemon.misbehave(kind)
    assert follower.problem()
    assert follower.chain in ([], [GENESIS])  # the wrong block that is served for all is right for height 0
    daemon.behave()
    follower.catch_up()
    assert follower.chain == wire(daemon.chain.active)
    assert isinstance(follower.events[-1], Idle)
    assert not follower.events[-1].problem


def test_a_daemon_that_restarts(daemon: ReplayDaemon, follower: Follower, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "indexer")
    follower.catch_up()
    daemon.down()
    assert daemon.url in follower.problem()
    for _ in range(10):
        assert isinstance(follower.next(), Idle)
    daemon.chain.extend(3)
    daemon.up()
    assert len(follower.catch_up()) == 3
    assert len(caplog.messages) == 2
    assert caplog.messages[1] == f"connection restored ({daemon.url})"
    assert daemon.password not in caplog.text


def test_wrong_credentials_end_the_flow(daemon: ReplayDaemon, follower: Follower) -> None:
    daemon.password = "changed"
    with pytest.raises(WrongCredentials):
        follower.catch_up()


def test_a_slow_daemon_leaves_us_in_control(daemon: ReplayDaemon, follower: Follower) -> None:
    daemon.misbehave("hang", times=1)
    event = follower.next()
    assert isinstance(event, Idle)
    assert (event.status, event.at_tip) == (None, False)
    Timer(0.1, follower.stop.set).start()
    started = monotonic()
    follower.close()
    assert monotonic() - started < 1
    daemon.behave()


def test_the_wait_hook_replaces_the_poll(daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    waits = []

    def wake(seconds: float) -> None:
        waits.append(seconds)
        daemon.chain.extend()

    running = Follower(rpc, daemon.chain.active, wake)
    while daemon.chain.height < 203:
        running.next()
    assert set(waits) == {0.005}
    running.close()


def test_a_hole_in_the_index_is_told(daemon: ReplayDaemon, rpc: DaemonRpc) -> None:
    flow = follow(rpc, 100, lambda height: None, Flag(), genesis=GENESIS)
    with pytest.raises(ChainError, match="height 100"):
        next(flow)


def test_fail_over_to_a_daemon_on_another_branch() -> None:
    with ReplayDaemon(reorgs()["R4"]["stale"][-1]) as first, ReplayDaemon(1400) as second:
        client = DaemonRpc(parse_endpoints(f"{first.url},{second.url}", first.user, first.password))
        running = Follower(client, ReplayChain(1300).active)
        running.catch_up()
        assert running.chain == wire(first.chain.active)
        first.down()
        assert forks(running.catch_up()) == [1318]
        assert running.chain == wire(second.chain.active)
        running.close()
        client.close()


def test_a_daemon_that_turns_into_another_while_the_fork_is_searched() -> None:
    """Not even block 0 is common then, though it was a moment ago: asked again, and then refused."""
    theirs = branch((5, 1))
    source = Simulated([theirs, [bytes([9]) * 32, *theirs[1:]]], every=2)  # status and hashes, then the search
    held = branch((5, 2))
    problems = []
    with pytest.raises(ConfigError, match="another network"):
        for event in follow(
            source, 5, held.__getitem__, Flag(), genesis=GENESIS, poll_seconds=0, retry=Retry(Flag(), first=0)
        ):
            assert isinstance(event, Idle)
            problems.append(event.problem)
    assert ["changed while its fork was searched" in problem for problem in problems] == [True]


def search(ours: Sequence[int], theirs: Sequence[int]) -> tuple[int, int]:
    """The fork found and the heights asked for."""
    finding = fork_search(len(ours) - 1)
    asked = 0
    try:
        height = next(finding)
        while True:
            asked += 1
            height = finding.send(height < len(theirs) and theirs[height] == ours[height])
    except StopIteration as done:
        return done.value, asked


@given(st.integers(-1, 3000), st.integers(1, 3000), st.integers(0, 3000))
def test_every_fork_is_found_in_few_questions(fork: int, lost: int, won: int) -> None:
    common = list(range(fork + 1))
    ours, theirs = common + [-1] * lost, common + [-2] * won
    found, asked = search(ours, theirs)
    assert found == fork
    assert asked <= 2 * lost.bit_length() + 2


class Simulated:
    """A source that moves to the next of its branches after every so many questions."""

    def __init__(self, branches: list[list[bytes]], every: int) -> None:
        self.branches, self.every, self.asked = branches, every, 0

    @property
    def active(self) -> list[bytes]:
        return self.branches[min(self.asked // self.every, len(self.branches) - 1)]

    def _ask(self) -> list[bytes]:
        chain = self.active
        self.asked += 1
        return chain

    def status(self) -> DaemonStatus:
        chain = self._ask()
        return DaemonStatus(len(chain) - 1, len(chain) - 1, chain[-1], "main", 1, "", 0, "http://simulated/")

    def hashes(self, heights: Sequence[int]) -> list[bytes | None]:
        chain = self._ask()
        return [chain[height] if height < len(chain) else None for height in heights]

    def blocks(self, first: int, last: int) -> list[RawBlock]:
        chain = self._ask()
        linked = zip([NO_PARENT, *chain], chain, strict=False)
        raws = [RawBlock(height, own, bytes(4) + parent) for height, (parent, own) in enumerate(linked)]
        return raws[first : last + 1]


def branch(*parts: tuple[int, int]) -> list[bytes]:
    """A chain of ``(length, tag)`` parts on one genesis."""
    tags = [tag for length, tag in parts for _ in range(length)]
    return [GENESIS] + [bytes([tag]) + height.to_bytes(31, "big") for height, tag in enumerate(tags)]


@settings(deadline=None)  # threads on a busy machine
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=1, max_size=6),
    st.integers(1, 7),
    st.integers(0, 60),
)
def test_whatever_the_source_does_we_end_on_its_chain(shapes: list[tuple[int, int]], every: int, start: int) -> None:
    """Branch n shares a stem with all others; the index starts somewhere on the first."""
    branches = [branch((stem, 0), (tail, tag)) for tag, (stem, tail) in enumerate(shapes, 1)]
    source = Simulated(branches, every)
    chain = branches[0][: start + 1]
    held = tuple(chain)
    stop = Flag()
    retry = Retry(stop, first=0)
    settled = False
    flow = follow(source, len(held) - 1, held.__getitem__, stop, genesis=GENESIS, poll_seconds=0, retry=retry)
    for event in flow:
        if isinstance(event, Extend):
            for block in event.blocks:
                assert block.prev_hash == chain[-1]
                chain.append(block.hash)
        elif isinstance(event, Fork):
            del chain[event.height + 1 :]
            assert chain[-1] == event.hash
        waits = isinstance(event, Idle) and (event.at_tip or "below our tip" in event.problem)
        if waits and settled:
            stop.set()
        settled = waits and source.active is branches[-1]  # what comes next was asked after the last switch
    if len(chain) <= len(branches[-1]):
        assert chain == branches[-1]
    else:
        assert chain[: len(branches[-1])] == branches[-1]
