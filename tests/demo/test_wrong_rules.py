"""A wrong rule shows in ``payouts_mismatched`` of an index of the demo chain; the right ones leave it at 0."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from indexer.demo.chain import load
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.network import demo_network
from tests.demo.chains import DemoIndex, copy_of
from tests.mutants.harness import Mutant
from tests.mutants.life_mutants import LIFE_MUTANTS
from tests.mutants.payment_mutants import PAYMENT_MUTANTS

BLOCKS, BATCH = 1100, 100
WRONG = (
    "queue: outpoint compared as displayed hex",
    "queue: paid node before new one at equal key",
    "pay: payments one block late",
    "pay: payee chosen after the block's expiries",
    "payee: redeem script paid as a key",
    "spend: confirmed node stays until it expires",
    "collateral: no transition rule (old nodes stay)",
)


@pytest.fixture(scope="module")
def raws(first_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The first blocks of the demo chain: payments, the Flux upgrade, the transition, P2SH nodes."""
    folder = copy_of(first_chain, tmp_path_factory.mktemp("demo"))
    with closing(BlockFile(folder / FILE_NAME, demo_network().magic)) as file:
        chain = load(demo_network(), file)
        return [chain.raw(place) for place in chain.active[:BLOCKS]]


def mismatched(raws: list[bytes]) -> int:
    """The payouts that the coinbases did not make, by the rules as they stand."""
    index = DemoIndex()
    for first in range(0, len(raws), BATCH):
        index.extend(raws[first : first + BATCH])
    assert index.state.totals.payouts_checked > 2000
    return index.state.totals.payouts_mismatched


def test_the_right_rules_predict_every_payout(raws: list[bytes]) -> None:
    assert mismatched(raws) == 0


@pytest.mark.parametrize("mutant", [m for m in (*PAYMENT_MUTANTS, *LIFE_MUTANTS) if m.rule in WRONG], ids=str)
def test_a_wrong_rule_does_not(raws: list[bytes], mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.change(monkeypatch)
    assert mismatched(raws) > 0


def test_every_wrong_rule_has_its_mutant() -> None:
    assert set(WRONG) <= {mutant.rule for mutant in (*PAYMENT_MUTANTS, *LIFE_MUTANTS)}
