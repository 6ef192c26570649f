"""Where running totals reach values: against a walk over all heights, in few round trips."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Collection
from itertools import accumulate
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.db import View
from explorer.queries.running import first_reaching, first_reaching_each

MAIN_NET = 2_700_000


class Totals:
    """A view of blocks with a running total; heights from ``gone`` up have no row any more."""

    def __init__(self, totals: Any, gone: int | None = None) -> None:
        self.tip = SimpleNamespace(height=len(totals) - 1)
        self.asked: list[int] = []  # rows, round by round
        self._totals, self._gone = totals, len(totals) if gone is None else gone

    def _found(self, heights: Collection[int]) -> list[dict[str, int]]:
        assert all(0 <= height <= self.tip.height for height in heights)
        self.asked.append(len(heights))
        return [{"_id": h, "n": self._totals[h]} for h in heights if h < self._gone]

    async def rows(self, collection: str, ids: Collection[int]) -> dict[int, dict[str, int]]:
        return {row["_id"]: row for row in self._found(ids)}

    async def many(self, collection: str, where: Any, **more: Any) -> list[dict[str, int]]:
        return self._found(where["_id"]["$in"])


def each(view: Totals, values: list[int]) -> list[int | None]:
    return asyncio.run(first_reaching_each(cast(View, view), "n", values))


@given(st.lists(st.integers(0, 3), min_size=1, max_size=1500), st.lists(st.integers(-1, 900), max_size=40))
def test_each_value_is_reached_where_a_walk_finds_it(steps: list[int], values: list[int]) -> None:
    totals = list(accumulate(steps))
    walked = [bisect_left(totals, value) for value in values]
    assert each(Totals(totals), values) == [height if height < len(totals) else None for height in walked]


def test_one_value_is_found_in_three_round_trips() -> None:
    view = Totals(range(MAIN_NET))
    assert asyncio.run(first_reaching(cast(View, view), "n", 1_234_567)) == 1_234_567
    assert (len(view.asked), max(view.asked)) == (3, 400)


@pytest.mark.parametrize(("count", "rounds", "rows"), [(50, 7, 500), (1000, 15, 2000)])
def test_many_values_share_the_rows_of_a_round(count: int, rounds: int, rows: int) -> None:
    view = Totals(range(MAIN_NET))
    values = list(range(17, MAIN_NET, MAIN_NET // count))[:count]
    assert each(view, values) == values
    assert len(view.asked) <= rounds
    assert max(view.asked) <= rows


def test_rows_that_a_reorganisation_has_taken_end_the_search_at_them() -> None:
    assert each(Totals([0, 0, 1, 1, 2], gone=3), [1, 2, 3]) == [2, 3, 3]
