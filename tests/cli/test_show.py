"""What ``show`` prints is what the recorded daemon answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from indexer.commands.show import block, flux, node, transaction
from indexer.errors import FluxError, Unavailable
from indexer.store import embedded
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.indexed import Index, chain, network

NAME = "show"
TIP = 480


@pytest.fixture(scope="module")
def store(mongod: str) -> Iterator[MongoStore]:
    """The recorded chain up to its first node payments and expiries."""
    with closing(MongoStore(mongod, NAME)) as opened:
        prepare(opened, network())
        Index(opened).catch_up(chain()[: TIP + 1], 200)
        opened.put_meta("indexes", {"ready": ["txids.prefixes"], "building": {}})
        yield opened
    embedded.drop_database(mongod, NAME)


def shown(store: MongoStore, txid: str) -> list[str]:
    """The lines of a transaction, without their padding."""
    return [" ".join(line.split()) for line in transaction(store, network(), txid)]


def transactions(kind: str) -> list[tuple[int, dict[str, Any]]]:
    """The recorded node transactions of a kind in the words of the daemon, with their heights."""
    return [
        (row["height"], tx)
        for row in recorded.blocks()[: TIP + 1]
        for tx in row["block"]["tx"]
        if tx.get("type") == kind
    ]


def test_transfers(store: MongoStore) -> None:
    for row in recorded.blocks()[319:323]:
        for tx in row["block"]["tx"]:
            lines = shown(store, tx["txid"])
            assert lines[0].endswith(f"in block {row['height']}")
            for output in tx["vout"]:
                amount = f"{output['value']:,} FLUX"
                assert any(line.startswith(f"output {output['n']} ") and line.endswith(amount) for line in lines)
            for spent in tx["vin"]:
                if "txid" in spent:
                    [line] = [line for line in lines if line.startswith(f"input {spent['txid']}:{spent['vout']} ")]
                    if "address" in spent:  # not for P2PK and PUSHDATA forms, which the daemon does not index
                        assert line.endswith(f" {spent['address']} {spent['value']:,} FLUX")


def test_node_starts(store: MongoStore) -> None:
    for height, tx in transactions("Starting a fluxnode"):
        lines = shown(store, tx["txid"])
        assert lines[0].startswith("node_start at ") and lines[0].endswith(f"in block {height}")
        assert f"outpoint {tx['txhash']}:{tx['outidx']}" in lines
        assert any(line.startswith(f"sig_time {tx['sigtime']} (") for line in lines)


def test_node_confirmations(store: MongoStore) -> None:
    for height, tx in transactions("Confirming a fluxnode"):
        lines = shown(store, tx["txid"])
        assert lines[0].startswith("node_confirm at ") and lines[0].endswith(f"in block {height}")
        assert f"node {tx['txhash']}:{tx['outidx']}" in lines
        assert f"ip {tx['ip']}" in lines
        assert f"tier {tx['benchmark_tier'].lower()}" in lines


def test_payouts(store: MongoStore) -> None:
    [_, *lines] = [" ".join(line.split()) for line in block(store, network(), str(TIP))]
    tiers = [line.split()[1] for line in lines if line.startswith("to ")]
    assert tiers == ["cumulus", "nimbus", "stratus"]
    outputs = recorded.blocks()[TIP]["block"]["tx"][0]["vout"]
    for line in lines:
        if line.startswith("to "):
            _, _, owner, amount, _, _, _, _, number = line.split()
            output = outputs[int(number)]
            assert (owner, amount) == (output["scriptPubKey"]["addresses"][0], f"{output['value']:,}")


def test_nodes(store: MongoStore) -> None:
    started: dict[str, list[int]] = {}
    for height, tx in transactions("Starting a fluxnode"):
        started.setdefault(f"{tx['txhash']}:{tx['outidx']}", []).append(height)
    for outpoint, heights in started.items():
        lines = [" ".join(line.split()) for line in node(store, network(), outpoint)]
        assert lines[0] == f"node {outpoint}"
        assert f"lives {len(heights)}" in lines
        assert [int(line.split()[5].strip(",")) for line in lines if line.startswith("start ")] == heights[::-1]
        [status] = [line.split()[1] for line in lines if line.startswith("status ")]
        befell = [line.split()[2] for line in lines if line.startswith("block ")]
        assert status in ("started" if not befell else befell[0], "confirmed" if befell[:1] == ["confirm"] else "")
    assert len(started) > 20
    assert list(node(store, network(), f"{'00' * 32}:0")) == []
    with pytest.raises(FluxError, match="expected <txid>:<n>"):
        list(node(store, network(), "nonsense"))


def test_an_unknown_transaction_shows_nothing(store: MongoStore) -> None:
    assert shown(store, "00" * 32) == []


def test_without_its_index_a_transaction_is_not_looked_for(mongod: str, database_name: str) -> None:
    with closing(MongoStore(mongod, database_name)) as empty, pytest.raises(Unavailable, match="not built yet"):
        list(transaction(empty, network(), "00" * 32))


@pytest.mark.parametrize(
    ("zatoshi", "words"),
    [(0, "0.00000000 FLUX"), (-1, "-0.00000001 FLUX"), (44_000_000_012_345_678, "440,000,000.12345678 FLUX")],
)
def test_flux(zatoshi: int, words: str) -> None:
    assert flux(zatoshi) == words
