"""What clients were promised: every question of the stable API, and the fields of its answer that never go away."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.api import v1
from explorer.api.openapi import document

NODE = (
    "node tier status reason address ip collateral payee_type pubkey started_height confirmed_height "
    "last_confirmed_height last_paid_height rank pays_by_height expected_height eta_seconds eta next_update_height "
    "expires_height dos_until restart_from ended_height lives paid_count paid_total delegates"
)
SUMMARY = "address type balance received sent transaction_count immature spendable unconfirmed utxo_count first_height"
PROMISED = {
    "/status": "network simulated daemon index checks reorgs schema version started_at",
    "/blocks": "items next",
    "/blocks/{reference}": (
        "height hash previous_hash next_hash confirmations time type version bits difficulty size merkle_root "
        "transaction_count counts confirms_by_tier subsidy fees coinbase_value issued unclaimed_here producer "
        "producer_kind payouts_checked payouts funds"
    ),
    "/blocks/{reference}/transactions": "items next",
    "/blocks/{reference}/raw": "hex",
    "/transactions/{txid}": (
        "txid block confirmations type version size lock_time expiry_height fee coinbase inputs outputs shielded node "
        "also_in"
    ),
    "/transactions/{txid}/raw": "hex",
    "/mempool": "count bytes by_type items",
    "/addresses/{address}": f"at {SUMMARY} last_height label nodes",
    "/addresses/{address}/transactions": "items next",
    "/addresses/{address}/utxos": "items next",
    "/addresses/{address}/nodes": "items next",
    "/addresses/{address}/payouts": "items next",
    "/addresses/{address}/statement": "opening closing items next",
    "/credits": "items next",
    "/tiers": "items",
    "/tiers/{tier}/queue": "items next",
    "/nodes": "items next",
    "/nodes/{outpoint}": NODE,
    "/nodes/{outpoint}/events": "items next",
    "/nodes/{outpoint}/payouts": "items next",
    "/payouts": "items next",
    "/producers": "items next",
    "/supply": "native parallel totals",
    "/supply/cap": "checks",
    "/supply/history": "points",
    "/supply/{number}.txt": "",
    "/supply/parallel/{chain}.txt": "",
    "/richlist": "items next",
    "/distribution": "items",
    "/charts/{name}": "points unit",
    "/reorgs": "items next",
    "/search": "items",
    "/events": "",
}
POSTED = {"/transactions": "txid", "/balances": "at items", "/credits": "items next"}
ITEMS = {
    "BlockSummary": "height hash time type size transaction_count fees coinbase_value producer",
    "Input": "outpoint address value",
    "Output": "n value address script_type text spent_by",
    "Shielded": "sprout_in sprout_out sapling_value_balance joinsplits spends outputs",
    "Movement": "txid height time index type delta balance_after confirmations",
    "Unspent": "outpoint value height confirmations coinbase spendable_height script_type",
    "Credit": "seq kind address outpoint value height confirmations coinbase reverses",
    "QueuePlace": (
        "rank node address ip confirmed_height last_paid_height pays_by_height expected_height eta_seconds eta"
    ),
    "LifeEvent": "height txid event detail",
    "NodePayout": "height time tier node address amount outpoint matched",
    "Producer": "node tier address blocks expected first_height last_height",
    "Node": NODE,
}
DOCUMENT = document(v1.api.endpoints)


def fields(schema: dict[str, Any]) -> set[str]:
    """The fields of an object, those of the objects that it is made of included."""
    if "$ref" in schema:
        return fields(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return set(schema.get("properties", {})).union(*map(fields, schema.get("allOf", ())))


@pytest.mark.parametrize(
    ("method", "path", "promised"),
    [("get", *promise) for promise in PROMISED.items()] + [("post", *promise) for promise in POSTED.items()],
)
def test_a_question_is_answered_with_what_was_promised(method: str, path: str, promised: str) -> None:
    content = DOCUMENT["paths"][f"/api/v1{path}"][method]["responses"]["200"]["content"]
    if not promised:
        assert "application/json" not in content
        return
    assert fields(content["application/json"]["schema"]) >= {"tip", *promised.split()}


@pytest.mark.parametrize(("name", "promised"), ITEMS.items())
def test_an_item_has_what_was_promised(name: str, promised: str) -> None:
    assert fields(DOCUMENT["components"]["schemas"][name]) >= set(promised.split())
