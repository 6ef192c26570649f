"""Collateral amounts and waiting times by height."""

from __future__ import annotations

import pytest

from indexer.chain import tiers
from indexer.chain.networks import MAIN, REGTEST, TEST
from indexer.chain.params import COIN
from indexer.chain.tiers import Tier, Windows

# height, S, D, E, M on main net
MAIN_WINDOWS = [
    (558_000, 60, 180, 60, 40),
    (835_553, 60, 180, 60, 40),
    (835_554, 60, 180, 80, 40),
    (1_076_531, 60, 180, 80, 40),
    (1_076_532, 60, 180, 160, 120),
    (2_019_999, 60, 180, 160, 120),
    (2_020_000, 240, 720, 640, 500),
    (3_000_000, 240, 720, 640, 500),
]


@pytest.mark.parametrize(("height", "start", "dos", "expiry", "update"), MAIN_WINDOWS)
def test_windows(height: int, start: int, dos: int, expiry: int, update: int) -> None:
    assert tiers.windows(MAIN, height) == Windows(start, dos, expiry, update)


def test_windows_where_pon_is_disabled_but_blocks_are_pon() -> None:
    assert tiers.windows(REGTEST, 1) == Windows(240, 180, 60, 40)


# tier, FLUX, first height accepted, first height refused (None: never)
AMOUNTS = [
    (Tier.CUMULUS, 10_000, 558_000, 1_086_612),
    (Tier.CUMULUS, 1_000, 1_076_532, None),
    (Tier.NIMBUS, 25_000, 558_000, 1_092_372),
    (Tier.NIMBUS, 12_500, 1_081_572, None),
    (Tier.STRATUS, 100_000, 558_000, 1_097_412),
    (Tier.STRATUS, 40_000, 1_087_332, None),
]


@pytest.mark.parametrize(("tier", "flux", "first", "end"), AMOUNTS)
def test_collateral_amounts(tier: Tier, flux: int, first: int, end: int | None) -> None:
    assert tiers.tier_of_collateral(MAIN, flux * COIN, first) == tier
    assert tiers.tier_of_collateral(MAIN, flux * COIN + 1, first) is None
    assert tiers.tier_of_collateral(MAIN, flux * COIN - 1, first) is None
    if first > 558_000:
        assert not tiers.collateral_acceptable(MAIN, flux * COIN, first - 1)
    if end is not None:
        assert tiers.collateral_acceptable(MAIN, flux * COIN, end - 1)
        assert not tiers.collateral_acceptable(MAIN, flux * COIN, end)
        assert not tiers.transition_ended(MAIN, tier, end - 1)
        assert tiers.transition_ended(MAIN, tier, end)
    else:
        assert tiers.collateral_acceptable(MAIN, flux * COIN, 3_000_000)


def test_no_amount_belongs_to_two_tiers() -> None:
    amounts = [*tiers.OLD_COLLATERAL.values(), *tiers.NEW_COLLATERAL.values()]
    assert len(set(amounts)) == len(amounts) == 6


def test_sweep_heights() -> None:
    assert tiers.sweep_heights(MAIN) == {1_086_612, 1_092_372, 1_097_412}
    assert tiers.sweeps_collaterals(MAIN, 1_076_532) and not tiers.sweeps_collaterals(MAIN, 1_076_531)
    assert tiers.sweeps_collaterals(MAIN, 1_097_421) and not tiers.sweeps_collaterals(MAIN, 1_097_422)
    assert tiers.sweep_heights(TEST) == {520}
    assert tiers.sweep_heights(REGTEST) == set(), "without the halving upgrade nothing is swept"


def test_acceptability_changes_for_the_worse_only_at_sweep_heights() -> None:
    amounts = [*tiers.OLD_COLLATERAL.values(), *tiers.NEW_COLLATERAL.values()]
    lapses = {
        height
        for height in range(1_076_000, 1_098_000)
        for value in amounts
        if tiers.collateral_acceptable(MAIN, value, height - 1) and not tiers.collateral_acceptable(MAIN, value, height)
    }
    assert lapses == tiers.sweep_heights(MAIN)


@pytest.mark.parametrize(
    ("since", "first"),
    [
        (700_000, 700_060),
        (835_493, 835_553),  # the last one by the old value
        (835_494, 835_574),  # one block later the new value holds
        (835_500, 835_580),
        (1_076_450, 1_076_530),
        (1_076_452, 1_076_612),
        (2_019_839, 2_019_999),
        (2_019_840, 2_020_480),
        (2_500_000, 2_500_640),
    ],
)
def test_first_height_after_a_wait(since: int, first: int) -> None:
    assert tiers.first_after(MAIN, tiers.EXPIRY, since) == first


@pytest.mark.parametrize("era", [tiers.START_WAIT, tiers.DOS_RELEASE, tiers.EXPIRY, tiers.UPDATE_AFTER])
def test_first_height_is_the_first(era: tiers.Era) -> None:
    """By the definition, height by height, across every border of the test net."""
    for since in range(350, 1300):
        counted = next(h for h in range(since, since + 2000) if h >= since + tiers.era_value(TEST, era, h))
        assert tiers.first_after(TEST, era, since) == counted


def test_labels() -> None:
    assert [tier.label for tier in Tier] == ["cumulus", "nimbus", "stratus"]
