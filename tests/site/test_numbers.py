"""What the pages show is what the API answers."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.api.json import amount_text
from tests import recorded
from tests.explorer.client import Client
from tests.site.markup import Markup
from tests.site.test_pages import ADDRESS, MANY_INPUTS, MANY_OUTPUTS, ODD_SCRIPTS, txid


def page_of(site: Client, path: str) -> Markup:
    """A page that is there."""
    response = site.get(path)
    assert response.status_code == 200
    return Markup(response.text)


def plain(text: str) -> str:
    """An amount of a page as the API writes it."""
    return text.replace(",", "").replace("\u2212", "-").replace("+", "").removesuffix("FLUX").strip()


def amounts(page: Markup, *inside: str) -> list[str]:
    """The amounts of a page inside of an element, as the API writes them."""
    return [plain(e.text) for e in page.all(class_="amount") if set(inside) <= set(e.parents)]


@pytest.mark.parametrize("height", [0, 1, 399, 452, 620, 830, 1305, 1800, 1850, 2000, 2240, 2400])
def test_a_block(site: Client, height: int) -> None:
    body: dict[str, Any] = site.json(f"/api/v1/blocks/{height}")
    page = page_of(site, f"/block/{height}")
    said = page.definitions()
    assert plain(said["Block subsidy"]) == body["subsidy"]
    assert plain(said["Fees"]) == body["fees"]
    assert plain(said["Issued up to here"]) == body["issued"]
    assert plain(said.get("Left unclaimed", "0.00000000")) == body["unclaimed_here"]
    assert said["Merkle root"] == body["merkle_root"]
    assert said["Node starts"] == str(body["counts"]["node_start"])
    assert said["Node confirmations"] == str(body["counts"]["node_confirm"])
    assert said["Transactions"].startswith(f"{body['transaction_count']}, of them {body['counts']['transfer']} ")
    assert said.get("Producer") == (body["producer"] if body["producer_kind"] == "node" else None)
    assert body["hash"] in {e.text for e in page.all("span", class_="hash")}
    paid = [(row[0].lower(), plain(row[3]), row[2] == "Paid as expected") for row in page.rows()]
    expected = [(p["tier"], p["amount"], p["matched"]) for p in body["payouts"]]
    assert paid[: len(expected)] == expected
    assert [amount for _, amount, _ in paid[len(expected) :]] == [fund["amount"] for fund in body["funds"]]


@pytest.mark.parametrize("height", [1, 151, 319, 1850, 2000])
def test_the_transactions_of_a_block(site: Client, height: int) -> None:
    page = page_of(site, f"/block/{height}?limit=1000")
    expected: list[str] = []
    for tx in site.pages(f"/api/v1/blocks/{height}/transactions", 1000):
        expected += [tx["fee"]] if tx["fee"] is not None else []
        expected += [i["value"] for i in tx["inputs"][:10]] + [o["value"] for o in tx["outputs"][:10]]
    assert amounts(page, "ol") == expected


@pytest.mark.parametrize(
    "tx", [ODD_SCRIPTS, MANY_INPUTS, MANY_OUTPUTS, txid(0, 0), txid(2000, 0), txid(2000, 1), txid(213, 1), txid(118, 1)]
)
def test_a_transaction(site: Client, tx: str) -> None:
    body: dict[str, Any] = site.json(f"/api/v1/transactions/{tx}")
    shown: list[str] = []
    for first in range(0, max(len(body["inputs"]), len(body["outputs"])), 200):
        shown += amounts(page_of(site, f"/tx/{tx}?in={first}&out={first}"), "ul")
    values = [i["value"] for i in body["inputs"]] + [o["value"] for o in body["outputs"]]
    assert sorted(shown) == sorted(values)
    said = page_of(site, f"/tx/{tx}").definitions()
    assert plain(said.get("Fee", "")) == (body["fee"] or "")
    assert said["Block"].startswith(f"{body['block']['height']:,} ")
    assert said["Version"] == str(body["version"])


def test_what_a_transaction_moves_leaves_out_what_returns(site: Client) -> None:
    for block in recorded.blocks()[100:400]:
        for recorded_tx in block["block"]["tx"][1:]:
            body = site.json(f"/api/v1/transactions/{recorded_tx['txid']}")
            senders = {i["address"] for i in body["inputs"]} - {None}
            returned = [o for o in body["outputs"] if o["address"] in senders]
            if returned:
                page = page_of(site, f"/tx/{recorded_tx['txid']}")
                moved = sum(int(o["value"].replace(".", "")) for o in body["outputs"] if o not in returned)
                assert plain(page.definitions()["Moved"]) == amount_text(moved)
                assert page.one("main").text.count("back to a sender") == len(returned)
                return
    pytest.fail("no recorded transaction returns anything to its sender")


@pytest.mark.parametrize("query", ["", "?at=1900", "?at=2399", "?at=0"])
@pytest.mark.parametrize("address", [ADDRESS, "tmLHPo7bXxYZhz8YwiMgUh8twxrmqRp3tD3"])
def test_an_address(site: Client, address: str, query: str) -> None:
    body: dict[str, Any] = site.json(f"/api/v1/addresses/{address}{query}")
    page = page_of(site, f"/address/{address}{query}")
    said = page.definitions()
    (balance,) = (e.text for e in page.all("p", class_="huge"))
    assert plain(balance) == body["balance"]
    assert plain(said["Received"]) == body["received"]
    assert plain(said["Sent"]) == body["sent"]
    assert said["Transactions"] == str(body["transaction_count"])
    assert plain(said.get("Not spendable yet (new coinbase)", "0.00000000")) == body["immature"]
    moves = site.pages(f"/api/v1/addresses/{address}/transactions", 1000)
    expected = [m for m in moves if m["height"] <= body["at"]["height"]][:50]
    assert [(row[2], plain(row[4]), plain(row[5])) for row in page.rows()] == [
        (m["txid"], m["delta"], m["balance_after"]) for m in expected
    ]


def test_unspent_outputs(site: Client) -> None:
    items = site.json(f"/api/v1/addresses/{ADDRESS}/utxos?limit=200")["items"]
    rows = page_of(site, f"/address/{ADDRESS}?view=utxos&limit=200").rows()
    assert [(row[1], plain(row[4])) for row in rows] == [(i["outpoint"], i["value"]) for i in items]
    immature = [i["outpoint"] for i in items if i["spendable_height"] > 2401]
    assert [row[1] for row in rows if "spendable from" in row[3]] == immature


def test_lists_of_blocks(site: Client) -> None:
    items = site.json("/api/v1/blocks?limit=50")["items"]
    assert [(row[0], plain(row[6])) for row in page_of(site, "/blocks").rows()] == [
        (f"{i['height']:,}", i["coinbase_value"]) for i in items
    ]
    home = page_of(site, "/")
    tip = site.json("/api/v1/blocks/2400")
    assert [plain(row[2]) for row in home.rows()[:4]] == [p["amount"] for p in (*tip["payouts"], *tip["funds"])]
    assert [row[0] for row in home.rows()[4:]] == [f"{i['height']:,}" for i in items[:12]]
    assert plain(home.definitions()["Issued so far"]) == tip["issued"]
    assert home.one(id="live").attributes["data-tip"] == tip["hash"]


def test_status(site: Client) -> None:
    body = site.json("/api/v1/status")
    said = page_of(site, "/status").definitions()
    assert said["Payouts compared"] == f"{body['checks']['payouts_checked']:,}"
    assert said["Payouts that differ"] == "None"
    assert body["checks"]["payouts_mismatched"] == 0
    assert said["Network"] == body["network"]
