"""Two accounts compared: which node is named, in which field, and how few of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.selfcheck.compare import (
    Difference,
    Entry,
    NodeAccount,
    longest_ascent,
    node_differences,
    supply_differences,
)

CUMULUS: list[Entry] = [(f"c{n}", {"tier": "CUMULUS", "ip": f"10.0.0.{n}", "last_paid_height": n}) for n in range(6)]
STRATUS: list[Entry] = [(f"s{n}", {"tier": "STRATUS", "ip": f"10.0.2.{n}", "last_paid_height": n}) for n in range(2)]
STARTED: list[Entry] = [("n0", {"added_height": 7, "expires_in": 3})]
DOS: list[Entry] = [("d0", {"added_height": 5, "eligible_in": 9})]
ACCOUNT = NodeAccount([*CUMULUS, *STRATUS], STARTED, DOS)


def differences(ours: NodeAccount, theirs: NodeAccount = ACCOUNT) -> list[tuple[Any, ...]]:
    return [(d.subject, d.outpoint, d.field, d.ours, d.theirs) for d in node_differences(ours, theirs)]


def confirmed(*entries: Entry) -> NodeAccount:
    return replace(ACCOUNT, confirmed=[*entries, *STRATUS])


def changed(entry: Entry, **fields: Any) -> Entry:
    return entry[0], {**entry[1], **fields}


def test_equal_accounts_have_no_difference() -> None:
    assert differences(ACCOUNT) == []
    assert differences(NodeAccount([], [], []), NodeAccount([], [], [])) == []


C0, C1, C2, C3, C4, C5 = CUMULUS


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (confirmed(C0, C1, changed(C2, ip="9.9.9.9"), C3, C4, C5), [("confirmed", "c2", "ip", "9.9.9.9", "10.0.0.2")]),
        (confirmed(C0, C1, C3, C4, C5), [("confirmed", "c2", "entries", None, 1)]),
        (confirmed(C0, ("x", dict(C0[1])), C1, C2, C3, C4, C5), [("confirmed", "x", "entries", 1, None)]),
        (confirmed(C0, C1, C2, C3, C4, C5, C1), [("confirmed", "c1", "entries", 2, 1)]),
        (confirmed(C0, C5, C1, C2, C3, C4), [("confirmed", "c5", "rank", 1, 5)]),
        (confirmed(C1, C2, C3, C4, C0, C5), [("confirmed", "c0", "rank", 4, 0)]),
        (
            confirmed(C0, C1, C2, changed(C3, tier="NIMBUS"), C4, C5),
            [("confirmed", "c3", "tier", "NIMBUS", "CUMULUS")],
        ),
        (replace(ACCOUNT, started=[]), [("started", "n0", "entries", None, 1)]),
        (replace(ACCOUNT, dos=[changed(DOS[0], eligible_in=8)]), [("dos", "d0", "eligible_in", 8, 9)]),
        (
            replace(ACCOUNT, started=[], dos=[*DOS, *STARTED]),
            [("started", "n0", "entries", None, 1), ("dos", "n0", "entries", 1, None)],
        ),
    ],
)  # fmt: skip
def test_a_difference_names_its_node_and_no_other(ours: NodeAccount, expected: list[tuple[Any, ...]]) -> None:
    assert differences(ours) == expected


def test_a_field_that_only_the_daemon_has_is_a_difference() -> None:
    assert differences(ACCOUNT, confirmed(changed(C0, rank=0), *CUMULUS[1:])) == [("confirmed", "c0", "rank", None, 0)]


def test_supply_is_compared_as_far_as_the_daemon_tells_it() -> None:
    ours = {"transparent": 7, "txouts": 2, "sprout": 1, "sapling": 3}
    assert list(supply_differences(ours, {"transparent": 7, "txouts": 2})) == []
    found = list(supply_differences(ours, {"transparent": 8, "txouts": 2, "sprout": 1, "sapling": 3, "orchard": 0}))
    assert [(d.field, d.ours, d.theirs) for d in found] == [("transparent", 7, 8), ("orchard", None, 0)]


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (Difference("confirmed", "ab:1", "ip", "", "1.2.3"), "confirmed node ab:1: ip is '' here, 1.2.3 in the daemon"),
        (Difference("dos", "ab:1", "entries", None, 1), "dos node ab:1: entries is absent here, 1 in the daemon"),
        (Difference("supply", None, "txouts", 4, 5), "supply: txouts is 4 here, 5 in the daemon"),
    ],
)  # fmt: skip
def test_a_difference_in_words_and_as_stored(difference: Difference, sentence: str) -> None:
    assert str(difference) == sentence
    assert difference.row()["theirs"] == str(difference.theirs)
    assert difference.row()["ours"] == (None if difference.ours is None else str(difference.ours))


def longest(numbers: Sequence[int]) -> int:
    """The length of the longest ascending subsequence, by trying all."""
    lengths = (n for n in range(len(numbers), 0, -1) for c in combinations(numbers, n) if list(c) == sorted(c))
    return next(lengths, 0)


@given(st.lists(st.integers(0, 20), max_size=8, unique=True))
def test_the_ascent_is_one_and_none_is_longer(numbers: list[int]) -> None:
    found = longest_ascent(numbers)
    kept = [n for n in numbers if n in found]
    assert kept == sorted(kept) and len(kept) == len(found) == longest(numbers)
