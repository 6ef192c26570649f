"""Mutants: one rule changed, the recorded chain run over it, and the height at which the daemon contradicts it.

``tests/data/chain/rules.md`` is the recording's own account of which wrong rules it tells from right ones, and
where. A mutant is named by its row there; a height of its own needs a written reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from tests import recorded

Change = Callable[[pytest.MonkeyPatch], None]
"""Changes a rule until the patch is undone."""

Run = Callable[[], int | None]
"""Runs the rules as they stand over the recorded chain: the first height contradicted, None for none."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed rule. ``caught_at`` and ``why`` only where the recording's account does not say it."""

    rule: str
    change: Change
    caught_at: int | None = None
    why: str = ""

    def __str__(self) -> str:
        return self.rule


def setting(owner: Any, name: str, value: Any) -> Change:
    """Another value for a constant or function of a module or class."""
    return lambda patch: patch.setattr(owner, name, value)


@cache
def _rows() -> dict[str, str]:
    lines = (recorded.CHAIN / "rules.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {name: verdict for name, verdict in cells if not set(verdict) <= set("-: ")}


@cache
def told_apart() -> dict[str, int]:
    """The changed rules that the recording contradicts, with the first height."""
    return {name: int(text.split()[0]) for name, text in _rows().items() if text.split()[0].isdigit()}


@cache
def told_apart_by_nothing() -> dict[str, str]:
    """The changed rules that no recording of these parameters contradicts, with the reason."""
    heads = ("changed rule", "mutant")
    return {name: text for name, text in _rows().items() if name not in told_apart() and name not in heads}


def assert_caught(mutant: Mutant, run: Run) -> None:
    """The changed rule is contradicted, at the height that the recording or the mutant says."""
    assert mutant.caught_at is None or mutant.why, f"{mutant.rule} has a height of its own without a reason"
    expected = told_apart().get(mutant.rule) if mutant.caught_at is None else mutant.caught_at
    assert expected is not None, f"{mutant.rule}: no height in rules.md and none of its own"
    with pytest.MonkeyPatch.context() as patch:
        mutant.change(patch)
        found = run()
    assert found == expected, f"{mutant.rule}: expected a contradiction at {expected}, found {found or 'none'}"


def assert_survives(mutant: Mutant, run: Run) -> None:
    """The changed rule cannot be told apart, and a reason is written down."""
    assert mutant.why or mutant.rule in told_apart_by_nothing(), f"{mutant.rule} survives without a reason"
    with pytest.MonkeyPatch.context() as patch:
        mutant.change(patch)
        assert run() is None


def missing(mutants: list[Mutant], subjects: tuple[str, ...]) -> set[str]:
    """Rows of the account about these subjects (the word before the colon) that no mutant covers."""
    rows = {name for name in (*told_apart(), *told_apart_by_nothing()) if name.split(":")[0] in subjects}
    return rows - {mutant.rule for mutant in mutants}
