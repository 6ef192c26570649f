"""The demo daemon's own methods: moves, mints and failures when asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from indexer.chain.keys import parse_hash
from indexer.chain.params import COIN
from indexer.demo.daemon import DemoDaemon
from indexer.demo.parallel.chains import BY_KEY, CHAINS, EXCHANGE, FULL
from indexer.errors import Refused
from indexer.source.rpc import DaemonRpc
from tests.demo.chains import NOW, client_of, copy_of, settings
from tests.demo.parallel_chains import unbacked


@pytest.fixture(scope="module")
def daemon(first_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoDaemon]:
    with DemoDaemon(settings(copy_of(first_chain, tmp_path_factory.mktemp("control")))) as running:
        assert running.load(now=NOW)
        yield running


@pytest.fixture(scope="module")
def rpc(daemon: DemoDaemon) -> Iterator[DaemonRpc]:
    with closing(client_of(daemon)) as client:
        yield client


def exchange(daemon: DemoDaemon, key: str) -> int:
    return daemon.chain.bridge.ledgers.balance(key, BY_KEY[key].holder(EXCHANGE))


@pytest.mark.parametrize(("origin", "target", "sign"), [("native", "trx", 1), ("trx", "native", -1)])
def test_a_move_across_takes_effect_with_its_block(
    daemon: DemoDaemon, rpc: DaemonRpc, origin: str, target: str, sign: int
) -> None:
    before = exchange(daemon, "trx")
    txid = rpc.call("demo_move", origin, target, "700000.00000001")  # more than the hot wallet has
    assert txid in rpc.call("getrawmempool")
    assert exchange(daemon, "trx") == before
    (block,) = rpc.call("generate", 1)
    assert parse_hash(txid) in daemon.chain.transactions
    assert (exchange(daemon, "trx") - before, unbacked(daemon.chain)) == (sign * 70_000_000_000_001, 0)
    rpc.call("invalidateblock", block)
    assert (exchange(daemon, "trx"), unbacked(daemon.chain)) == (before, 0)
    rpc.call("generate", 1)
    assert exchange(daemon, "trx") - before == sign * 70_000_000_000_001


def test_a_move_between_parallel_chains_takes_effect_at_once_and_for_good(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    before = exchange(daemon, "avax"), exchange(daemon, "algo")
    assert rpc.call("demo_move", "avax", "algo", 5) is None
    assert rpc.call("demo_move", "avax", "algo", "5000000") is None
    daemon.reorganise(2, NOW)
    gained = exchange(daemon, "algo") - before[1]
    assert gained == before[0] - exchange(daemon, "avax") == 5_000_005 * COIN
    assert unbacked(daemon.chain) == 0


def test_a_mint_is_backed_by_nothing(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    assert rpc.call("demo_mint", "base", "12.5") == "440000012.50000000"
    assert unbacked(daemon.chain) == 1_250_000_000
    assert rpc.call("demo_mint", "base", "-12.5") == "440000000.00000000"
    assert (unbacked(daemon.chain), daemon.chain.bridge.ledgers.supply("base")) == (0, FULL)


def test_chains_fail_as_told(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    for state in ("down", "late", "up"):
        assert rpc.call("demo_chain", "sol", state) == daemon.parallel.conditions.of("sol") == state
    rpc.call("demo_chain", "sol", "down")
    assert rpc.call("demo_chain", "sol", "scheduled") == "up"


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("demo_move", ["doge", "native", 1], -8, "the chain is one of"),
        ("demo_move", ["native", "native", 1], -8, "the chain is one of"),
        ("demo_move", ["bsc", "native", 0], -8, "above 0"),
        ("demo_move", ["bsc", "native", "much"], -8, "no amount"),
        ("demo_move", ["bsc", "native", 400_000_000], -1, "the exchange of bsc has less"),
        ("demo_move", ["bsc", "kda", 20_000_000], -1, "the exchange of bsc has less"),
        ("demo_move", ["native", "kda", 20_000_000], -1, "the issuer cannot free that on kda"),
        ("demo_move", ["native", "eth", 420_000_000], -1, "the issuer cannot free that on eth"),
        ("demo_move", ["native", "eth", 100_000_000], -1, "nobody has the coins"),
        ("demo_mint", ["doge", 1], -8, "the chain is one of"),
        ("demo_mint", ["bsc", -400_000_000], -1, "has less than that"),
        ("demo_chain", ["bsc", "broken"], -8, "the state is one of up, down, late, scheduled"),
    ],
)
def test_what_is_refused(rpc: DaemonRpc, method: str, params: list[Any], code: int, message: str) -> None:
    with pytest.raises(Refused, match=message) as refused:
        rpc.call(method, *params)
    assert refused.value.code == code


def test_all_chains_can_be_named(rpc: DaemonRpc) -> None:
    assert {rpc.call("demo_chain", chain.key, "scheduled") for chain in CHAINS} == {"up"}
