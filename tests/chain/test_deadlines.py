"""Heights at which something will happen to a node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.chain import deadlines
from indexer.chain.keys import outpoint
from indexer.chain.networks import MAIN
from indexer.chain.nodes import Node, Status
from indexer.chain.tiers import Tier

NODE = Node(outpoint(bytes(32), 0), 1, Status.STARTED, Tier.CUMULUS, 0, b"", 1, b"", started=0)


def confirmed(last: int) -> Node:
    return replace(NODE, status=Status.CONFIRMED, started=last - 1, confirmed=last, last_confirmed=last)


@pytest.mark.parametrize(
    ("last", "update", "expires"),
    [
        (600_000, 600_041, 600_061),
        (835_493, 835_534, 835_574),  # still in the list when the longer expiry begins
        (1_076_491, 1_076_612, 1_076_652),  # M grows from 40 to 120 at the block where 40 would have been enough
        (1_076_490, 1_076_531, 1_076_651),
        (1_500_000, 1_500_121, 1_500_161),
        (2_019_950, 2_020_451, 2_020_591),
        (2_500_000, 2_500_501, 2_500_641),
    ],
)
def test_confirmed(last: int, update: int, expires: int) -> None:
    node = confirmed(last)
    assert deadlines.next_update_height(MAIN, node) == update
    assert deadlines.expires_height(MAIN, node) == expires
    assert deadlines.dos_until(MAIN, node) is None
    assert deadlines.restart_from(MAIN, node) is None


@pytest.mark.parametrize(
    ("started", "dos", "released"),
    [
        (600_000, 600_060, 600_180),
        (2_019_939, 2_019_999, 2_020_659),
        (2_019_990, 2_020_230, 2_020_710),
        (2_100_000, 2_100_240, 2_100_720),
    ],
)
def test_started_and_dos(started: int, dos: int, released: int) -> None:
    node = replace(NODE, started=started)
    assert deadlines.expires_height(MAIN, node) == dos
    assert deadlines.next_update_height(MAIN, node) is deadlines.restart_from(MAIN, node) is None
    node.status = Status.DOS
    assert deadlines.expires_height(MAIN, node) is None
    assert deadlines.dos_until(MAIN, node) == released
    assert deadlines.restart_from(MAIN, node) == released + 1


@pytest.mark.parametrize(
    ("status", "height"),
    [(Status.EXPIRED, 700_001), (Status.RELEASED, 700_001), (Status.SPENT, None), (Status.REMOVED, None)],
)
def test_gone(status: Status, height: int | None) -> None:
    assert deadlines.restart_from(MAIN, replace(NODE, status=status, ended=700_000)) == height


def test_lists_leave_out_what_is_overdue() -> None:
    """At the tip, by the constants of the tip, sooner first and equal ones by outpoint."""
    nodes = [
        replace(NODE, started=started, outpoint=outpoint(bytes(32), n))
        for n, started in enumerate((939, 940, 950, 940))
    ]
    listed = deadlines.start_list(MAIN, nodes, 1000)
    assert [(left, node.outpoint[-1]) for left, node in listed] == [(0, 1), (0, 3), (10, 2)]
    assert [left for left, _ in deadlines.dos_list(MAIN, nodes, 1000)] == [119, 120, 120, 130]


@pytest.mark.parametrize(("tip", "rank", "height"), [(100, 0, 400), (399, 5, 405), (400, 0, 401), (500, 7, 508)])
def test_pays_by(tip: int, rank: int, height: int) -> None:
    assert deadlines.pays_by_height(tip, 400, rank) == height
