"""Parallel mining: the entitlement of every payee and node is a tenth of each payout that the chain really made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from explorer.app import create_app
from explorer.queries.entitlements import _sums
from indexer.chain.address import decode_address
from indexer.chain.params import COIN
from tests import recorded
from tests.explorer.bridged import bridged_settings
from tests.explorer.client import Client
from tests.indexed import network

FROM = 1500
LAST_LAUNCH = recorded.TIP  # counts from the block after it


def zatoshi(text: str) -> int:
    """An amount of the API."""
    return int(Decimal(text) * COIN)


@pytest.fixture(scope="module")
def bridged(recorded_index: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An explorer of the recorded chain whose payouts earn on parallel chains from some height on."""
    config = bridged_settings(
        recorded_index, tmp_path_factory.mktemp("bridged"), mining_from=FROM, last_launch=LAST_LAUNCH
    )
    with Client(create_app(config)) as client:
        yield client


@pytest.fixture(scope="module")
def paid(bridged: Client) -> dict[str, list[Any]]:
    """All payouts by payee and by node, from the blocks themselves."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for payout in bridged.pages("/api/v1/payouts", 1000):
        if payout["matched"] and payout["height"] >= FROM:
            found[payout["address"]].append(payout)
            found[payout["node"]].append(payout)
    return found


def check(answer: Any, payouts: list[Any]) -> None:
    """An answer is what these payouts come to, added up one by one."""
    each = sum(zatoshi(p["amount"]) // 10 for p in payouts)
    heights = [p["height"] for p in payouts]
    assert answer["payouts"] == len(payouts)
    assert zatoshi(answer["paid"]) == sum(zatoshi(p["amount"]) for p in payouts)
    assert (answer["first_height"], answer["last_height"]) == (min(heights, default=None), max(heights, default=None))
    assert zatoshi(answer["per_chain"]) == each
    assert [zatoshi(item["amount"]) for item in answer["items"]] == [each] * 10
    assert zatoshi(answer["total"]) == 9 * each


def test_every_payee(bridged: Client, paid: dict[str, list[Any]]) -> None:
    payees = [name for name in paid if ":" not in name]
    assert len(payees) > 5
    for address in payees:
        check(bridged.json(f"/api/v1/addresses/{address}/parallel-mining"), paid[address])


def test_every_node(bridged: Client, paid: dict[str, list[Any]]) -> None:
    nodes = [name for name in paid if ":" in name]
    assert len(nodes) > 5
    for node in nodes:
        check(bridged.json(f"/api/v1/nodes/{node}/parallel-mining"), paid[node])


def test_an_address_that_no_node_pays(bridged: Client, paid: dict[str, list[Any]]) -> None:
    address = next(row["address"] for row in recorded.addresses() if row["address"] not in paid)
    check(bridged.json(f"/api/v1/addresses/{address}/parallel-mining"), [])


def test_the_rule_is_stated_and_a_later_chain_is_marked(bridged: Client, paid: dict[str, list[Any]]) -> None:
    answer = bridged.json(f"/api/v1/addresses/{next(iter(paid))}/parallel-mining")
    assert f"from block {FROM:,} on" in answer["rule"]
    assert "one part in 10" in answer["rule"]
    assert "not visible" in answer["rule"]
    assert [item["launched"] for item in answer["items"]] == [True] * 9 + [False]


def test_sums_are_carried_on_from_block_to_block(bridged: Client, paid: dict[str, list[Any]]) -> None:
    address = max((name for name in paid if ":" not in name), key=lambda name: len(paid[name]))
    key = decode_address(address, network())
    db = bridged.services.db
    whole = bridged.run(db.fenced(_sums, "payees", key)).value
    db.kept.keep(db.meta.tip.epoch, "parallel mining", 0, {})  # type: ignore[union-attr]
    middle = paid[address][len(paid[address]) // 2]["height"]
    tip = db.meta.tip
    assert tip is not None

    async def at_middle(view: Any) -> Any:
        view.tip = type(tip)(middle, tip.hash, tip.time, tip.epoch, tip.dirty, tip.reorgs)
        return await _sums(view, "payees", key)

    part = bridged.run(db.fenced(at_middle)).value
    assert 0 < part.payouts < whole.payouts
    assert part.last == middle
    assert bridged.run(db.fenced(_sums, "payees", key)).value == whole


def test_the_pages_show_it_beside_the_payouts(bridged: Client, client: Client, paid: dict[str, list[Any]]) -> None:
    for path, name in (("address", next(n for n in paid if ":" not in n)), ("node", next(n for n in paid if ":" in n))):
        shown = bridged.get(f"/{path}/{name}?view=payouts").text
        assert "Parallel mining, estimated:" in shown
        assert f"from {len(paid[name])} payout" in shown.replace(",", "")
        assert "FLUX-AVAX" in shown
        assert "Parallel mining" not in bridged.get(f"/{path}/{name}").text
        assert "Parallel mining" not in client.get(f"/{path}/{name}?view=payouts").text


@pytest.mark.parametrize("path", ["addresses/{}/parallel-mining", "nodes/{}/parallel-mining"])
def test_a_network_without_parallel_chains_has_no_such_thing(
    client: Client, paid: dict[str, list[Any]], path: str
) -> None:
    name = next(name for name in paid if (":" in name) == path.startswith("nodes"))
    response = client.get(f"/api/v1/{path.format(name)}")
    assert response.status_code == 404
    assert "has no parallel chains" in response.json()["error"]["message"]
