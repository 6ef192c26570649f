"""Counts of several workers in memory that they share."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from explorer.counts import BUCKETS, Counts
from explorer.metrics import Metrics
from explorer.tally import HALF, HEAD, Tally, tallying


@pytest.fixture
def shared() -> Iterator[int]:
    """Memory for several workers."""
    descriptor = os.memfd_create("test")
    yield descriptor
    os.close(descriptor)


def counted(**seconds: float) -> Counts:
    """Counts of one answer of each of these functions."""
    counts = Counts()
    for endpoint, taken in seconds.items():
        counts.note(endpoint, 200, taken)
    return counts


def test_every_worker_answers_for_all(shared: int) -> None:
    tallies = [Tally(shared, number, 3) for number in range(3)]
    for number, tally in enumerate(tallies):
        assert tally.own() == Counts()
        counts = counted(home=0.5, status=0.001)
        counts.refused["rate"], counts.listeners = number, 2
        tally.write(counts)
    metrics = Metrics(tallies[1])
    metrics.counts.add(tallies[1].own())
    lines = metrics.text({"tip_height": 7}).splitlines()
    for line in (
        "flux_explorer_tip_height 7",
        "flux_explorer_event_listeners 6",
        'flux_explorer_refused_total{kind="rate"} 3',
        'flux_explorer_requests_total{endpoint="home",status="200"} 3',
        'flux_explorer_request_seconds_bucket{endpoint="home",le="0.25"} 0',
        'flux_explorer_request_seconds_bucket{endpoint="home",le="0.5"} 3',
        'flux_explorer_request_seconds_bucket{endpoint="status",le="0.001"} 3',
        'flux_explorer_request_seconds_bucket{endpoint="status",le="+Inf"} 3',
        'flux_explorer_request_seconds_sum{endpoint="home"} 1.500000',
        'flux_explorer_request_seconds_count{endpoint="home"} 3',
    ):
        assert line in lines


def test_what_is_written_last_is_read_also_when_the_next_writing_was_cut_short(shared: int) -> None:
    tally, reader = Tally(shared, 1, 2), Tally(shared, 0, 2)
    for number in range(1, 8):
        tally.write(counted(**{f"f{n}": 0.1 for n in range(number)}))
        assert [len(counts.times) for counts in reader.others()] == [number]
    os.pwrite(shared, HEAD.pack(8, 100, 1) + b"torn", 2 * HALF + HALF * (8 % 2))
    assert [len(counts.times) for counts in reader.others()] == [7]
    assert len(tally.own().times) == 7


def test_who_takes_the_place_of_another_counts_on(shared: int) -> None:
    async def work(listeners: int, taken: float) -> Counts:
        counts = Counts()
        async with tallying(Tally(shared, 0, 1), counts, lambda: listeners):
            await asyncio.sleep(0)
            counts.note("home", 200, taken)
        return counts

    asyncio.run(work(5, 0.1))
    counts = asyncio.run(work(0, 9.0))
    assert counts.requests == {("home", 200): 2}
    assert counts.seconds == {"home": pytest.approx(9.1)}
    assert (counts.times["home"][-1], sum(counts.times["home"])) == (1, 2)
    left = Tally(shared, 0, 1).own()
    assert (left, left.listeners) == (replace(counts, listeners=0), 0)


def test_too_many_counts_are_refused_not_cut(shared: int) -> None:
    tally = Tally(shared, 0, 1)
    tally.write(counted(home=1))
    with pytest.raises(ValueError, match="do not fit"):
        tally.write(counted(**{f"f{n:0100}": 0.1 for n in range(8000)}))
    assert tally.own() == counted(home=1)


def test_the_bounds_include_what_is_equal_to_them() -> None:
    counts = Counts()
    random.seed(1)
    taken = [*BUCKETS, 0.0, 6.0, *(random.expovariate(10) for _ in range(200))]
    for seconds in taken:
        counts.note("f", 200, seconds)
    told = [line.rsplit(" ", 1)[1] for line in counts.lines() if "_bucket" in line]
    assert told == [str(sum(seconds <= bound for seconds in taken)) for bound in (*BUCKETS, 1e9)]
