"""Eras of the subsidy, and the time that blocks to come take."""

from __future__ import annotations

from itertools import pairwise

import pytest

from indexer.chain.eras import day_begin, day_number, era_after, eras, target_seconds
from indexer.chain.networks import MAIN, REGTEST, TEST
from indexer.chain.params import Network, target_spacing
from indexer.chain.subsidy import block_subsidy
from indexer.demo.network import demo_network
from tests import recorded

DEMO = demo_network()


def test_eras_of_main_net() -> None:
    first_six = [(era.kind, era.number, era.first, era.last, era.subsidy) for era in eras(MAIN)[:6]]
    assert first_six == [
        ("slow_start", 0, 0, 4_999, 15_000_000_000),
        ("full_subsidy", 0, 5_000, 657_849, 15_000_000_000),
        ("halving", 1, 657_850, 1_313_199, 7_500_000_000),
        ("halving", 2, 1_313_200, 2_019_999, 3_750_000_000),
        ("pon", 0, 2_020_000, 3_071_199, 1_400_000_000),
        ("reduction", 1, 3_071_200, 4_122_399, 1_260_000_000),
    ]
    last = eras(MAIN)[-1]
    assert (last.number, last.first, last.last, last.subsidy) == (20, 23_044_000, None, 170_207_313)


@pytest.mark.parametrize("network", [MAIN, TEST, REGTEST, DEMO, recorded.network()], ids=lambda n: n.name)
def test_eras_follow_one_another_and_have_one_subsidy(network: Network) -> None:
    found = eras(network)
    assert found[0].first == 0
    for before, after in pairwise(found):
        assert before.last == after.first - 1
        assert block_subsidy(network, after.first) != block_subsidy(network, before.first)
    for era in found:
        if era.kind != "slow_start" and era.last:
            low = era.first + (era.first <= 1) * 2
            assert {block_subsidy(network, height) for height in (low, era.last)} == {era.subsidy}


def test_the_era_to_come() -> None:
    assert era_after(MAIN, 0) == eras(MAIN)[1]
    for height, first in [(3_071_199, 3_071_200), (3_071_200, 4_122_400)]:
        era = era_after(MAIN, height)
        assert era is not None and era.first == first
    assert era_after(MAIN, 23_044_000) is None


@pytest.mark.parametrize("network", [DEMO, TEST, REGTEST], ids=lambda n: n.name)
def test_target_seconds_are_the_sum_of_the_spacings(network: Network) -> None:
    for after, last in [(0, 0), (5, 4), (0, 1), (0, 900), (799, 801), (1290, 1310), (1300, 2000)]:
        expected = sum(target_spacing(network, height) for height in range(after + 1, last + 1))
        assert target_seconds(network, after, last) == expected


@pytest.mark.parametrize(
    ("network", "height", "number", "begin"),
    [
        (MAIN, 0, 0, 0), (MAIN, 719, 0, 0), (MAIN, 720, 1, 720), (MAIN, 2_019_999, 2805, 2_019_600),
        (MAIN, 2_020_000, 2806, 2_020_000), (MAIN, 2_022_879, 2806, 2_020_000), (MAIN, 2_022_880, 2807, 2_022_880),
        (REGTEST, 0, 0, 0), (REGTEST, 1, 1, 1),
    ],
    ids=str,
)  # fmt: skip
def test_days_of_blocks(network: Network, height: int, number: int, begin: int) -> None:
    assert (day_number(network, height), day_begin(network, height)) == (number, begin)
