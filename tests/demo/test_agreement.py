"""The simulated daemon's lists, counts and snapshot against an index that follows it through reorgs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Event

import pytest

from indexer.chain.address import encode_address
from indexer.chain.deadlines import dos_list, start_list
from indexer.chain.keys import hash_text, parse_hash, parse_outpoint
from indexer.chain.nodes import Status
from indexer.chain.tiers import TIERS
from indexer.demo.daemon import DemoDaemon, Settings
from indexer.demo.network import demo_network
from indexer.selfcheck.checks import Checks
from indexer.selfcheck.theirs import Daemon
from indexer.source.base import Idle
from indexer.source.follow import follow
from indexer.source.rpc import Call, DaemonRpc
from tests.demo.chains import NOW, DemoIndex, client_of, lists_of

NETWORK = demo_network()


def agree(rpc: DaemonRpc, index: DemoIndex) -> None:
    """All that the daemon says of nodes, against the node queue of an index at the same block."""
    calls = ["getfluxnodesnapshot", "getstartlist", "getdoslist", "getfluxnodecount", "fluxnodecurrentwinner"]
    snapshot, started, dos, count, winners = rpc.batch([Call(name) for name in calls])
    state = index.state
    queue = state.nodes.queue
    assert (snapshot["height"], snapshot["blockhash"]) == (state.tip.height, hash_text(state.tip.hash))
    listed = [parse_outpoint(entry["collateral"]) for entry in snapshot["nodes"]]
    assert listed == [node.outpoint for tier in TIERS for node in queue.order(tier)]
    for entry in snapshot["nodes"]:
        node = queue.get(parse_outpoint(entry["collateral"]) or b"")
        assert node is not None
        heights = node.started, node.confirmed, node.last_confirmed, node.last_paid
        named = ("added_height", "confirmed_height", "last_confirmed_height", "last_paid_height")
        assert tuple(entry[name] for name in named) == heights
        assert (entry["ip"], entry["tier"]) == (node.ip.decode(), node.tier.name)
        assert entry["payment_address"] == encode_address(node.payee, NETWORK)
    for entries, of_index, name in (
        (started, start_list(NETWORK, queue.with_status(Status.STARTED), state.tip.height), "expires_in"),
        (dos, dos_list(NETWORK, queue.with_status(Status.DOS), state.tip.height), "eligible_in"),
    ):
        said = [(entry[name], parse_outpoint(entry["collateral"])) for entry in entries]
        assert said == [(left, node.outpoint) for left, node in of_index]
    assert [count[f"{tier.label}-enabled"] for tier in TIERS] == [queue.count(tier) for tier in TIERS]
    heads = {f"{tier.name} Winner": node.outpoint for tier, node in queue.payees(state.tip.height + 1)}
    assert {name: parse_outpoint(winner["collateral"]) for name, winner in winners.items()} == heads


def stored_agrees(rpc: DaemonRpc, index: DemoIndex) -> None:
    """The rows of the database at the same block: lists and supply by the indexer's own comparison, counts by tier."""
    checks = Checks(NETWORK, index.store, Daemon(rpc), lambda seconds: True)
    at = checks.nodes(), checks.supply()
    assert at == ((index.state.tip.height, index.state.tip.hash),) * 2
    said = (index.store.meta("checks") or {})["checks"]
    assert said["queue_matches_daemon"] is said["supply_matches_daemon"] is True, said
    snapshot, listed, count, migrated = rpc.batch(
        [Call(name) for name in ("getfluxnodesnapshot", "viewdeterministicfluxnodelist", "getfluxnodecount",
                                 "getmigrationcount")]
    )  # fmt: skip
    assert snapshot["nodes"] == listed
    confirmed = [row for row in index.store.scan("nodes") if row["status"] == Status.CONFIRMED]
    tiers = Counter(row["tier"] for row in confirmed)
    assert [count[f"{tier.label}-enabled"] for tier in TIERS] == [tiers[tier] for tier in TIERS]
    assert count["total"] == len(confirmed)
    assert sum(part[f"total-{age}"] for part, age in zip(migrated, ("old", "new"), strict=True)) == len(confirmed)


def test_an_index_follows_through_reorgs_and_agrees(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    index, stop, forks = DemoIndex(), Event(), 0
    steps = 0
    events = follow(
        rpc, -1, lambda height: None, stop, genesis=parse_hash(NETWORK.genesis_hash), poll_seconds=0,
        wait=lambda seconds: None,
    )  # fmt: skip
    for event in events:
        index.take(event)
        if not isinstance(event, Idle):
            forks += type(event).__name__ == "Fork"
            continue
        if index.state.tip.hash != daemon.chain.tip.hash:
            continue
        agree(rpc, index)
        stored_agrees(rpc, index)
        assert index.state.totals.payouts_mismatched == 0
        steps += 1
        if steps > 30:
            break
        if steps % 6 == 0:
            daemon.reorganise(1 + steps % 4, daemon.chain.tip.time + 1)
        else:
            daemon.send_something(daemon.chain.tip.time)
            daemon.step(daemon.chain.tip.time + 5)
    assert forks >= 5
    assert lists_of(index.state.nodes.queue) == lists_of(daemon.chain.queue)


@pytest.mark.slow
def test_twenty_thousand_blocks_with_reorgs(tmp_path: Path) -> None:
    """From the genesis block on, by the daemon's own steps: no payee is missed and the lists agree throughout."""
    with DemoDaemon(Settings(NETWORK, tmp_path, first_blocks=0)) as daemon:
        daemon.load(now=NOW)
        rpc, index = client_of(daemon), DemoIndex()
        index.extend([daemon.chain.raw(daemon.chain.active[0])])
        random, forks, last_agreed = daemon.builder.random("test"), 0, 0
        while daemon.chain.height < 20_000:
            daemon.send_something(daemon.chain.tip.time)
            daemon.step(daemon.chain.tip.time + random.randint(3, 7))
            height = index.state.tip.height
            while index.state.tip.hash != daemon.chain.active[height].hash:
                height -= 1
                index.rewind(height)
                forks += 1
            for place in daemon.chain.active[height + 1 :]:
                index.extend([daemon.chain.raw(place)])
            assert index.state.totals.payouts_mismatched == 0
            if index.state.tip.height - last_agreed >= 97:
                agree(rpc, index)
                stored_agrees(rpc, index)
                last_agreed = index.state.tip.height
        assert forks > 300
        rpc.close()
