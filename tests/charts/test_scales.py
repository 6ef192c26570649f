"""Axes: what is marked, and where values lie."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.charts.scales import MARGIN, exact, round_up, step

SPANS = st.integers(1, 10**18)


@pytest.mark.parametrize(
    ("span", "most", "size"),
    [(1, 6, 1), (6, 6, 1), (7, 6, 2), (10, 2, 5), (12, 6, 2), (13, 6, 5), (60, 6, 10), (61, 6, 20), (999, 6, 200)],
)  # fmt: skip
def test_steps(span: int, most: int, size: int) -> None:
    assert step(span, most) == size


@given(SPANS, st.integers(2, 12))
def test_a_step_is_the_least_that_fits(span: int, most: int) -> None:
    size = step(span, most)
    assert size * most >= span
    assert str(size).rstrip("0") in ("1", "2", "5")
    smaller = size // 2 if str(size)[0] in "12" else size * 2 // 5
    assert size == 1 or smaller * most < span


@given(st.lists(st.integers(0, 10**9), max_size=30), st.integers(2, 12))
def test_an_exact_axis_ends_with_its_values(values: list[int], most: int) -> None:
    scale = exact(tuple(values), most)
    assert all(scale.contains(value) for value in values)
    assert scale.first == min(values, default=0)
    assert len(scale.marks) <= most + 1
    assert all(scale.first <= mark <= scale.last - (scale.last - scale.first) // MARGIN for mark in scale.marks)


@given(st.lists(st.integers(-(10**17), 10**17), max_size=30), st.integers(2, 12), st.sampled_from([1, 10**8]))
def test_a_rounded_axis_holds_zero_and_its_values(values: list[int], most: int, unit: int) -> None:
    scale = round_up(tuple(values), most, unit)
    assert all(scale.contains(value) for value in (0, *values))
    assert 0 in scale.marks and len(scale.marks) <= most + 2
    assert all(mark % unit == 0 for mark in scale.marks)
    assert (scale.marks[0], scale.marks[-1]) == (scale.first, scale.last)


def test_places_are_given_to_a_tenth() -> None:
    scale = exact((100, 400), 3)
    assert scale.project(100, 0, 30) == 0
    assert scale.project(400, 0, 30) == 30
    assert scale.project(201, 0, 30) == 10.1
    assert scale.project(100, 30, 0) == 30
