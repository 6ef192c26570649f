"""The token bucket by a clock of the test's own, in whole nanoseconds."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.guard.allowance import SECOND, Allowance


class Clock:
    """Stands still until it is set."""

    now = 5 * SECOND

    def __call__(self) -> int:
        return self.now


def test_a_bucket_empties_and_fills() -> None:
    clock = Clock()
    allowance = Allowance(10, 30, clock=clock)
    assert [allowance.spend("a", 10) for _ in range(4)] == [0, 0, 0, SECOND]
    assert allowance.spend("b", 30) == 0
    clock.now += SECOND - 1
    assert allowance.spend("a", 10) == 1
    clock.now += 1
    assert (allowance.spend("a", 10), allowance.spend("a", 1)) == (0, SECOND // 10)
    clock.now += 100 * SECOND
    assert (allowance.spend("a", 30), allowance.spend("a", 1)) == (0, SECOND // 10)


def test_what_costs_more_than_a_bucket_costs_a_bucket() -> None:
    clock = Clock()
    allowance = Allowance(10, 30, clock=clock)
    assert (allowance.spend("a", 1000), allowance.spend("a", 1000)) == (0, 3 * SECOND)


def test_a_rate_of_zero_is_no_limit() -> None:
    allowance = Allowance(0, 1)
    assert {allowance.spend("a", 1000) for _ in range(100)} == {0}
    assert len(allowance) == 0


def test_thousands_of_clients_take_no_more_memory_than_the_last_ones() -> None:
    clock = Clock()
    allowance = Allowance(1, 5, most=100, clock=clock)
    for n in range(5000):
        allowance.spend("steady", 1)  # who asks all the time is not forgotten
        allowance.spend(f"2001:db8:{n:x}::/64", 1)
        assert len(allowance) <= 100
    assert allowance.spend("steady", 1) > 0
    assert allowance.spend("2001:db8:1387::/64", 5) > 0


SPENT = st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 40)), max_size=60)


@settings(max_examples=60)
@given(rate=st.integers(1, 10**6), burst=st.integers(1, 100), spent=SPENT)
def test_never_more_than_the_burst_and_what_time_brings(
    rate: int, burst: int, spent: list[tuple[int, int]]
) -> None:
    """In any stretch of time; and who waits as long as is told, gets it."""
    clock = Clock()
    allowance = Allowance(rate, burst, clock=clock)
    given_out: list[tuple[int, int]] = []
    for pause, tokens in spent:
        clock.now += pause
        wait = allowance.spend("a", tokens)
        if wait:
            clock.now += wait
            assert allowance.spend("a", tokens) == 0
        given_out.append((clock.now, min(tokens, burst)))
    a_token = SECOND // rate
    for first in range(len(given_out)):
        total = 0
        for now, tokens in given_out[first:]:
            total += tokens
            assert total * a_token <= burst * a_token + now - given_out[first][0]
