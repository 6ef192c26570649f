"""Payout amounts and the judgement of coinbases: spec tables, hand-made cases, every recorded coinbase."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.chain.keys import NO_ADDRESS, P2PKH, P2SH
from indexer.chain.networks import MAIN, TEST
from indexer.chain.params import COIN, Network, target_spacing
from indexer.chain.payouts import (
    DEV_FUND,
    EXCHANGE,
    FOUNDATION,
    FUND_NAMES,
    MINER,
    NODE_PAYOUT,
    OTHER,
    SWAP_POOL,
    CoinbaseJudgement,
    CoinbaseOutput,
    coinbase_limit,
    dev_fund_minimum,
    judge_coinbase,
    payouts_ahead,
    tier_payout,
    tier_payouts,
)
from indexer.chain.queue import pays_nodes
from indexer.chain.subsidy import block_subsidy, one_off_funds
from tests import recorded
from tests.chain.recorded_coinbases import NETWORK, RecordedCoinbase, coinbases

MINER_KEY, CUMULUS, NIMBUS, STRATUS = (bytes([P2PKH]) + bytes([n]) * 20 for n in range(4))
DEV = MAIN.funds.dev_fund_address


def zat(text: str) -> int:
    """Zatoshi of an amount written in FLUX."""
    return int(Decimal(text) * COIN)


def pays(text: str, address: bytes, exact: bool = True) -> CoinbaseOutput:
    """A coinbase output of this many FLUX."""
    return CoinbaseOutput(zat(text), address, exact)


@pytest.mark.parametrize(
    "height, amounts, rest",
    [
        (560_000, "5.625 9.375 22.5", "112.5"),
        (657_849, "5.625 9.375 22.5", "112.5"),
        (657_850, "2.8125 4.6875 11.25", "56.25"),
        (835_553, "2.8125 4.6875 11.25", "56.25"),
        (835_554, "5.625 9.375 22.5", "37.5"),
        (1_313_199, "5.625 9.375 22.5", "37.5"),
        (1_313_200, "2.8125 4.6875 11.25", "18.75"),
        (2_019_999, "2.8125 4.6875 11.25", "18.75"),
        (2_020_000, "1 3.5 9", "0.5"),
        (3_071_200, "0.9 3.15 8.1", "0.45"),
        (4_122_400, "0.81 2.835 7.29", "0.405"),
        (5_173_600, "0.729 2.5515 6.561", "0.3645"),
        (6_224_800, "0.6561 2.29635 5.9049", "0.32805"),
        (7_276_000, "0.59049 2.066715 5.31441", "0.295245"),
        (12_532_000, "0.34867843 1.22037453 3.13810595", "0.17433924"),
        (23_044_000, "0.12157665 0.42551828 1.09418986", "0.06078834"),
    ],
)
def test_payouts_of_main_net(height: int, amounts: str, rest: str) -> None:
    expected = [zat(amount) for amount in amounts.split()]
    assert [tier_payout(MAIN, height, tier) for tier in (1, 2, 3)] == expected
    assert list(tier_payouts(MAIN, height)) == expected
    assert dev_fund_minimum(MAIN, height, (1, 2, 3)) == zat(rest)


def test_every_pow_payout_of_main_net_is_exact() -> None:
    """Where the daemon's doubles could round, integers would differ; no such height exists."""
    for height in (560_000, 657_850, 835_554, 1_313_200):
        shares = (Decimal("0.0375"), Decimal("0.0625"), Decimal("0.15"))
        factor = 2 if height >= 835_554 else 1
        exact = [block_subsidy(MAIN, height) * share * factor for share in shares]
        assert list(tier_payouts(MAIN, height)) == exact


def test_dev_fund_minimum_grows_with_empty_tiers() -> None:
    expected = {(1, 2, 3): "0.5", (1, 2): "9.5", (2, 3): "1.5", (): "14"}
    assert {tiers: dev_fund_minimum(MAIN, 2_020_000, tiers) for tiers in expected} == {
        tiers: zat(text) for tiers, text in expected.items()
    }


def judge(coinbase: RecordedCoinbase) -> CoinbaseJudgement:
    return judge_coinbase(NETWORK, coinbase.height, coinbase.outputs, coinbase.payees, coinbase.fees)


def test_every_recorded_coinbase_pays_whom_the_daemon_named() -> None:
    checked = 0
    for each in coinbases():
        judged = judge(each)
        assert [p.tier for p in judged.payouts] == [tier for tier, _ in each.payees]
        assert all(p.matched for p in judged.payouts), each.height
        assert judged.missing == (), each.height
        assert judged.checked == (each.height >= 400)
        for payout in judged.payouts:
            assert payout.vout is not None
            paid = each.outputs[payout.vout]
            assert (paid.value, paid.address) == (payout.amount, payout.payee)
            assert judged.funds[payout.vout] == NODE_PAYOUT
        assert judged.funds.count(NODE_PAYOUT) == len({p.vout for p in judged.payouts}) == len(judged.payouts)
        checked += len(judged.payouts)
    assert checked > 5000


def test_no_recorded_coinbase_claims_too_much() -> None:
    under = {}
    for coinbase in coinbases():
        judged = judge(coinbase)
        assert judged.claimed == sum(output.value for output in coinbase.outputs)
        assert judged.unclaimed >= 0, coinbase.height
        if judged.unclaimed:
            under[coinbase.height] = judged.unclaimed
    assert under == {830: zat("5"), 832: zat("37.5"), 834: zat("37.5"), 840: 70_699, 1950: 70_000, 2240: 35_000}


def test_new_coins_of_every_recorded_block() -> None:
    """What the daemon's utxo set and pools gained is what the coinbase claimed, less fees and burnt outputs."""
    before = 0
    for entry, coinbase in zip(recorded.blocks(), coinbases(), strict=True):
        outputs = [out for tx in entry["block"]["tx"] for out in tx.get("vout", ())]
        burnt = sum(out["valueZat"] for out in outputs if out["scriptPubKey"]["hex"].startswith("6a"))
        pools = sum(pool["chainValueZat"] for pool in entry["block"]["valuePools"])
        total = int(recorded.states()[entry["hash"]]["txoutset"]["total_amount"] * COIN) + pools
        claimed = judge(coinbase).claimed
        assert total - before == claimed - coinbase.fees - burnt, coinbase.height
        before = total


def test_funds_of_every_recorded_coinbase() -> None:
    """At which heights each kind of output appears."""
    heights: dict[int, list[int]] = {code: [] for code in range(len(FUND_NAMES))}
    for coinbase in coinbases():
        for code in judge(coinbase).funds:
            heights[code].append(coinbase.height)
    assert heights[EXCHANGE] == [620]
    assert heights[FOUNDATION] == [640]
    assert heights[SWAP_POOL] == [660, 680, 700, 720, 740]
    assert set(heights[DEV_FUND]) == set(range(1800, recorded.TIP + 1))
    assert set(heights[MINER]) == set(range(1, 1800)) - {832, 834}  # two that leave the miner's share unclaimed
    assert heights[OTHER] == [0, 832, 836, 1954, 1956]


def test_the_dev_fund_takes_what_is_left() -> None:
    """Where a PoN coinbase claims all and has no further output, its dev fund is the minimum and the fees."""
    seen = 0
    for coinbase in coinbases()[1800:]:
        judged = judge(coinbase)
        paid = [out.value for out, code in zip(coinbase.outputs, judged.funds, strict=True) if code == DEV_FUND]
        if judged.unclaimed == 0 and OTHER not in judged.funds:
            tiers = [tier for tier, _ in coinbase.payees]
            assert paid == [dev_fund_minimum(NETWORK, coinbase.height, tiers) + coinbase.fees], coinbase.height
            seen += 1
    assert seen > 550


PON, POW = 2_020_000, 1_400_000
PON_OUTPUTS = [pays("0.5", DEV), pays("1", CUMULUS), pays("3.5", NIMBUS), pays("9", STRATUS)]
PON_PAYEES = [(1, CUMULUS), (2, NIMBUS), (3, STRATUS)]


def codes(height: int, outputs: list[CoinbaseOutput], payees: list[tuple[int, bytes]]) -> tuple[int, ...]:
    return judge_coinbase(MAIN, height, outputs, payees, 0).funds


@given(st.permutations(range(4)))
def test_order_does_not_matter(order: list[int]) -> None:
    judged = judge_coinbase(MAIN, PON, [PON_OUTPUTS[n] for n in order], PON_PAYEES, 0)
    assert [payout.vout for payout in judged.payouts] == [order.index(tier) for tier in (1, 2, 3)]
    assert [judged.funds[order.index(n)] for n in range(4)] == [DEV_FUND, NODE_PAYOUT, NODE_PAYOUT, NODE_PAYOUT]
    assert judged.missing == ()
    assert judged.unclaimed == 0


@pytest.mark.parametrize(
    "outputs, payees, expected",
    [
        pytest.param([], [], (), id="empty"),
        pytest.param([pays("37.5", MINER_KEY)], [], (MINER,), id="miner"),
        pytest.param([pays("18", MINER_KEY), pays("0.75", CUMULUS)], [], (MINER, MINER), id="split"),
        pytest.param([pays("37.5", NO_ADDRESS, False), pays("0", NO_ADDRESS, False)], [], (MINER, OTHER), id="tag"),
        pytest.param([pays("2.8125", CUMULUS)], [(1, CUMULUS)], (NODE_PAYOUT,), id="paid"),
        pytest.param([pays("2.8125", CUMULUS, False)], [(1, CUMULUS)], (MINER,), id="inexact-script"),
        pytest.param([pays("2.81250001", CUMULUS)], [(1, CUMULUS)], (MINER,), id="inexact-amount"),
        pytest.param([pays("2.8125", NIMBUS)], [(1, CUMULUS)], (MINER,), id="wrong-address"),
        pytest.param(
            [pays("4.6875", CUMULUS), pays("2.8125", CUMULUS)],
            [(1, CUMULUS), (2, CUMULUS)],
            (NODE_PAYOUT, NODE_PAYOUT),
            id="one-address-in-two-tiers",
        ),
        pytest.param(
            [pays("2.8125", CUMULUS), pays("2.8125", CUMULUS)], [(1, CUMULUS)], (NODE_PAYOUT, MINER), id="paid-twice"
        ),
        pytest.param([pays("37.5", MAIN.funds.exchange.address)], [], (MINER,), id="fund-address-at-another-height"),
    ],
)
def test_pow_outputs(outputs: list[CoinbaseOutput], payees: list[tuple[int, bytes]], expected: tuple[int, ...]) -> None:
    assert codes(POW, outputs, payees) == expected


@pytest.mark.parametrize(
    "outputs, expected, missing",
    [
        pytest.param(PON_OUTPUTS, (DEV_FUND, 0, 0, 0), (), id="reference"),
        pytest.param([*PON_OUTPUTS, pays("0.001", MINER_KEY)], (DEV_FUND, 0, 0, 0, OTHER), (), id="fees-elsewhere"),
        pytest.param([*PON_OUTPUTS, pays("0.001", DEV)], (DEV_FUND, 0, 0, 0, DEV_FUND), (), id="fees-apart"),
        pytest.param(
            [pays("0.3", DEV), *PON_OUTPUTS[1:], pays("0.2", DEV)],
            (DEV_FUND, 0, 0, 0, DEV_FUND),
            ("dev_fund",),
            id="no-output-reaches-the-minimum",
        ),
        pytest.param(PON_OUTPUTS[1:], (0, 0, 0), ("dev_fund",), id="no-dev-fund"),
        pytest.param(
            [pays("0.5", DEV, False), *PON_OUTPUTS[1:]], (OTHER, 0, 0, 0), ("dev_fund",), id="inexact-script"
        ),
    ],
)
def test_pon_outputs(outputs: list[CoinbaseOutput], expected: tuple[int, ...], missing: tuple[str, ...]) -> None:
    judged = judge_coinbase(MAIN, PON, outputs, PON_PAYEES, 0)
    assert judged.funds == expected
    assert judged.missing == missing


def test_the_output_of_a_payout_is_not_also_the_dev_funds() -> None:
    """A node whose payee is the dev fund's address: one output cannot do for both."""
    outputs = [pays("9", DEV), *PON_OUTPUTS[1:3]]
    judged = judge_coinbase(MAIN, PON, outputs, [(1, CUMULUS), (2, NIMBUS), (3, DEV)], 0)
    assert judged.missing == ("dev_fund",)
    assert all(payout.matched for payout in judged.payouts)


def test_an_unpaid_node_is_a_mismatch_with_its_amount() -> None:
    judged = judge_coinbase(MAIN, PON, PON_OUTPUTS[:3], PON_PAYEES, 0)
    assert [payout.matched for payout in judged.payouts] == [True, True, False]
    assert judged.payouts[2].amount == zat("9")
    assert judged.payouts[2].vout is None
    assert judged.unclaimed == zat("9")


@pytest.mark.parametrize(
    "height, code", [(836_274, EXCHANGE), (836_994, FOUNDATION), (837_714, SWAP_POOL), (1_032_114, SWAP_POOL)]
)
def test_one_off_funds(height: int, code: int) -> None:
    (fund,) = one_off_funds(MAIN, height)
    owed = CoinbaseOutput(fund.amount, fund.address, True)
    assert FUND_NAMES[code] == fund.name
    judged = judge_coinbase(MAIN, height, [pays("75", MINER_KEY), owed], [], 7)
    assert judged.funds == (MINER, code)
    assert judged.missing == ()
    assert judged.unclaimed == 7
    short = judge_coinbase(MAIN, height, [CoinbaseOutput(fund.amount - 1, fund.address, True)], [], 0)
    assert short.funds == (MINER,)
    assert short.missing == (fund.name,)


def test_three_funds_at_one_address() -> None:
    """Test net sends all one-off funds to one address; the amounts tell them apart."""
    assert TEST.funds.exchange.address == TEST.funds.swap_pool.address
    assert P2SH == TEST.funds.dev_fund_address[0]
    (fund,) = one_off_funds(TEST, 4300)
    assert fund.name == "swap_pool"


def test_limit_of_a_coinbase() -> None:
    assert coinbase_limit(MAIN, 836_274, 5) == zat("7500075") + 5
    assert Counter(judge(coinbase).allowed for coinbase in coinbases()[:3]) == {0: 1, zat("13020000"): 1, zat("150"): 1}


# --- payouts to come ------------------------------------------------------------------------------------------


def summed(network: Network, tier: int, first: int, seconds: int) -> int:
    """``payouts_ahead`` block by block."""
    total, height = 0, first
    while (spacing := target_spacing(network, height)) <= seconds:
        total += tier_payout(network, height, tier) if pays_nodes(network, height) else 0
        seconds, height = seconds - spacing, height + 1
    return total


@pytest.mark.parametrize("first", [0, 1, 390, 399, 400, 599, 650, 1395, 1790, 1799, 1800, 2195, 2401])
@pytest.mark.parametrize("seconds", [0, 29, 30, 95, 7_000, 100_000])
def test_payouts_ahead_are_those_of_each_block(first: int, seconds: int) -> None:
    for tier in (1, 2, 3):
        assert payouts_ahead(NETWORK, tier, first, seconds) == summed(NETWORK, tier, first, seconds)


def test_a_year_of_the_main_net_has_its_reduction() -> None:
    year = payouts_ahead(MAIN, 1, 2_996_920, 31_536_000)
    before, after = tier_payout(MAIN, 2_996_920, 1), tier_payout(MAIN, 3_071_200, 1)
    assert after < before
    assert year == before * (3_071_200 - 2_996_920) + after * (1_051_200 - (3_071_200 - 2_996_920))
