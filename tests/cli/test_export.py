"""``export balances`` at any height: the daemon's own balances, and a sum that the block's total proves."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexer.cli import main
from indexer.commands import export
from indexer.commands.export import balances, coins, without_address
from indexer.store.mongo import MongoStore
from tests import recorded
from tests.explorer.client import settings
from tests.explorer.test_recorded_addresses import expectations

HEIGHTS = (0, 1, 319, 900, 1850, recorded.TIP)


def recorded_balances(height: int) -> dict[str, int]:
    """What every address had after a block, by the daemon; without those that had nothing."""
    sums = {a: sum(d.zatoshi for d in e.deltas if d.height <= height) for a, e in expectations().items()}
    return {address: balance for address, balance in sums.items() if balance}


@pytest.fixture
def store(recorded_index: tuple[str, str]) -> Iterator[MongoStore]:
    """The index of the recorded chain."""
    with closing(MongoStore(*recorded_index)) as store:
        yield store


@pytest.mark.parametrize("height", HEIGHTS)
def test_the_balances_of_a_height_are_the_daemons(
    recorded_index: tuple[str, str], height: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.run(settings(recorded_index), "balances", height, "-") == 0
    out, err = capsys.readouterr()
    head, *rows = csv.reader(out.splitlines())
    assert head == ["address", "balance"]
    expected = {address: coins(balance) for address, balance in recorded_balances(height).items()}
    assert dict(map(tuple, rows)) == expected  # type: ignore[arg-type]
    assert f"{len(expected):,} addresses hold" in err
    assert recorded.blocks()[height]["hash"] in err


@pytest.mark.parametrize("height", range(0, recorded.TIP + 1, 150))
def test_they_add_up_to_the_transparent_total(store: MongoStore, height: int) -> None:
    (block,) = store.scan("blocks", height, height + 1)
    held = sum(balance for _, balance in balances(store, height))
    assert held + without_address(store, height) == block["transparent"]


@pytest.mark.parametrize(("height", "spent"), [(322, 600000000), (1966, 600000000)])
def test_outputs_without_an_address_count_until_they_are_spent(store: MongoStore, height: int, spent: int) -> None:
    assert without_address(store, height - 1) - without_address(store, height) == spent


def test_no_cell_is_a_formula(recorded_index: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    assert export.run(settings(recorded_index), "balances", None, str(path)) == 0
    cells = [cell for row in csv.reader(path.read_text().splitlines()) for cell in row]
    assert len(cells) > 100
    assert [cell for cell in cells if cell[0] in "=+-@\t\r"] == []
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", str(recorded.TIP + 1)], f"the index reaches from block 0 to block {recorded.TIP}"),
        (["--output", "/nowhere/balances.csv"], "/nowhere/balances.csv cannot be written: No such file"),
    ],
)
def test_what_cannot_be_written_is_said(
    recorded_index: tuple[str, str], arguments: list[str], said: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("indexer.cli.load_config", lambda path: settings(recorded_index))
    assert main(["export", "balances", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_wrong_balance_is_found(recorded_index: tuple[str, str], monkeypatch: pytest.MonkeyPatch,
                                  capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    monkeypatch.setattr(export, "balances", lambda store, height: [(bytes([1]) + bytes(20), 5)])
    assert export.run(settings(recorded_index), "balances", 900, "-") == 1
    assert "they differ by" in capsys.readouterr().err
