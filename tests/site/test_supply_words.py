"""The words and drawings of the supply, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.pages import supply_words as coins
from explorer.pages.sheets import Column, Sheet
from explorer.pages.supply_charts import moment, noted, parallel_figure, supply_figure
from explorer.pages.supply_words import THIN, WIDTH
from explorer.queries.parallel_history import ChainAmount, ParallelHistory, ParallelPoint
from explorer.queries.supply_results import (
    AsOf,
    CapCheck,
    Caps,
    CapState,
    CutReference,
    Era,
    FusionHeld,
    NativeSupply,
    ParallelSupply,
    SupplyHistory,
    SupplyPoint,
    Totals,
)
from indexer.chain.params import COIN

NATIVE = NativeSupply(10, 9, 1, 5, 1, 2, 1, 8, None, None, FusionHeld(0, 0, ()), 8)
CHAIN = ParallelSupply(
    "kda", "Kadena", "FLUX-KDA", "runonflux.flux", 9 * COIN, 2 * COIN, 7 * COIN, (), AsOf(1_700_000_000, 5),
    "stale", "gone", "retires",
)  # fmt: skip
CHECK = CapCheck("native_440m", "native_issued", 440, 400, 40, "within", (), None, None, "why")


@pytest.mark.parametrize(
    ("coin", "text"),
    [(0, "0"), (7, "7"), (999, "999"), (1_000, "1 k"), (12_340, "12.34 k"), (440_000_000, "440 M"),
     (1_500_000, "1.5 M"), (223_027_781, "223.03 M"), (2_000_000_000, "2 bn"), (-1_500_000, "\u22121.5 M")],
)  # fmt: skip
def test_amounts_in_few_characters(coin: int, text: str) -> None:
    assert coins.compact(coin * COIN) == text


@given(st.lists(st.integers(0, 10**17), max_size=5), st.integers(1, 10**17))
def test_bars_stay_inside_and_show_every_part(amounts: list[int], more: int) -> None:
    for whole in (None, sum(amounts), sum(amounts) + more):
        parts = coins.bar(amounts, whole)
        assert [part.order for part in parts] == list(range(len(amounts)))
        assert all(0 <= part.start and part.start + part.width <= WIDTH for part in parts)
        assert all(a.start + a.width == b.start for a, b in zip(parts, parts[1:], strict=False))
        room = WIDTH - THIN * len(parts)
        for part, amount in zip(parts, amounts, strict=True):
            assert (part.width > 0) == (amount > 0) or part.start > room
            assert part.width <= max(THIN, amount * WIDTH // max(sum(amounts) if whole is None else whole, 1))


@pytest.mark.parametrize(
    ("states", "tone", "text"),
    [
        (("within", "within"), "good", "Within all caps"),
        (("within", "unknown"), "fair", "1 cap unknown"),
        (("unknown", "unknown"), "fair", "2 caps unknown"),
        (("unknown", "exceeded"), "poor", "1 cap exceeded"),
        (("exceeded", "exceeded"), "poor", "2 caps exceeded"),
    ],
)
def test_the_worst_cap_speaks(states: tuple[CapState, ...], tone: str, text: str) -> None:
    badge = coins.caps_badge(Caps(tuple(replace(CHECK, state=state) for state in states)))
    assert (badge.tone, badge.text) == (tone, text)


def test_what_is_missing_is_named_with_its_last_reading() -> None:
    check = replace(CHECK, missing=("kda", "algo", "cut", "fusion_wallets", "something"))
    never = replace(CHAIN, chain="algo", name="Algorand", as_of=None, outstanding=None)
    assert coins.missing_sentence(check, (CHAIN, never)) == (
        "Missing: a fresh reading of Kadena (last read 2023-11-14 22:13:20 UTC with 7 FLUX outstanding); a reading of "
        "Algorand, which has never been read; a moment at which all chains were read together; the addresses of the "
        "bridge's wallets; something."
    )


@pytest.mark.parametrize(
    ("formula", "addresses", "begins"),
    [
        (None, 5, "The two can only be compared"),
        (5, None, "The two can only be compared"),
        (5, 5, "At present both come to the same number"),
        (2 * COIN, 5 * COIN, "The formula counts 3 FLUX less than the addresses."),
        (5 * COIN, 2 * COIN, "The addresses count 3 FLUX less than the formula."),
    ],
)
def test_the_difference_of_the_two_totals(formula: int | None, addresses: int | None, begins: str) -> None:
    assert coins.difference_sentence(Totals(None, formula, addresses, None)).startswith(begins)


@pytest.mark.parametrize(
    ("cut", "words"),
    [
        (None, "not been read together"),
        (CutReference(5, "ab", 7, True), "too long ago"),
        (CutReference(5, "ab", 7, False), "read together at this moment"),
    ],
)
def test_the_moment_of_the_sum(cut: CutReference | None, words: str) -> None:
    assert words in coins.cut_sentence(cut)


@pytest.mark.parametrize(
    ("state", "word"), [("within", "never"), ("unknown", "unknown"), ("exceeded", "passed already")]
)
def test_why_there_is_no_height_of_crossing(state: CapState, word: str) -> None:
    assert coins.crossing_word(replace(CHECK, state=state)) == word


@pytest.mark.parametrize(
    ("reconciles", "tone"), [(None, "plain"), (True, "good"), (False, "poor")]
)  # fmt: skip
def test_whether_the_stored_coins_add_up(reconciles: bool | None, tone: str) -> None:
    assert coins.reconciles_badge(replace(NATIVE, reconciles=reconciles)).tone == tone


@pytest.mark.parametrize(
    ("held", "outstanding", "words"),
    [(5, 2, "held 3 FLUX more"), (2, 5, "3 FLUX circulated"), (2, 2, "held exactly")],
)
def test_what_the_bridge_holds_against_what_circulates(held: int, outstanding: int, words: str) -> None:
    assert words in coins.backing_sentence(held * COIN, outstanding * COIN)


@pytest.mark.parametrize(
    ("names", "begins"),
    [
        (("Kadena",), "Kadena has no fresh reading."),
        (("Kadena", "Ergo"), "Kadena and Ergo have no fresh reading."),
        (("Kadena", "Ergo", "Base"), "Kadena, Ergo and Base have no fresh reading."),
    ],
)
def test_chains_that_cannot_be_read(names: tuple[str, ...], begins: str) -> None:
    fresh = replace(CHAIN, name="Tron", state="fresh")
    assert coins.unread_sentence((fresh, *(replace(CHAIN, name=name) for name in names))).startswith(begins)


def test_plans_that_are_not_known_are_shown_as_written() -> None:
    assert coins.lifecycle("retires") == "Is to be closed"
    assert coins.lifecycle("one way since 3,450,000") == "one way since 3,450,000"


# --- charts -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "text"),
    [(3_600, "22:13"), (200_000, "14 Nov 22:13"), (30 * 86_400, "14 Nov"), (5 * 365 * 86_400, "Nov 2023")],
)
def test_moments_are_as_long_as_their_axis_needs(span: int, text: str) -> None:
    assert moment(1_700_000_000, span) == text


def test_a_height_between_two_known_ones_is_dated_between_them() -> None:
    note = noted([(10, 1_700_000_000), (20, 1_700_001_000)])
    assert [note(height) for height in (9, 10, 15, 20, 25)] == ["", "22:13", "22:21", "22:30", "22:30"]
    assert noted([])(5) == ""


def test_the_limit_is_drawn_when_it_is_near() -> None:
    point = SupplyPoint(9, 1_700_000_000, 100 * COIN, 90 * COIN, 5 * COIN, 0, 100 * COIN, None)
    history = SupplyHistory((point,), (Era("pon", "Proof of Node", 0, None, COIN),))
    assert supply_figure(history, 401 * COIN).limits == ()
    near = supply_figure(history, 400 * COIN)
    assert [(limit.name, limit.value) for limit in near.limits] == [("400 FLUX", 400 * COIN)]
    assert near.summary == "Up to block 9: 100 FLUX issued, 90 FLUX of it transparent."
    formula = supply_figure(replace(history, points=(replace(point, formula=80 * COIN),)), 400 * COIN)
    assert formula.summary.endswith("80 FLUX on all chains by the official formula.")


def test_the_largest_chains_have_lines_of_their_own() -> None:
    amounts = {"a": 5, "b": 90, "c": 50, "d": 7, "e": 6, "f": 1}
    chains = tuple(ChainAmount(chain, amount) for chain, amount in amounts.items())
    points = (ParallelPoint(10, 1, None, chains[:5]), ParallelPoint(20, 2, 159, chains))
    figure = parallel_figure(ParallelHistory(points), {chain: chain.upper() for chain in amounts})
    assert {line.name: line.points for line in figure.lines} == {
        "All together": ((10, None), (20, 159)), "B": ((10, 90), (20, 90)), "C": ((10, 50), (20, 50)),
        "D": ((10, 7), (20, 7)), "E": ((10, 6), (20, 6)), "2 other chains": ((10, None), (20, 6)),
    }  # fmt: skip
    nothing = parallel_figure(ParallelHistory(()), {"a": "A"})
    assert nothing.summary == "What was outstanding at 0 moments."


def test_no_name_of_a_column_is_calculated_by_a_spreadsheet() -> None:
    names = ["=1+1", "+A1", "-A1", "@SUM(A1)", "\tx", "\rx", 'say "a", b', "Plain"]
    sheet = Sheet(tuple(Column(name, "amount") for name in names), ((5, None, -5, 0, 0, 0, 0, 10**17),))
    head, line = sheet.csv().split("\r\n", 1)[0], sheet.csv().strip().rsplit("\r\n", 1)[1]
    assert line == "0.00000005,,-0.00000005," + "0.00000000," * 4 + "1000000000.00000000"
    assert head.startswith("'=1+1,'+A1,'-A1,'@SUM(A1),")
    assert sheet.csv().count("'") == 6
