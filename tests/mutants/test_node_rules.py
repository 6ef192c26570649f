"""Every rule of the node lists and the payment queue, changed: the recorded chain notices, and where."""

from __future__ import annotations

import pytest

from indexer.chain.queue import NodeQueue
from indexer.errors import ChainError
from tests.chain.recorded_nodes import NETWORK, follow, lists_of
from tests.mutants.harness import Mutant, assert_caught, assert_survives, missing
from tests.mutants.life_mutants import LIFE_MUTANTS, LIFE_SURVIVORS
from tests.mutants.payment_mutants import PAYMENT_MUTANTS, PAYMENT_SURVIVORS

CAUGHT = [*LIFE_MUTANTS, *PAYMENT_MUTANTS]
SURVIVORS = [*LIFE_SURVIVORS, *PAYMENT_SURVIVORS]


def contradicted(branches: bool) -> int | None:
    """The first height at which the rules as they stand disagree with the daemon's lists or refuse its block."""
    state = NodeQueue(NETWORK)
    try:
        for block, _, _ in follow(state, branches):
            if lists_of(state) != block.lists:
                return block.height
    except ChainError:
        return state.height + 1
    return None


def contradiction() -> int | None:
    """The first height on the active chain that contradicts the rules, or else on it and the lost branches."""
    return contradicted(branches=False) or contradicted(branches=True)


def test_the_rules_as_they_stand_agree_with_the_daemon() -> None:
    assert contradiction() is None


@pytest.mark.parametrize("mutant", CAUGHT, ids=str)
def test_changed_rule_is_contradicted(mutant: Mutant) -> None:
    assert_caught(mutant, contradiction)


@pytest.mark.parametrize("mutant", SURVIVORS, ids=str)
def test_changed_rule_cannot_be_told_apart(mutant: Mutant) -> None:
    assert_survives(mutant, contradiction)


def test_every_row_about_nodes_has_a_mutant() -> None:
    subjects = ("queue", "expiry", "spend", "start", "dos", "collateral", "pay", "txid", "ip")
    assert not missing([*CAUGHT, *SURVIVORS], subjects)
