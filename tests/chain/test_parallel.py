"""The official all-chains formula, what parallel chains earn, and the first height past a limit."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.chain.networks import MAIN, TEST
from indexer.chain.parallel import (
    ParallelRule,
    all_chains_formula,
    formula_passing,
    growth_passing,
    mining_share,
    parallel_earnings,
)
from indexer.chain.params import COIN, Network, pon_active
from indexer.chain.subsidy import block_subsidy, issue_at
from indexer.demo.network import demo_network
from tests import recorded

DEMO = demo_network()

LAUNCHES = (825_000, 883_000, 883_000, 969_500, 969_500, 1_170_000, 1_210_000, 1_330_000, 1_414_000, 1_738_000)
RULE = ParallelRule(825_001, LAUNCHES)


def flux(text: str) -> int:
    """Zatoshi of an amount written in FLUX."""
    return int(Decimal(text.replace(",", "")) * COIN)


def official(height: int) -> Decimal:
    """The official code of main net, line by line, with the PoN reductions that it lacks."""
    mined_until = min(height, 2_020_000 - 1)
    halvings = min(2, (mined_until - 2500) // 655_350)
    coins = Decimal((657_850 - 5000) * 150 + 375_000 + 13_020_000)
    if height >= 835_554:
        coins += 10_000_000
    coins += sum(height > launch for launch in LAUNCHES) * (1_000_000 + Decimal("12313785.94991485"))
    subsidy = Decimal(150)
    for i in range(1, halvings + 1):
        subsidy /= 2
        active = sum(mined_until > launch for launch in LAUNCHES) if mined_until > 825_000 else 0
        if i == halvings:
            blocks = mined_until - 657_850 - (i - 1) * 655_350
            coins += blocks * subsidy + blocks * subsidy * active / 10
        else:
            coins += 655_350 * subsidy + (655_350 - (825_000 - 657_850)) * subsidy * active / 10
    years = [Decimal(14), Decimal("12.6"), Decimal("11.34"), Decimal("10.206")]
    for year, reward in enumerate(years):
        first = 2_020_000 + year * 1_051_200
        coins += 2 * reward * max(0, min(height + 1, first + 1_051_200) - first)
    return coins


@pytest.mark.parametrize(
    "height",
    [1_313_200, 1_313_201, 1_330_000, 1_330_001, 1_413_000, 1_738_000, 1_738_001, 2_019_998, 2_019_999, 2_020_000,
     2_020_001, 2_996_919, 3_071_199, 3_071_200, 3_071_201, 3_150_000, 3_758_892, 4_122_399, 5_173_600, 6_224_799],
)  # fmt: skip
def test_the_formula_is_the_official_one_since_the_second_halving(height: int) -> None:
    assert all_chains_formula(MAIN, RULE, height) == int(official(height) * COIN)


def test_the_value_that_trackers_were_served() -> None:
    """420590294.4991484 was the live answer at this height: the shadow of this in floating point."""
    assert all_chains_formula(MAIN, RULE, 2_996_919) == 42059029449914850


def test_before_the_second_halving_parallel_mining_counts_from_its_beginning() -> None:
    for height in (825_001, 900_000, 1_313_199):
        counted_too_early = (825_000 - 657_850) * flux("7.5") * RULE.launched(height)
        assert all_chains_formula(MAIN, RULE, height) == int(official(height) * COIN) - counted_too_early
    assert all_chains_formula(MAIN, RULE, 825_000) is None


def naive(network: Network, rule: ParallelRule, height: int) -> int:
    """The formula block by block."""
    own = network.subsidy
    total = own.premine + own.initial * own.slow_start_interval // 2
    total += sum(height > launch for launch in rule.launches) * flux("13,313,785.94991485")
    if height >= network.upgrades.flux:
        total += network.funds.exchange.amount + network.funds.foundation.amount
    pow_last = min(height, network.upgrades.pon - 1)
    native = parallel = pon = 0
    for block in range(height + 1):
        subsidy = block_subsidy(network, block)
        if pon_active(network, block):
            pon += subsidy
        elif block < pow_last:
            native += subsidy if block >= own.slow_start_interval and block != own.premine_height else 0
            parallel += subsidy if block >= rule.mining_from - 1 else 0
    launched = sum(height > launch for launch in rule.launches)
    total += native + parallel * sum(pow_last > launch for launch in rule.launches) // 10
    return total + pon * (10 + launched) // 10


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_formula_equals_the_sum_over_all_blocks(data: st.DataObject) -> None:
    network = data.draw(st.sampled_from([DEMO, recorded.network()]))
    mining_from = data.draw(st.integers(60, 1500))
    launches = data.draw(st.lists(st.integers(mining_from - 1, 3000), max_size=10))
    rule = ParallelRule(mining_from, tuple(launches))
    height = data.draw(st.integers(mining_from, 3500))
    assert all_chains_formula(network, rule, height) == naive(network, rule, height)


def test_where_the_formula_passes_a_limit() -> None:
    assert formula_passing(MAIN, RULE, 440_000_000 * COIN) == 3_758_893
    assert formula_passing(MAIN, RULE, 0) == 825_001
    assert formula_passing(MAIN, RULE, 10**40) is None


@given(st.integers(10**15, 10**17))
def test_the_height_that_passes_is_the_first(limit: int) -> None:
    height = formula_passing(MAIN, RULE, limit)
    assert height is not None
    value, before = all_chains_formula(MAIN, RULE, height), all_chains_formula(MAIN, RULE, height - 1)
    assert value is not None and value > limit
    assert before is None or before <= limit


@settings(max_examples=30, deadline=None)
@given(st.integers(500, 1500), st.integers(0, 10**13))
def test_growth_passes_where_the_sum_over_the_blocks_does(after: int, room: int) -> None:
    rule = ParallelRule(600, (599, 700, 1200))
    height = growth_passing(DEMO, rule, after, room)
    assert height is not None and height > after

    def growth(last: int) -> int:
        blocks = range(after + 1, last + 1)
        native = sum(issue_at(DEMO, block) for block in blocks)
        earned = sum(block_subsidy(DEMO, block) for block in blocks if block >= rule.mining_from)
        return native + earned * rule.launched(last) // 10

    assert growth(height) > room >= growth(height - 1)


def test_a_tenth_of_each_payout_since_mining_began() -> None:
    assert mining_share(RULE, 825_000, flux("9.375")) == 0
    assert mining_share(RULE, 825_001, flux("9.375")) == flux("0.9375")
    assert mining_share(RULE, 3_071_200, 1_701_000_009) == 170_100_000


@pytest.mark.parametrize("network", [DEMO, TEST], ids=["demo", "test"])
def test_earnings_are_a_tenth_for_each_launched_chain(network: Network) -> None:
    rule = ParallelRule(500, (499, 700, 5000))
    subsidies = list(accumulate(block_subsidy(network, height) for height in range(2001)))
    for after, last in [(100, 400), (100, 600), (499, 500), (600, 2000), (1999, 2000), (2000, 2000), (1500, 1000)]:
        begin = max(after, 499)
        expected = (subsidies[last] - subsidies[begin]) * rule.launched(last) // 10 if last > begin else 0
        assert parallel_earnings(network, rule, after, last) == expected
