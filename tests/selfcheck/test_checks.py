"""The index against the recorded daemon: equal at every block, and each kind of damage found and named."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from indexer.chain import lists
from indexer.chain.keys import hash_text, parse_outpoint
from indexer.chain.nodes import Node
from indexer.errors import Garbled, Refused
from indexer.selfcheck import checks
from tests import recorded
from tests.indexed import branch, chain
from tests.selfcheck.conftest import HEIGHT, Bench

REORGS = ("R1", "R2", "R3", "R4", "R5")
Row = dict[str, Any]


def assert_equal(bench: Bench) -> None:
    """Both checks find nothing at the daemon's block."""
    best = bench.daemon.chain.active[-1]
    for checked, name in ((bench.checks.nodes(), "queue"), (bench.checks.supply(), "supply")):
        assert checked is not None and hash_text(checked.hash) == best
        assert bench.said[f"{name}_differences"] == []
        assert bench.said[f"{name}_matches_daemon"] is True
        assert bench.said[f"{name}_checked_height"] == bench.daemon.chain.height == checked.height


def test_all_along_the_recorded_chain(bench: Bench) -> None:
    for height in range(0, recorded.TIP + 1, 50):
        bench.at(height)
        assert_equal(bench)


@pytest.mark.parametrize("unknown", [set(), {"getfluxnodesnapshot"}], ids=["snapshot", "list"])
def test_through_every_reorganisation(bench: Bench, unknown: set[str]) -> None:
    bench.daemon.chain.unknown = unknown
    for name in REORGS:
        bench.at(branch(name)[0])
        assert_equal(bench)
        bench.lose(name)
        assert_equal(bench)
        bench.win(name)
        assert_equal(bench)


# --- damage -------------------------------------------------------------------------------------------------


def entry(tier: str, rank: int) -> dict[str, Any]:
    """A node of the daemon's list at HEIGHT."""
    nodes = recorded.states()[chain()[HEIGHT]]["snapshot"]["nodes"]
    return next(dict(node) for node in nodes if node["tier"] == tier and node["rank"] == rank)


def name_of(node: dict[str, Any]) -> str:
    return f"{node['txhash']}:{node['outidx']}"


VICTIM, OTHER = entry("CUMULUS", 4), entry("STRATUS", 0)
STARTED = recorded.states()[chain()[HEIGHT]]["startlist"][0]


def outpoint_of(node: dict[str, Any]) -> bytes:
    point = parse_outpoint(node["collateral"])
    assert point is not None
    return point


def damaged(bench: Bench, node: dict[str, Any], change: Callable[[Row], Row | None]) -> list[tuple[Any, ...]]:
    """The differences at HEIGHT when the stored record of a node is changed, or removed for None."""
    bench.at(HEIGHT)
    rows = bench.store.rows["nodes"]
    id, row = next((id, row) for id, row in rows.items() if bytes(row["outpoint"]) == outpoint_of(node))
    after = change(dict(row))
    del rows[id]
    if after is not None:
        rows[id] = after
    assert bench.checks.nodes() is not None
    assert bench.said["queue_matches_daemon"] is False
    found = bench.said["queue_differences"]
    assert len(found) == bench.said["queue_difference_count"]
    return [(d["subject"], d["outpoint"], d["field"], d["ours"], d["theirs"]) for d in found]


@pytest.mark.parametrize(
    ("column", "field", "wrong"),
    [
        ("ip", "ip", "9.9.9.9"),
        ("started", "added_height", 77),
        ("last_confirmed", "last_confirmed_height", 78),
        ("value", "amount", 5),
        ("pubkey", "pubkey", b"\2" * 33),
    ],
)
def test_a_wrong_field_is_named(bench: Bench, column: str, field: str, wrong: Any) -> None:
    theirs = str(10**11 if field == "amount" else VICTIM[field])
    ours = wrong.hex() if isinstance(wrong, bytes) else str(wrong)
    found = damaged(bench, VICTIM, lambda row: row | {column: wrong})
    assert found == [("confirmed", name_of(VICTIM), field, ours, theirs)]


def test_a_node_that_stands_elsewhere_is_the_only_one_named(bench: Bench) -> None:
    late = VICTIM["last_paid_height"] + 1000
    found = damaged(bench, VICTIM, lambda row: row | {"last_paid": late})
    field = ("confirmed", name_of(VICTIM), "last_paid_height", str(late), str(VICTIM["last_paid_height"]))
    last = sum(n["tier"] == "CUMULUS" for n in recorded.states()[chain()[HEIGHT]]["snapshot"]["nodes"]) - 1
    assert found == [field, ("confirmed", name_of(VICTIM), "rank", str(last), "4")]


def test_a_missing_node_is_named(bench: Bench) -> None:
    assert damaged(bench, OTHER, lambda row: None) == [("confirmed", name_of(OTHER), "entries", None, "1")]


def test_a_surplus_node_is_named(bench: Bench) -> None:
    bench.at(HEIGHT)
    rows = bench.store.rows["nodes"]
    surplus = next(row for row in rows.values() if row["status"] > 3)
    rows[surplus["_id"]] = {**surplus, "status": 2}
    assert bench.checks.nodes() is not None
    (found,) = (d for d in bench.said["queue_differences"] if d["field"] == "entries")
    assert outpoint_of({"collateral": found["outpoint"]}) == bytes(surplus["outpoint"])
    assert (found["ours"], found["theirs"]) == ("1", None)


def test_a_started_node_is_compared_with_its_time(bench: Bench) -> None:
    found = damaged(bench, STARTED, lambda row: row | {"started": row["started"] - 1})
    name = hash_text(outpoint_of(STARTED)[:32]) + f":{int.from_bytes(outpoint_of(STARTED)[32:], 'big')}"
    added, left = STARTED["added_height"], STARTED["expires_in"]
    assert found == [
        ("started", name, "added_height", str(added - 1), str(added)),
        ("started", name, "expires_in", str(left - 1), str(left)),
    ]


def test_a_started_node_taken_for_confirmed_is_named_on_both_lists(bench: Bench) -> None:
    found = damaged(bench, STARTED, lambda row: row | {"status": 2, "confirmed": HEIGHT, "last_confirmed": HEIGHT})
    assert [(subject, field, ours, theirs) for subject, _, field, ours, theirs in found] == [
        ("confirmed", "entries", "1", None),
        ("started", "entries", None, "1"),
    ]


def test_many_differences_are_counted_and_the_first_kept(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.at(HEIGHT)
    bench.store.rows["nodes"] = {
        id: {**row, "ip": f"x{row['ip']}", "value": 1} for id, row in bench.store.rows["nodes"].items()
    }
    bench.checks.nodes()
    state = recorded.states()[chain()[HEIGHT]]
    count = 2 * len(state["snapshot"]["nodes"]) + len(state["startlist"]) + len(state["doslist"])
    assert count > checks.KEPT == len(bench.said["queue_differences"])
    assert bench.said["queue_difference_count"] == count
    (record,) = caplog.records
    assert (record.levelno, f"in {count} places: confirmed node " in record.getMessage()) == (logging.WARNING, True)
    assert bench.daemon.password not in caplog.text


@pytest.mark.parametrize("name", ["transparent", "txouts", "sprout", "sapling"])
def test_a_wrong_sum_is_named(bench: Bench, name: str) -> None:
    bench.at(HEIGHT)
    row = bench.store.rows["blocks"][HEIGHT]
    bench.store.rows["blocks"][HEIGHT] = {**row, name: row[name] + 1}
    assert bench.checks.supply() is not None
    expected = {"subject": "supply", "outpoint": None, "field": name, "ours": str(row[name] + 1)}
    assert bench.said["supply_differences"] == [expected | {"theirs": str(row[name])}]


def test_what_is_well_again_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "indexer.selfcheck")
    bench.at(HEIGHT)
    whole = bench.store.rows["nodes"]
    bench.store.rows["nodes"] = {}
    bench.checks.nodes()
    bench.store.rows["nodes"] = whole
    bench.checks.nodes()
    assert bench.said["queue_matches_daemon"] is True
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]


def test_a_wrong_rule_is_caught_here_and_by_the_coinbases(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_displayed_hash(node: Node) -> tuple[int, bool, bytes]:
        return node.last_paid or node.confirmed, node.last_paid > 0, node.outpoint[31::-1] + node.outpoint[32:]

    monkeypatch.setattr(lists, "order_key", by_displayed_hash)
    bench.at(430)
    assert bench.checks.nodes() is not None
    assert bench.said["queue_matches_daemon"] is False
    assert {d["field"] for d in bench.said["queue_differences"]} >= {"rank"}
    bench.at(recorded.TIP)
    assert bench.store.rows["blocks"][recorded.TIP]["payouts_mismatched"] > 0


# --- a daemon at another block, an older one, a moving one --------------------------------------------------


@pytest.mark.parametrize("height", [HEIGHT - 1, HEIGHT + 1])
def test_a_daemon_at_another_block_is_not_compared(bench: Bench, height: int) -> None:
    bench.at(HEIGHT)
    bench.daemon.chain.set_tip(height)
    assert bench.checks.nodes() is bench.checks.supply() is None
    assert bench.store.meta("checks") is None
    assert bench.daemon.calls["getfluxnodesnapshot"] == bench.daemon.calls["gettxoutsetinfo"] == 0


def test_a_daemon_on_another_branch_is_not_compared(bench: Bench) -> None:
    bench.at(branch("R2")[0])
    bench.daemon.chain.reorg("R2", won=False)
    assert bench.checks.nodes() is None


def test_an_empty_or_half_written_index_is_not_compared(bench: Bench) -> None:
    assert bench.checks.nodes() is bench.checks.supply() is None
    bench.at(HEIGHT)
    bench.store.put_meta("tip", {"dirty": True})
    assert bench.checks.nodes() is None


@pytest.mark.parametrize("method", ["getfluxnodesnapshot", "getstartlist", "getdoslist"])
@pytest.mark.parametrize("unknown", [set(), {"getfluxnodesnapshot"}], ids=["snapshot", "list"])
def test_a_block_between_the_questions_begins_them_again(bench: Bench, method: str, unknown: set[str]) -> None:
    bench.daemon.chain.unknown = unknown
    bench.at(HEIGHT)
    bench.waits = 3
    bench.daemon.before(method, lambda: bench.daemon.chain.set_tip(HEIGHT + 1))
    assert bench.checks.nodes() is None  # we have not followed yet
    assert bench.store.meta("checks") is None
    bench.at(HEIGHT + 1)
    assert_equal(bench)


def test_a_commit_while_we_read_begins_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.at(HEIGHT)
    bench.waits = 1
    find = bench.store.find
    reads = []

    def moving(*arguments: Any) -> Any:
        reads.append(arguments[0])
        if len(reads) == 1:
            tip = dict(bench.store.rows["meta"]["tip"])
            bench.store.rows["meta"]["tip"] = tip | {"epoch": tip["epoch"] + 1}
            return iter(())
        return find(*arguments)

    monkeypatch.setattr(bench.store, "find", moving)
    assert_equal(bench)
    assert reads == ["nodes", "nodes"]


def test_a_block_that_we_have_not_indexed_yet_is_waited_for(bench: Bench) -> None:
    bench.at(HEIGHT)
    bench.daemon.before("gettxoutsetinfo", lambda: bench.daemon.chain.set_tip(HEIGHT + 1))
    assert bench.checks.supply() is None
    bench.daemon.chain.set_tip(HEIGHT)
    bench.waits = 2

    def both_go_on() -> None:
        bench.daemon.chain.set_tip(HEIGHT + 1)
        bench.index.extend([chain()[HEIGHT + 1]])

    bench.daemon.before("gettxoutsetinfo", both_go_on)
    checked = bench.checks.supply()
    assert checked is not None and checked.height == HEIGHT + 1


def test_an_older_daemon_is_asked_once_for_what_it_does_not_have(bench: Bench) -> None:
    bench.daemon.chain.unknown = {"getfluxnodesnapshot"}
    for height in (HEIGHT, HEIGHT + 1):
        bench.at(height)
        assert_equal(bench)
    assert bench.daemon.calls["getfluxnodesnapshot"] == 1
    assert bench.daemon.calls["viewdeterministicfluxnodelist"] == 2


def test_an_older_daemons_difference_is_believed_at_the_second_block(bench: Bench) -> None:
    bench.daemon.chain.unknown = {"getfluxnodesnapshot"}
    bench.at(HEIGHT)
    whole, bench.store.rows["nodes"] = bench.store.rows["nodes"], {}
    assert bench.checks.nodes() is bench.checks.nodes() is None
    assert bench.store.meta("checks") is None
    bench.store.rows["nodes"] = whole
    bench.at(HEIGHT + 1)
    bench.store.rows["nodes"] = {}
    assert bench.checks.nodes() is not None
    assert bench.said["queue_matches_daemon"] is False


def test_a_daemon_without_either_method_says_so(bench: Bench) -> None:
    bench.daemon.chain.unknown = {"getfluxnodesnapshot", "viewdeterministicfluxnodelist"}
    bench.at(HEIGHT)
    with pytest.raises(Refused, match="viewdeterministicfluxnodelist"):
        bench.checks.nodes()


@pytest.mark.parametrize(
    ("part", "spoil"),
    [
        ("snapshot", lambda answer: []),
        ("snapshot", lambda answer: answer | {"nodes": [{"collateral": "somewhere"}]}),
        ("snapshot", lambda answer: answer | {"nodes": [{"collateral": 7}]}),
        ("startlist", lambda answer: [{}]),
        ("doslist", lambda answer: None),
        ("doslist", lambda answer: [{**STARTED, "eligible_in": 1, "amount": "many"}]),
    ],
)
def test_lists_of_an_unknown_form_are_no_difference(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, part: str, spoil: Callable[[Any], Any]
) -> None:
    bench.at(HEIGHT)
    state = recorded.states()[chain()[HEIGHT]]
    monkeypatch.setitem(state, part, spoil(state[part]))
    with pytest.raises(Garbled, match="unknown form"):
        bench.checks.nodes()


def test_a_pool_that_the_daemon_does_not_watch_is_not_compared(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.at(HEIGHT)
    block = recorded.blocks()[HEIGHT]["block"]
    monkeypatch.setitem(block, "valuePools", [{"id": "sprout", "monitored": False}])
    assert_equal(bench)
    monkeypatch.setitem(recorded.states()[chain()[HEIGHT]], "txoutset", {})
    with pytest.raises(Garbled, match="unknown form"):
        bench.checks.supply()


def test_the_two_verdicts_and_that_of_verify_stand_beside_each_other(bench: Bench) -> None:
    bench.at(HEIGHT)
    bench.store.put_meta("checks", {"verify": {"verdict": True}})
    bench.checks.nodes()
    bench.checks.supply()
    later = checks.Checks(recorded.network(), bench.store, bench.asked, lambda seconds: True)
    assert later.last("supply") == later.last("queue") == (HEIGHT, bytes.fromhex(chain()[HEIGHT])[::-1])
    bench.at(HEIGHT + 1)
    later.nodes()
    assert (bench.said["queue_checked_height"], bench.said["supply_checked_height"]) == (HEIGHT + 1, HEIGHT)
    document = bench.store.meta("checks")
    assert document is not None and document["verify"] == {"verdict": True}
