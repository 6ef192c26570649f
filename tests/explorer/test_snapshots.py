"""Balances of an address at the snapshots of the parallel chains, as JSON and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.api.json import amount_text
from explorer.app import create_app
from tests import recorded
from tests.explorer.bridged import bridged_settings
from tests.explorer.client import Client
from tests.explorer.test_recorded_addresses import expectations

SNAPSHOT = 900
CHAINS = ["eth", "bsc", "avax", "matic", "base", "trx", "sol", "kda", "erg", "algo"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the settings' files are."""
    return tmp_path_factory.mktemp("bridged")


@pytest.fixture(scope="module")
def bridged(recorded_index: tuple[str, str], folder: Path) -> Iterator[Client]:
    """An explorer whose chains had their snapshot at one height; one had none, one has it ahead, one is named oddly."""
    config = bridged_settings(recorded_index, folder)
    chains = folder / "chains.toml"
    text = chains.read_text().replace("snapshot_height = 900", f"snapshot_height = {recorded.TIP + 1}", 1)
    chains.write_text(text.replace('"Polygon PoS"', '"=cmd()"').replace('"FLUX-ERG"', '"@erg"'))
    with Client(create_app(config)) as client:
        yield client


def addresses() -> list[str]:
    """Some that had coins at the snapshot, and one that had none."""
    had = [a for a, e in expectations().items() if any(d.height <= SNAPSHOT for d in e.deltas)]
    return [*had[:10], next(a for a in expectations() if a not in had)]


@pytest.mark.parametrize("address", addresses())
def test_balances_are_the_daemons_at_that_height(bridged: Client, address: str) -> None:
    expected = amount_text(sum(d.zatoshi for d in expectations()[address].deltas if d.height <= SNAPSHOT))
    answer = bridged.json(f"/api/v1/addresses/{address}/snapshots")
    assert sorted(item["chain"] for item in answer["items"]) == sorted(CHAINS)
    for item in answer["items"]:
        reached = item["snapshot_height"] == SNAPSHOT
        assert item["balance"] == (expected if reached else None)
    assert {item["snapshot_height"] for item in answer["items"]} >= {SNAPSHOT, recorded.TIP + 1}


def test_csv_has_the_same_and_no_formula(bridged: Client) -> None:
    address = addresses()[0]
    response = bridged.get(f"/api/v1/addresses/{address}/snapshots?format=csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = csv.reader(response.text.splitlines())
    items = bridged.json(f"/api/v1/addresses/{address}/snapshots")["items"]
    assert head == ["chain", "name", "asset", "snapshot_height", "address", "balance"]
    told = [[i["chain"], i["name"], i["asset"], str(i["snapshot_height"] or ""), address, i["balance"] or ""]
            for i in items]  # fmt: skip
    assert [[cell.removeprefix("'") for cell in row] for row in rows] == told
    cells = [cell for row in rows for cell in row if cell]
    assert "'=cmd()" in cells
    assert [cell for cell in cells if cell[0] in "=+-@\t\r"] == []


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [("?format=xls", 400, "expected one of json, csv"), ("", 404, "has no parallel chains")],
)
def test_what_is_refused(bridged: Client, client: Client, query: str, status: int, said: str) -> None:
    asked = bridged if query else client
    response = asked.get(f"/api/v1/addresses/{addresses()[0]}/snapshots{query}")
    assert response.status_code == status
    assert said in response.json()["error"]["message"]
