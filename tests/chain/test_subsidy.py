"""The schedule of new coins: spec tables, the daemon's answers, and a sum over every block."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from itertools import accumulate, chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain import subsidy
from indexer.chain.networks import MAIN, REGTEST, TEST
from indexer.chain.params import COIN, MAX_MONEY, Network
from indexer.chain.subsidy import (
    block_subsidy,
    height_passing,
    issue_at,
    one_off_funds,
    scheduled_issue,
)
from tests import recorded

SUPPLY = json.loads((recorded.DATA / "vectors" / "supply.json").read_text())


def flux(text: str) -> int:
    """Zatoshi of an amount written in FLUX."""
    return int(Decimal(text.replace(",", "")) * COIN)


@pytest.mark.parametrize("row", SUPPLY, ids=lambda row: str(row["height"]))
def test_supply_vectors(row: dict[str, int]) -> None:
    height = row["height"]
    assert block_subsidy(MAIN, height) == row["subsidy"]
    assert sum(fund.amount for fund in one_off_funds(MAIN, height)) == row["special"]
    assert scheduled_issue(MAIN, height) == row["cumulative"]


# Cumulative emission on main net, block included: height, subsidy at it, sum; both in FLUX.
EMISSION = """
1 13,020,000 13,020,000.00
2500 75.03 13,113,787.50
4999 150 13,394,999.97
5000 150 13,395,149.97
100000 150 27,645,149.97
500000 150 87,645,149.97
655350 150 110,947,649.97
657849 150 111,322,499.97
657850 75 111,322,574.97
836273 75 124,704,299.97
836274 75 132,204,374.97
836994 75 134,758,374.97
837713 75 134,812,299.97
837714 75 156,812,374.97
859314 75 180,432,374.97
1032114 75 369,392,374.97
1076532 75 372,723,724.97
1313199 75 390,473,749.97
1313200 37.5 390,473,787.47
1500000 37.5 397,478,787.47
1549500 37.5 399,335,037.47
1786000 37.5 408,203,787.47
1786999 37.5 408,241,249.97
2019999 37.5 416,978,749.97
2020000 14 416,978,763.97
2100000 14 418,098,763.97
3000000 14 430,698,763.97
3071199 14 431,695,549.97
3071200 12.6 431,695,562.57
3730282 12.6 439,999,995.77
3730283 12.6 440,000,008.37
4122400 11.34 444,940,681.31
10000000 6.6961566 497,919,089.4295166
23043999 1.89119237 546,254,556.586208
31119706 1.70207313 560,000,000.47666091
"""


@pytest.mark.parametrize("row", EMISSION.split("\n")[1:-1], ids=lambda row: row.split()[0])
def test_emission_table(row: str) -> None:
    height, reward, total = row.split()
    assert block_subsidy(MAIN, int(height)) == flux(reward)
    assert scheduled_issue(MAIN, int(height)) == flux(total)


@pytest.mark.parametrize(
    "reductions, from_height, reward",
    [
        (0, 2_020_000, "14"),
        (1, 3_071_200, "12.6"),
        (2, 4_122_400, "11.34"),
        (3, 5_173_600, "10.206"),
        (4, 6_224_800, "9.1854"),
        (5, 7_276_000, "8.26686"),
        (10, 12_532_000, "4.88149815"),
        (20, 23_044_000, "1.70207313"),
        (20, 10**9, "1.70207313"),
    ],
)
def test_pon_years(reductions: int, from_height: int, reward: str) -> None:
    assert subsidy.pon_reductions(MAIN, from_height) == reductions
    assert block_subsidy(MAIN, from_height) == flux(reward)
    assert block_subsidy(MAIN, from_height - 1) > block_subsidy(MAIN, from_height) or from_height == 10**9


@pytest.mark.parametrize(
    "network, height, amount",
    [
        (MAIN, 0, 0),
        (MAIN, 2, 6_000_000),
        (MAIN, 2499, 7_497_000_000),
        (MAIN, 1_968_550, flux("37.5")),  # no third halving
        (TEST, 1, flux("13020000")),
        (TEST, 2, flux("150")),
        (TEST, 799, flux("150")),
        (TEST, 800, flux("14")),
        (TEST, 526_399, flux("14")),
        (TEST, 526_400, flux("12.6")),
        (TEST, 10**8, flux("1.70207313")),
        (REGTEST, 1, flux("14")),
        (REGTEST, 98, flux("14")),
        (REGTEST, 99, flux("12.6")),
        (REGTEST, 998, flux("5.42388684")),
        (REGTEST, 999, flux("4.88149815")),
        (REGTEST, 10**6, flux("4.88149815")),
    ],
)
def test_single_heights(network: Network, height: int, amount: int) -> None:
    assert block_subsidy(network, height) == amount


def test_the_daemons_answers() -> None:
    """getblocksubsidy at every height but genesis, where it may abort the daemon."""
    answers = recorded.subsidies()
    assert sorted(answers) == list(range(1, recorded.TIP + 1))
    assert {height: block_subsidy(recorded.network(), height) for height in answers} == answers


def test_the_daemons_answers_above_the_tip() -> None:
    heights = set()
    for call in recorded.rpc_calls():
        if call["method"] == "getblocksubsidy" and call["response"]["result"]:
            result = call["response"]["result"]
            height = call["params"][0] if call["params"] else call["height"]
            heights.add(height)
            assert block_subsidy(recorded.network(), height) == int(result["miner"] * COIN), height
    assert {2600, 3000, 1_000_000} <= heights


MAIN_ONE_OFFS = {836_274: "exchange", 836_994: "foundation"} | {837_714 + 21_600 * i: "swap_pool" for i in range(10)}


def test_one_offs_of_main_net() -> None:
    around = {height + beside for height in MAIN_ONE_OFFS for beside in (-1, 0, 1)} | {837_714 - 21_600, 1_053_714}
    for height in around:
        names = [fund.name for fund in one_off_funds(MAIN, height)]
        assert names == ([MAIN_ONE_OFFS[height]] if height in MAIN_ONE_OFFS else []), height


def test_several_one_offs_at_one_height() -> None:
    funds = one_off_funds(REGTEST, 10)
    assert [(fund.name, fund.amount) for fund in funds] == [
        ("exchange", flux("3000000")),
        ("foundation", flux("2500000")),
        ("swap_pool", flux("2100000")),
    ]


BRUTE_FORCE_TIP = 3_200_000


def brute_force_main() -> list[int]:
    """The sum at every height, from the era table of main net written out by hand."""
    reward = [0] * (BRUTE_FORCE_TIP + 1)
    reward[1] = 13_020_000 * COIN
    reward[2:2500] = [3_000_000 * h for h in range(2, 2500)]
    reward[2500:5000] = [3_000_000 * (h + 1) for h in range(2500, 5000)]
    for begin, end, amount in (
        (5_000, 657_850, 15_000_000_000),
        (657_850, 1_313_200, 7_500_000_000),
        (1_313_200, 2_020_000, 3_750_000_000),
        (2_020_000, 3_071_200, 1_400_000_000),
        (3_071_200, BRUTE_FORCE_TIP + 1, 1_260_000_000),
    ):
        reward[begin:end] = [amount] * (end - begin)
    reward[836_274] += 7_500_000 * COIN
    reward[836_994] += 2_500_000 * COIN
    for number in range(10):
        reward[837_714 + 21_600 * number] += 22_000_000 * COIN
    return list(accumulate(reward))


def test_closed_form_equals_the_sum_over_main_net() -> None:
    sums = brute_force_main()
    special = chain(MAIN_ONE_OFFS, (0, 1, 2, 2500, 5000, 657_850, 1_313_200, 2_020_000, 3_071_200))
    heights = {h + beside for h in special for beside in (-1, 0, 1)} | set(range(0, BRUTE_FORCE_TIP, 499))
    for height in heights | set(range(6000)):
        assert scheduled_issue(MAIN, height) == (sums[height] if height >= 0 else 0), height


@pytest.mark.slow
def test_closed_form_equals_the_sum_at_every_height_of_main_net() -> None:
    for height, total in enumerate(brute_force_main()):
        assert scheduled_issue(MAIN, height) == total, height


NETWORKS = {
    "recorded": recorded.network(),
    "test": TEST,
    "regtest": REGTEST,
    "late-premine": replace(MAIN, subsidy=replace(MAIN.subsidy, premine_height=3000, slow_start_interval=4001)),
}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_closed_form_equals_the_running_sum(network: Network) -> None:
    for height, total in enumerate(accumulate(issue_at(network, h) for h in range(6000))):
        assert scheduled_issue(network, height) == total, height


def test_limits_of_main_net() -> None:
    assert height_passing(MAIN, MAX_MONEY) == 3_730_283
    assert height_passing(MAIN, 560_000_000 * COIN) == 31_119_706


@given(st.sampled_from([MAIN, TEST, REGTEST]), st.integers(-1, 2_000_000_000 * COIN))
def test_height_passing_is_the_first(network: Network, limit: int) -> None:
    height = height_passing(network, limit)
    assert height is not None
    assert scheduled_issue(network, height) > limit
    assert height == 0 or scheduled_issue(network, height - 1) <= limit


def test_a_schedule_that_ends_never_passes_its_sum() -> None:
    ending = replace(
        MAIN,
        upgrades=replace(MAIN.upgrades, pon=10**12),
        subsidy=replace(MAIN.subsidy, halving_interval=1000, max_halvings=60),
    )
    end = scheduled_issue(ending, 10**6)
    assert scheduled_issue(ending, 10**11) >= end
    assert height_passing(replace(ending, subsidy=replace(ending.subsidy, pon_initial=0)), 10**18) is None
    assert height_passing(ending, end - 1) is not None
