"""Movements of the bridge's wallets: they are the daemon's own deltas, and they add up to the balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from explorer.app import create_app
from explorer.queries.fusion import LIST
from indexer.chain.params import COIN
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.test_recorded_addresses import expectations

ENTRY = """
[[addresses]]
address = "{address}"
label = "Wallet {number}"
role = "{role}"
fusion = true
confidence = "{confidence}"
source = "this test"
"""


def zatoshi(text: str) -> int:
    """An amount of the API."""
    return int(Decimal(text) * COIN)


def wallets() -> list[str]:
    """Addresses that pay each other and others: busy ones that spend."""
    busy = sorted(expectations().items(), key=lambda one: (-len(one[1].by_transaction), one[0]))
    return [address for address, e in busy if any(d.zatoshi < 0 for d in e.deltas)][:4]


def labels_text(addresses: list[str]) -> str:
    """A file that names them the bridge's."""
    return "".join(
        ENTRY.format(address=a, number=n, role=("SWAP", "COLD")[n % 2], confidence=("official", "third_party")[n % 2])
        for n, a in enumerate(addresses)
    )


@pytest.fixture(scope="module")
def bridge(recorded_index: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An explorer of the recorded chain that takes four addresses for the bridge's."""
    path: Path = tmp_path_factory.mktemp("labels") / "labels.toml"
    path.write_text(labels_text(wallets()))
    config = settings(recorded_index)
    with Client(create_app(replace(config, explorer=replace(config.explorer, labels_file=str(path))))) as client:
        yield client


@pytest.fixture(scope="module")
def movements(bridge: Client) -> list[Any]:
    """All movements, in one page after the other."""
    return bridge.pages("/api/v1/supply/fusion", 1000)


def expected() -> dict[tuple[int, int, str], dict[str, int]]:
    """What each transaction changed for each wallet, by the daemon."""
    found: defaultdict[tuple[int, int, str], dict[str, int]] = defaultdict(dict)
    for address in wallets():
        for delta in expectations()[address].by_transaction:
            found[delta.height, delta.position, delta.txid][address] = delta.zatoshi
    return found


def test_movements_are_the_daemons_deltas_newest_first(movements: list[Any]) -> None:
    found = [((m["height"], m["index"], m["txid"]), {w["address"]: zatoshi(w["change"]) for w in m["wallets"]})
             for m in movements]  # fmt: skip
    assert found == sorted(expected().items(), reverse=True)


def test_changes_add_up_to_what_is_held(bridge: Client, movements: list[Any]) -> None:
    held = 0
    for move in reversed(movements):
        assert sum(zatoshi(w["change"]) for w in move["wallets"]) == zatoshi(move["change"])
        held += zatoshi(move["change"])
        assert zatoshi(move["held"]) == held
    fusion = bridge.json("/api/v1/supply")["native"]["fusion"]
    assert zatoshi(fusion["held"]) == held == sum(expectations()[address].totals[0] for address in wallets())


@pytest.mark.parametrize("limit", [1, 3, 10, 97])
def test_pages_of_any_size_are_the_same_list(bridge: Client, movements: list[Any], limit: int) -> None:
    if limit > 1:
        assert bridge.pages("/api/v1/supply/fusion", limit) == movements
        return
    first = bridge.json("/api/v1/supply/fusion?limit=1")
    second = bridge.get("/api/v1/supply/fusion", params={"limit": 1, "cursor": first["next"]}).json()
    assert first["items"] + second["items"] == movements[:2]


def test_directions(movements: list[Any]) -> None:
    ours = set(wallets())
    seen = set()
    for move in movements:
        seen.add(move["direction"])
        others = {party["address"] for party in move["counterparties"]}
        assert not others & ours
        assert zatoshi(move["amount"]) >= 0
        if move["direction"] == "locked":
            assert zatoshi(move["change"]) == zatoshi(move["amount"])
        elif move["direction"] == "freed":
            assert zatoshi(move["change"]) == -zatoshi(move["amount"])
        else:
            assert move["counterparties"] == []
            assert zatoshi(move["change"]) <= 0
        assert (move["type"] != "coinbase") or (move["direction"] == "locked" and others == set())
    assert {"locked", "freed"} <= seen


def test_counterparties_are_those_for_whom_it_changed_something(bridge: Client, movements: list[Any]) -> None:
    ours = set(wallets())
    for move in [m for m in movements if m["type"] == "transfer"][:40]:
        tx = bridge.json(f"/api/v1/transactions/{move['txid']}")
        changes: defaultdict[str | None, int] = defaultdict(int)
        for output in tx["outputs"]:
            changes[output["address"]] += zatoshi(output["value"])
        for spent in tx["inputs"]:
            changes[spent["address"]] -= zatoshi(spent["value"])
        sign = -1 if move["direction"] == "locked" else 1
        told = {party["address"]: zatoshi(party["amount"]) for party in move["counterparties"]}
        want = {a: abs(v) for a, v in changes.items() if a is not None and a not in ours and sign * v > 0}
        assert move["counterparty_count"] == len(want)
        assert told.items() <= want.items()


def test_a_cursor_stays_valid_when_its_block_is_gone(bridge: Client, movements: list[Any]) -> None:
    beyond = LIST.encode(recorded.TIP + 5, 0)
    found = bridge.get("/api/v1/supply/fusion", params={"cursor": beyond, "limit": 2}).json()
    assert found["items"] == movements[:2]


def test_without_labels_nothing_moves(client: Client) -> None:
    answer = client.json("/api/v1/supply/fusion")
    assert (answer["items"], answer["next"]) == ([], None)
    assert "Nobody has named the wallets" in client.get("/supply/fusion").text


def test_the_page_shows_wallets_and_movements(bridge: Client, movements: list[Any]) -> None:
    page = bridge.get("/supply/fusion")
    assert page.status_code == 200
    for address in wallets():
        assert f'href="/address/{address}"' in page.text
    assert f'href="/tx/{movements[0]["txid"]}"' in page.text
    assert "Net zero." in page.text
