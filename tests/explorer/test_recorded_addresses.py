"""Every recorded address through the API equals the daemon's address index, the known differences aside."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any, NamedTuple

import pytest

from tests import recorded
from tests.explorer.client import Client
from tests.explorer.test_recorded_blocks import zatoshi

# Outputs that we credit and the daemon's address index leaves out: it knows only the exact 25-byte P2PKH and
# 23-byte P2SH scripts, and we credit an address exactly when an output shows it.
KNOWN_DIFFERENCES = {
    # P2PK, compressed and uncompressed keys
    ("9f73ea5bbd9c65e986d2828511bdcb858183e126636664622955486d0fc55a75", 0): "tmCfxgWREcVSasKYG8wRX17VoatxkJHU7at",
    ("9f73ea5bbd9c65e986d2828511bdcb858183e126636664622955486d0fc55a75", 1): "tmNhZikvnaCtJBc5m4s9REPM3W8uk1dSEky",
    ("a1b5113d0f5dde593b45755a745112edb629ae0d8ca6204b5ebcb5738f5bca87", 0): "tmCfxgWREcVSasKYG8wRX17VoatxkJHU7at",
    ("6f47fcbe7bf5d7153b9829273c0b99dbaadd0952046577a39d60bef5c6babd1d", 1): "tmQtL1VfmkPksrnV3vGMUkeNGakp3ivzpC9",
    ("6f47fcbe7bf5d7153b9829273c0b99dbaadd0952046577a39d60bef5c6babd1d", 4): "tmDXbrpJDmAhmoroa43r2Vfghms3NDNv6kq",
    ("6f47fcbe7bf5d7153b9829273c0b99dbaadd0952046577a39d60bef5c6babd1d", 7): "tmQtL1VfmkPksrnV3vGMUkeNGakp3ivzpC9",
    ("ce189c8513018c9a5857dd79a1d8dc38d1670fc2f77241c4a0cd2c24e50040e7", 0): "tmQtL1VfmkPksrnV3vGMUkeNGakp3ivzpC9",
    ("620ff7a2b213c023a9b30476da82518e0a51d99f11bd4d6d50878e1defe0ce38", 1): "tmDHo4LML1PKdvjZHaFDE7e8fRTvpwZ5B88",
    ("620ff7a2b213c023a9b30476da82518e0a51d99f11bd4d6d50878e1defe0ce38", 4): "tmKuMQfkh76hVeFHfd4x15XMANVUZqrqPDW",
    ("620ff7a2b213c023a9b30476da82518e0a51d99f11bd4d6d50878e1defe0ce38", 7): "tmDHo4LML1PKdvjZHaFDE7e8fRTvpwZ5B88",
    ("d258cf649074fec3388931bd0e7d25bdfffa93502cb20825470ca5327821ab86", 0): "tmDHo4LML1PKdvjZHaFDE7e8fRTvpwZ5B88",
    # P2PKH with PUSHDATA
    ("6f47fcbe7bf5d7153b9829273c0b99dbaadd0952046577a39d60bef5c6babd1d", 2): "tmQtL1VfmkPksrnV3vGMUkeNGakp3ivzpC9",
    ("6f47fcbe7bf5d7153b9829273c0b99dbaadd0952046577a39d60bef5c6babd1d", 8): "tmQtL1VfmkPksrnV3vGMUkeNGakp3ivzpC9",
    ("620ff7a2b213c023a9b30476da82518e0a51d99f11bd4d6d50878e1defe0ce38", 2): "tmDHo4LML1PKdvjZHaFDE7e8fRTvpwZ5B88",
    ("620ff7a2b213c023a9b30476da82518e0a51d99f11bd4d6d50878e1defe0ce38", 8): "tmDHo4LML1PKdvjZHaFDE7e8fRTvpwZ5B88",
}

STEP = 17  # addresses asked one by one in the fast test


class Delta(NamedTuple):
    """What an input or output does to an address."""

    height: int
    position: int
    txid: str
    zatoshi: int


class Expected(NamedTuple):
    """An address as it must be: the daemon's index with what it leaves out."""

    deltas: list[Delta]
    unspent: dict[str, int]  # outpoint -> zatoshi

    @property
    def by_transaction(self) -> list[Delta]:
        """One delta per transaction, newest first."""
        sums: defaultdict[tuple[int, int, str], int] = defaultdict(int)
        for height, position, txid, amount in self.deltas:
            sums[height, position, txid] += amount
        return [Delta(*place, amount) for place, amount in sorted(sums.items(), reverse=True)]

    @property
    def totals(self) -> tuple[int, int, int]:
        """Balance, received and number of transactions."""
        received = sum(d.zatoshi for d in self.deltas if d.zatoshi > 0)
        return sum(d.zatoshi for d in self.deltas), received, len(self.by_transaction)


@cache
def expectations() -> dict[str, Expected]:
    """All recorded addresses."""
    found = {
        row["address"]: Expected(
            [Delta(d["height"], d["blockindex"], d["txid"], d["satoshis"]) for d in row["deltas"]],
            {f"{u['txid']}:{u['outputIndex']}": u["satoshis"] for u in row["utxos"]},
        )
        for row in recorded.addresses()
    }
    for row in recorded.blocks():
        for position, tx in enumerate(row["block"]["tx"]):
            _add_left_out(found, row["height"], position, tx)
    return found


def _add_left_out(found: dict[str, Expected], height: int, position: int, tx: dict[str, Any]) -> None:
    for spent in tx.get("vin", ()):
        if address := KNOWN_DIFFERENCES.get((spent.get("txid"), spent.get("vout"))):
            value = found[address].unspent.pop(f"{spent['txid']}:{spent['vout']}")
            found[address].deltas.append(Delta(height, position, tx["txid"], -value))
    for output in tx.get("vout", ()):
        if address := KNOWN_DIFFERENCES.get((tx["txid"], output["n"])):
            assert output["scriptPubKey"]["addresses"] == [address]
            found[address].unspent[f"{tx['txid']}:{output['n']}"] = output["valueZat"]
            found[address].deltas.append(Delta(height, position, tx["txid"], output["valueZat"]))


def summary(client: Client, address: str) -> dict[str, Any]:
    """The address at the tip, amounts in zatoshi."""
    body: dict[str, Any] = client.json(f"/api/v1/addresses/{address}")
    amounts = ("balance", "received", "sent", "immature", "spendable")
    return body | {name: zatoshi(body[name]) for name in amounts}


def check_address(client: Client, address: str, expected: Expected, limit: int) -> None:
    """Everything that the API says of an address."""
    balance, received, count = expected.totals
    body = summary(client, address)
    heights = [d.height for d in expected.deltas]
    assert (body["balance"], body["received"], body["sent"]) == (balance, received, received - balance)
    assert (body["transaction_count"], body["utxo_count"]) == (count, len(expected.unspent))
    assert (body["first_height"], body["last_height"]) == (min(heights, default=None), max(heights, default=None))
    movements = client.pages(f"/api/v1/addresses/{address}/transactions", limit)
    seen = [Delta(m["height"], m["index"], m["txid"], zatoshi(m["delta"])) for m in movements]
    assert seen == expected.by_transaction
    for movement in movements:
        assert zatoshi(movement["balance_after"]) == balance
        balance -= zatoshi(movement["delta"])
    unspent = client.pages(f"/api/v1/addresses/{address}/utxos", limit)
    assert {u["outpoint"]: zatoshi(u["value"]) for u in unspent} == expected.unspent
    assert len(unspent) == len(expected.unspent)
    immature = [u for u in unspent if u["coinbase"] and u["confirmations"] < 100]
    assert body["immature"] == sum(zatoshi(u["value"]) for u in immature)
    assert body["spendable"] == body["balance"] - body["immature"]


def test_balances_of_all_addresses_equal_the_daemons(client: Client) -> None:
    texts = list(expectations())
    for first in range(0, len(texts), 1000):
        asked = texts[first : first + 1000]
        body = client.post("/api/v1/balances", json={"addresses": asked}).json()
        assert [item["address"] for item in body["items"]] == asked
        for item in body["items"]:
            seen = (zatoshi(item["balance"]), zatoshi(item["received"]), item["transaction_count"])
            assert seen == expectations()[item["address"]].totals


def test_the_daemons_index_differs_only_as_listed() -> None:
    for row in recorded.addresses():
        credited = sum(1 for address in KNOWN_DIFFERENCES.values() if address == row["address"])
        expected = expectations()[row["address"]]
        daemons = (int(row["balance"]["balance"]), int(row["balance"]["received"]))
        assert (expected.totals[:2] == daemons) == (credited == 0)


def test_addresses_equal_the_daemons(client: Client) -> None:
    for address in list(expectations())[::STEP]:
        check_address(client, address, expectations()[address], 1000)


def test_addresses_with_known_differences(client: Client) -> None:
    for address in sorted(set(KNOWN_DIFFERENCES.values())):
        check_address(client, address, expectations()[address], 2)


@pytest.mark.slow
def test_every_address_equals_the_daemons(client: Client) -> None:
    for address, expected in expectations().items():
        check_address(client, address, expected, 1000)


@pytest.mark.parametrize("limit", [13, 600])
def test_history_of_a_busy_address_page_by_page(client: Client, limit: int) -> None:
    expected = max(expectations().items(), key=lambda item: len(item[1].deltas))
    check_address(client, expected[0], expected[1], limit)


def test_several_transactions_of_an_address_in_one_block_page_by_page(client: Client) -> None:
    def busiest(expected: Expected) -> int:
        heights = [d.height for d in expected.by_transaction]
        return max((heights.count(height) for height in set(heights)), default=0)

    crowded = [a for a, expected in expectations().items() if busiest(expected) > 2]
    assert crowded
    for address in crowded[:5]:
        check_address(client, address, expectations()[address], 1)


def test_the_past_is_what_the_deltas_add_up_to(any_client: Client) -> None:
    crowded = sorted(expectations().items(), key=lambda item: -len(item[1].deltas))[:40]
    for height in (1, 500, 1255, 1999, recorded.TIP - 1):
        body = any_client.post("/api/v1/balances", json={"addresses": [a for a, _ in crowded], "at": height}).json()
        assert body["at"]["height"] == height
        for item, (address, expected) in zip(body["items"], crowded, strict=True):
            past = Expected([d for d in expected.deltas if d.height <= height], {})
            assert (zatoshi(item["balance"]), zatoshi(item["received"]), item["transaction_count"]) == past.totals
            if address == crowded[0][0]:
                one = any_client.json(f"/api/v1/addresses/{address}?at={height}")
                assert {name: one[name] for name in item} == item
                assert (one["spendable"], one["utxo_count"], one["nodes"], one["unconfirmed"]) == (None,) * 4


def test_confirmations_are_another_way_to_say_at(any_client: Client) -> None:
    address = next(iter(expectations()))
    for depth in (1, 2, 300):
        asked = {"addresses": [address], "confirmations": depth}
        body = any_client.post("/api/v1/balances", json=asked).json()
        assert body["at"] == {
            "height": recorded.TIP + 1 - depth,
            "hash": recorded.blocks()[recorded.TIP + 1 - depth]["hash"],
        }
        one = any_client.json(f"/api/v1/addresses/{address}?confirmations={depth}")
        assert one["at"] == body["at"]
        assert one["balance"] == body["items"][0]["balance"]


def test_immature_at_a_past_height(client: Client) -> None:
    miner = next(a for a, e in expectations().items() if len(e.deltas) > 100)
    coinbases = {row["block"]["tx"][0]["txid"] for row in recorded.blocks()}
    for height in (150, 400, 2000):
        young = range(height - 98, height + 1)
        expected = sum(d.zatoshi for d in expectations()[miner].deltas if d.height in young and d.txid in coinbases)
        body = client.json(f"/api/v1/addresses/{miner}?at={height}")
        assert zatoshi(body["immature"]) == expected


def test_nodes_of_an_address_are_those_that_the_daemon_lists(client: Client) -> None:
    snapshot = recorded.states()[recorded.blocks()[recorded.TIP]["hash"]]["snapshot"]
    listed: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"cumulus": 0, "nimbus": 0, "stratus": 0})
    for node in snapshot["nodes"]:
        listed[node["payment_address"]][node["tier"].lower()] += 1
    assert listed
    for address, counts in list(listed.items())[:12]:
        assert client.json(f"/api/v1/addresses/{address}")["nodes"] == counts
