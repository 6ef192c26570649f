"""Verify: a sound index is found sound, while it is followed as well; every kind of damage is found and named."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import pytest

from indexer.chain.keys import txkey
from indexer.cli import main
from indexer.errors import Unavailable
from indexer.progress import Report
from indexer.store.mongo import MongoStore
from indexer.verify import Extent, Finding, Outcome, verify, view
from indexer.verify.run import remedy
from tests.indexed import Index, chain, network
from tests.memory_store import MemoryStore

SOUND = 460  # blocks of the index that gets damaged: nodes start, confirm, are paid; coins move
ALL = Extent(None, None)

Row = dict[str, Any]


@cache
def sound() -> MemoryStore:
    """An index of the first part of the recorded chain."""
    store = MemoryStore()
    index = Index(store)
    index.catch_up(chain()[: SOUND - 29], 50)
    index.catch_up(chain()[: SOUND + 1], 1)
    return store


def findings(store: MemoryStore, extent: Extent = ALL) -> list[Finding]:
    """What verify finds in a store."""
    outcomes = verify(store, network(), extent, lambda report: None, Random(1))
    return [finding for outcome in outcomes for finding in outcome.findings]


@dataclass(frozen=True)
class Damage:
    """A change of one row: of the first row of a collection that qualifies; None removes it."""

    name: str
    collection: str
    change: Callable[[Row], Row | None]
    where: Callable[[Row], bool] = lambda row: True
    blame: str = ""  # the collection that is named, if it is another one
    what: str = ""  # part of what is named

    def apply(self, store: MemoryStore) -> Any:
        """Damage the store; returns the id of the row."""
        rows = store.rows[self.collection]
        id = next(id for id in sorted(rows) if self.where(rows[id]))
        changed = self.change(dict(rows[id]))
        if changed is None:
            del rows[id]
            if self.collection == "ledger":
                store.list_of_address(id)
        else:
            rows[id] = changed
        return id


def plus(field: str, by: int = 1) -> Callable[[Row], Row]:
    """Change a number."""
    return lambda row: {**row, field: row[field] + by}


def flipped(field: str, at: int = 0) -> Callable[[Row], Row]:
    """Change one bit of packed bytes."""

    def change(row: Row) -> Row:
        packed = bytearray(row[field])
        packed[at] ^= 1
        return {**row, field: bytes(packed)}

    return change


def put(field: str, value: Any) -> Callable[[Row], Row]:
    """Set a field."""
    return lambda row: {**row, field: value}


def gone(row: Row) -> None:
    """Remove the row."""


def middle(row: Row) -> bool:
    """A ledger row with several before and after it."""
    return int(row["n"]) > 3


def confirmed(row: Row) -> bool:
    """A node on the list of confirmed ones."""
    return int(row["status"]) == 2


def transfer(row: Row) -> bool:
    """A transaction that spends."""
    return "in_values" in row


DAMAGES = (
    Damage("utxo value", "utxos", plus("v"), what="coin"),
    Damage("utxo outkey", "utxos", plus("k"), lambda row: "a" in row, what="coin"),
    Damage("utxo gone", "utxos", gone, lambda row: "a" in row, what="coin"),
    Damage("utxo of another address", "utxos", flipped("a", 5), lambda row: "a" in row, what="coin"),
    Damage("ledger balance", "ledger", plus("b"), middle, what="b"),
    Damage("ledger received", "ledger", plus("r"), middle, what="r"),
    Damage("ledger count", "ledger", plus("n"), middle, what="n"),
    Damage("ledger coins", "ledger", plus("u"), middle, what="u"),
    Damage("ledger position", "ledger", flipped("x"), middle, what="x"),
    Damage("ledger row gone", "ledger", gone, middle, what="the row"),
    *(
        Damage(f"block {field}", "blocks", plus(field), lambda row: row["_id"] == 430, what=field)
        for field in (
            "txs_total", "issued", "transparent", "txouts", "sprout", "sapling", "unspendable", "payouts_checked",
            "payouts_mismatched", "fees_total", "active_total", "coinbase_value", "fees", "tx_count", "starts",
            "confirms",
        )
    ),
    Damage("block max_time", "blocks", plus("max_time", 10**6), lambda row: row["_id"] == 430, what="max_time"),
    Damage("block merkle root", "blocks", flipped("merkle_root"), lambda row: row["_id"] == 430, what="merkle_root"),
    Damage("hash of the tip", "blocks", flipped("hash"), lambda row: row["_id"] == SOUND, what="hash"),
    Damage("block gone", "blocks", gone, lambda row: row["_id"] == 300, what="the row"),
    Damage("payouts gone", "payouts", gone, lambda row: row["_id"] == 430, what="the row"),
    Damage("payout vout", "payouts", lambda row: {**row, "vouts": [-1] * len(row["vouts"])},
           lambda row: bool(row["vouts"]), what="vouts"),
    Damage("payout amount", "payouts", lambda row: {**row, "amounts": [a + 1 for a in row["amounts"]]},
           lambda row: bool(row["amounts"]), what="amounts"),
    Damage("payout to another", "payouts", lambda row: {**row, "payees": [bytes(21) for _ in row["payees"]]},
           lambda row: bool(row["payees"]), what="vouts"),
    Damage("payout of another node", "payouts", lambda row: {**row, "nodes": [0 for _ in row["nodes"]]},
           lambda row: bool(row["nodes"]), what="node"),
    Damage("payout funds", "payouts", lambda row: {**row, "funds": [(fund + 1) % 7 for fund in row["funds"]]},
           what="funds"),
    Damage("confirmation time", "node_confirms", flipped("sig_times"), blame="blocks", what="merkle_root"),
    Damage("confirmation ip", "node_confirms", flipped("ips", 1), blame="blocks", what="merkle_root"),
    Damage("confirmation of a stranger", "node_confirms", lambda row: {**row, "nodes": [0, *row["nodes"][1:]]},
           what="node"),
    Damage("confirmations gone", "node_confirms", gone, blame="blocks", what="confirms"),
    Damage("transaction gone", "transactions", gone, transfer, what="the row"),
    Damage("coinbase gone", "transactions", gone, lambda row: row["_id"] == txkey(430, 0), blame="blocks",
           what="coinbase_value"),
    Damage("txid", "transactions", flipped("txid"), transfer, blame="blocks", what="merkle_root"),
    Damage("output value", "transactions", flipped("out_values"), transfer, blame="blocks", what="transparent"),
    Damage("output address", "transactions", flipped("out_addresses", 7), transfer, blame="ledger", what="the row"),
    Damage("input value", "transactions", flipped("in_values"), transfer, what="input"),
    Damage("fee", "transactions", plus("fee"), transfer, what="fee"),
    Damage("hint", "txids", lambda row: {**row, "prefixes": [p ^ 1 for p in row["prefixes"]]}, what="prefix 0"),
    Damage("hint short", "txids", lambda row: {**row, "prefixes": row["prefixes"][:-1]},
           lambda row: row["_id"] == 430, what="length"),
    Damage("hints gone", "txids", gone, what="prefix 0"),
    Damage("start gone", "node_starts", gone, blame="nodes", what="lives"),
    Damage("start of a stranger", "node_starts", put("node", 7), blame="nodes", what="the row"),
    Damage("node gone", "nodes", gone, what="the row"),
    *(
        Damage(f"node {field}", "nodes", plus(field), confirmed, what=field)
        for field in ("lives", "started", "tier", "value", "last_confirmed", "last_paid", "paid_count", "paid_total",
                      "ended")
    ),
    Damage("node confirmed too early", "nodes", put("confirmed", 1), confirmed, what="confirmed"),
    Damage("node confirmed though only started", "nodes", put("confirmed", 450), lambda row: row["status"] == 3,
           what="confirmed"),
    Damage("node on a list that it left", "nodes", put("status", 4), confirmed, what="ended"),
    Damage("event gone", "node_events", gone, blame="queue_snapshots", what="node, since and paid"),
    Damage("event of another kind", "node_events", put("event", 3), lambda row: row["event"] == 2,
           blame="queue_snapshots", what="node, since and paid"),
    Damage("event of another tier", "node_events", plus("tier"), what="history"),
    Damage("snapshot of another node", "queue_snapshots", flipped("nodes"), lambda row: bool(row["nodes"]),
           what="node, since and paid"),
    Damage("snapshot of another order", "queue_snapshots", flipped("paid"), lambda row: bool(row["paid"]),
           what="node, since and paid"),
    Damage("unreadable outputs", "transactions", put("out_values", b"\x01" * 9), transfer, blame="blocks",
           what="what it holds"),
    *(
        Damage(f"node {field}", "nodes", flipped(field, 5), confirmed, what=field)
        for field in ("outpoint", "payee", "pubkey")
    ),
)  # fmt: skip


def test_a_sound_index_is_found_sound_and_the_verdict_is_kept() -> None:
    store = sound().snapshot()
    outcomes = verify(store, network(), Extent(), lambda report: None)
    names = ["nodes", "queues", "running totals", "coins", "blocks", "addresses"]
    assert [outcome.name for outcome in outcomes] == names
    assert [finding for outcome in outcomes for finding in outcome.findings] == []
    assert {(outcome.height, outcome.hash) for outcome in outcomes} == {(SOUND, store.rows["meta"]["tip"]["hash"])}
    kept = store.rows["meta"]["checks"]["verify"]
    assert (kept["height"], kept["verdict"], kept["findings"], kept["supply"]) == (SOUND, True, 0, True)
    assert kept["hash"] == store.rows["meta"]["tip"]["hash"]


def test_all_of_the_recorded_chain_is_sound() -> None:
    store = MemoryStore()
    Index(store).catch_up(chain(), 200)
    assert findings(store) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_damage_is_found_and_named(damage: Damage) -> None:
    store = sound().snapshot()
    damage.apply(store)
    found = findings(store)
    named = [f for f in found if f.collection == (damage.blame or damage.collection) and damage.what in f.what]
    assert named, [str(finding) for finding in found]
    assert all(finding.expected != finding.found for finding in found)
    assert store.rows["meta"]["checks"]["verify"]["verdict"] is False


@pytest.mark.parametrize("collection, proved", [("utxos", False), ("ledger", False), ("nodes", True)])
def test_the_verdict_about_the_supply_is_one_of_its_own(collection: str, proved: bool) -> None:
    store = sound().snapshot()
    del store.rows[collection][max(store.rows[collection])]
    verify(store, network(), Extent(0, 0), lambda report: None)
    kept = store.rows["meta"]["checks"]["verify"]
    assert (kept["verdict"], kept["supply"]) == (False, proved)


def test_one_wrong_row_is_not_a_hundred_findings() -> None:
    store = sound().snapshot()
    Damage("ledger received", "ledger", plus("r"), middle).apply(store)
    assert len(findings(store)) <= 4


def test_two_nodes_of_one_outpoint_are_found() -> None:
    store = sound().snapshot()
    first, second = list(store.rows["nodes"])[:2]
    store.rows["nodes"][second] = {**store.rows["nodes"][second], "outpoint": store.rows["nodes"][first]["outpoint"]}
    assert [f for f in findings(store) if f.what == "outpoint" and "not that of" in str(f.expected)]


def test_a_whole_address_that_is_gone_is_found_without_looking_at_every_block() -> None:
    store = sound().snapshot()
    address = next(bytes(row["a"]) for row in store.rows["utxos"].values() if "a" in row)
    for id in [id for id in store.rows["ledger"] if id[:21] == address]:
        del store.rows["ledger"][id]
    assert address.hex() in findings(store, Extent(0, 0))[0].id


def test_what_is_above_the_tip_does_not_count() -> None:
    store = sound().snapshot()
    store.insert("ledger", [{"_id": bytes(21) + (SOUND + 1).to_bytes(4, "big"), "b": 1, "r": 1, "n": 1, "u": 1,
                             "x": b"\0\0"}])  # fmt: skip
    store.insert("blocks", [{**store.rows["blocks"][SOUND], "_id": SOUND + 1, "issued": 0}])
    assert findings(store) == []


class Follower:
    """Lets the indexer do something whenever verify tells of its progress."""

    def __init__(self, store: MemoryStore, steps: list[Callable[[Index], None]]) -> None:
        self.index = Index(store)
        self.steps = steps

    def __call__(self, report: Report) -> None:
        if self.steps:
            self.steps.pop(0)(self.index)


def extend(index: Index) -> None:
    """Three blocks more."""
    height = index.tip["height"]
    index.catch_up(chain()[: height + 4], 1)


def back(index: Index) -> None:
    """Four blocks less."""
    index.rewind(index.tip["height"] - 4)


@pytest.mark.parametrize("damaged", [False, True])
def test_the_index_may_be_followed_meanwhile(monkeypatch: pytest.MonkeyPatch, damaged: bool) -> None:
    monkeypatch.setattr(view, "REPORT_EVERY", 100)
    store = sound().snapshot()
    if damaged:
        DAMAGES[0].apply(store)
    follower = Follower(store, [extend] * 20)
    outcomes = verify(store, network(), Extent(20, 20), follower, Random(2))
    assert follower.index.tip["height"] == SOUND + 60
    assert {outcome.height for outcome in outcomes} == {SOUND}
    assert all(outcome.good for outcome in outcomes) is not damaged


def test_after_a_reorganisation_it_begins_again() -> None:
    store = sound().snapshot()
    outcomes = verify(store, network(), Extent(), Follower(store, [extend, back]), Random(2))
    assert {outcome.height for outcome in outcomes} == {SOUND - 1}
    assert all(outcome.good for outcome in outcomes)


def test_reorganisations_without_end_are_told() -> None:
    store = sound().snapshot()
    with pytest.raises(Unavailable, match="reorganisations keep removing"):
        verify(store, network(), Extent(), Follower(store, [lambda index: index.rewind(index.tip["height"] - 1)] * 50))


def test_an_index_that_moves_all_the_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = sound().snapshot()
    seen = view.View(store, lambda report: None)
    index = Index(store)
    monkeypatch.setattr(view, "FENCE_TRIES", 3)
    with pytest.raises(Unavailable, match="moves too fast"):
        seen.fenced(lambda tip: extend(index))


def test_a_commit_cut_short_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store = sound().snapshot()
    store.rows["meta"]["tip"] = {**store.rows["meta"]["tip"], "dirty": True}
    monkeypatch.setattr(view, "SETTLE_SECONDS", 0.0)
    with pytest.raises(Unavailable, match="start the indexer"):
        findings(store)


def test_no_index_and_no_block() -> None:
    with pytest.raises(Unavailable, match="no index yet"):
        findings(MemoryStore())
    empty = MemoryStore()
    Index(empty)
    assert verify(empty, network(), Extent(), lambda report: None) == []
    assert "checks" not in empty.rows["meta"]


def test_the_remedy_goes_below_the_lowest_finding() -> None:
    known = [Finding("blocks", "5", "fees", 1, 2, 5), Finding("blocks", "3", "fees", 1, 2, 3)]
    assert "flux-explorer rewind 2" in remedy(known)
    assert remedy([Finding("utxos", "x", "v", 1, None)]) == "index from the start with an empty database"


def test_on_a_real_database(recorded_index: tuple[str, str]) -> None:
    uri, name = recorded_index
    store = MongoStore(uri, name)
    try:
        outcomes: list[Outcome] = verify(store, network(), Extent(addresses=200, blocks=200), lambda report: None)
    finally:
        store.close()
    assert [str(finding) for outcome in outcomes for finding in outcome.findings] == []
    assert {outcome.height for outcome in outcomes} == {2400}


def test_the_command(
    mongod: str, database_name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from indexer.store.setup import prepare
    from tests import recorded

    for key, value in {
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DATABASE_URI": mongod,
        "FLUX_DATABASE_NAME": database_name,
    }.items():
        monkeypatch.setenv(key, value)
    store = MongoStore(mongod, database_name)
    prepare(store, network())
    index = Index(store)
    assert main(["verify"]) == 0
    assert "no block yet" in capsys.readouterr().out
    index.catch_up(chain()[:120], 60)
    assert main(["verify", "--full"]) == 0
    told = capsys.readouterr().out
    assert f"agrees with itself at block 119 {chain()[119]}" in told
    store.database.blocks.update_one({"_id": 100}, {"$inc": {"issued": 1}})
    assert main(["verify", "--addresses", "5", "--blocks", "0"]) == 1
    store.close()
    told = capsys.readouterr().out
    assert "blocks 100: issued is" in told
    assert "flux-explorer rewind 99" in told


def test_the_command_takes_no_negative_counts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["verify", "--addresses", "-1"])
    assert "-1 is below 0" in capsys.readouterr().err
    assert issubclass(argparse.ArgumentTypeError, Exception)
