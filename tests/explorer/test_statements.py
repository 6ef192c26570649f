"""Statements of addresses: every movement of the recorded chain, its category, and sums that agree to the zatoshi."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from explorer.errors import NotFound, Reorganised
from explorer.queries import statements
from explorer.queries.movements import movements_of
from indexer.chain.params import COIN
from indexer.store.codec import Input, Output, Shielded, Transaction
from tests import recorded
from tests.explorer.client import Client

ADDRESS = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
BUSY = "tmHbbe3SwnKDFqi1vqUTec5EC1J4QyCbuSL"  # 314 payouts and the coins that they began with
AMOUNT = re.compile(r"-?\d+\.\d{8}\Z")
US, THEM, NOBODY = b"\x01" + b"u" * 20, b"\x01" + b"t" * 20, bytes(21)


def zatoshi(text: str) -> int:
    """An amount of the API."""
    whole, _, rest = text.lstrip("-").partition(".")
    return (-1 if text.startswith("-") else 1) * (int(whole) * COIN + int(rest))


def busiest(count: int) -> list[str]:
    """The addresses with the most outputs in the recorded chain."""
    paid: Counter[str] = Counter()
    for block in recorded.blocks():
        for tx in block["block"]["tx"]:
            for output in tx.get("vout", ()):
                paid.update(output["scriptPubKey"].get("addresses", ())[:1])
    return [address for address, _ in paid.most_common(count)]


def whole(client: Client, address: str, limit: int, **span: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first page of a statement and the items of all pages, each page checked to be carried on by the next."""
    query: dict[str, Any] = {**span, "limit": limit}
    url = f"/api/v1/addresses/{address}/statement"
    first = page = client.get(url, params=query).json()
    items: list[dict[str, Any]] = []
    while True:
        brought = zatoshi(page["brought_forward"])
        assert brought + sum(zatoshi(i["amount"]) for i in page["items"]) == zatoshi(page["carried_forward"])
        items += page["items"]
        if page["next"] is None:
            return first, items
        carried, page = page["carried_forward"], client.get(url, params={**query, "cursor": page["next"]}).json()
        assert page["brought_forward"] == carried


def test_statements_of_the_busiest_addresses_are_their_history(client: Client) -> None:
    seen: Counter[str] = Counter()
    miner = client.json("/api/v1/blocks/10")["funds"][0]["address"]
    for address in {ADDRESS, BUSY, miner, *busiest(8)}:
        first, items = whole(client, address, 300)
        account = client.json(f"/api/v1/addresses/{address}")
        assert zatoshi(first["opening"]) + sum(zatoshi(i["amount"]) for i in items) == zatoshi(first["closing"])
        assert (first["closing"], first["received"]) == (account["balance"], account["received"])
        assert zatoshi(first["sent"]) == zatoshi(account["sent"])
        deltas: Counter[str] = Counter()
        for item in items:
            deltas[item["txid"]] += zatoshi(item["amount"])
        history = client.pages(f"/api/v1/addresses/{address}/transactions", 1000)
        assert deltas == Counter({row["txid"]: zatoshi(row["delta"]) for row in history})
        assert [i["height"] for i in items] == sorted(i["height"] for i in items)
        seen.update(i["category"] for i in items)
    assert {"payout_cumulus", "payout_nimbus", "payout_stratus", "mined", "fund", "received", "sent"} <= set(seen)


def test_payouts_in_a_statement_are_those_of_the_queue(client: Client) -> None:
    _, items = whole(client, BUSY, 1000)
    listed = {(i["height"], i["txid"], i["category"]): i["amount"] for i in items if "payout" in i["category"]}
    sums: Counter[tuple[int, str, str]] = Counter()
    for paid in client.pages(f"/api/v1/addresses/{BUSY}/payouts", 1000):
        if paid["matched"]:
            key = paid["height"], paid["outpoint"].partition(":")[0], f"payout_{paid['tier']}"
            sums[key] += zatoshi(paid["amount"])
    assert {key: zatoshi(amount) for key, amount in listed.items()} == sums
    assert len(listed) > 300


@pytest.mark.parametrize(
    ("limit", "since", "until"), [(1, 450, 470), (2, 0, 430), (7, 700, 900), (1000, 2400, 2400)]
)
def test_pages_and_spans_cut_without_loss(client: Client, limit: int, since: int, until: int) -> None:
    _, items = whole(client, BUSY, 1000)
    first, part = whole(client, BUSY, limit, **{"from": since, "to": until})
    assert part == [i for i in items if since <= i["height"] <= until]
    before = [i["balance_after"] for i in items if i["height"] < since]
    assert first["opening"] == (before[-1] if before else "0.00000000")
    assert (first["from"], first["to"]["height"]) == (since, until)


def test_days_are_whole_days_by_the_running_maximum_of_block_times(client: Client) -> None:
    times = [row["block"]["time"] for row in recorded.blocks()]
    reached = [max(times[: n + 1]) for n in range(len(times))]
    day = datetime.fromtimestamp(reached[1200], UTC).date()
    begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    first = next(n for n, time in enumerate(reached) if time >= begin)
    last = max(n for n, time in enumerate(reached) if time < begin + 86400)
    body = client.get(f"/api/v1/addresses/{BUSY}/statement", params={"from": str(day), "to": str(day)}).json()
    assert (body["from"], body["to"]["height"]) == (first, last)
    moment = datetime.fromtimestamp(reached[700], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = client.get(f"/api/v1/addresses/{BUSY}/statement", params={"from": moment, "to": moment}).json()
    assert body["from"] == reached.index(reached[700])
    assert body["to"]["height"] == max(n for n, time in enumerate(reached) if time == reached[700])
    late = client.get(f"/api/v1/addresses/{BUSY}/statement", params={"from": "2099-01-01"}).json()
    assert (late["items"], late["opening"], late["from"]) == ([], late["closing"], 2401)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("from=2401", 409, "2400"),
        ("to=2401", 409, "2400"),
        ("from=10&to=5", 400, "above to"),
        ("from=yesterday", 400, "a date such as"),
        ("to=2026-13-01", 400, "a date such as"),
        ("from=2026-01-01T25:00", 400, "a date such as"),
        ("to=0001-01-01", 400, "no block yet"),
        ("to=1970-01-01", 400, "no block yet"),
        ("format=xml", 400, "json, csv"),
        ("format=csv&limit=3", 400, "whole statement"),
        ("cursor=AAAA", 400, "cursor"),
        (f"cursor={statements.LIST.encode(2400, 1, 5, 0, 0)}", 409, "begin it again"),
        (f"cursor={statements.LIST.encode(1 << 60, 1, 5, 0, 0)}", 409, "begin it again"),
    ],
)
def test_bad_spans(client: Client, query: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/addresses/{ADDRESS}/statement?{query}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def table(text: str) -> list[list[str]]:
    """The rows of a CSV."""
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_csv_has_it_all_and_nothing_that_a_spreadsheet_calculates(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.api.accounts.MAX_LIMIT", 40)  # so that it takes many pages
    first, items = whole(client, BUSY, 1000, **{"from": 1})
    response = client.get(f"/api/v1/addresses/{BUSY}/statement?format=csv&from=1")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["content-disposition"] == f'attachment; filename="{BUSY}-1-2400.csv"'
    head, opening, *rows, closing = table(response.text)
    assert head == ["date", "height", "txid", "category", "amount", "balance"]
    assert (opening[3], opening[5]) == ("opening", first["opening"])
    assert (closing[3], closing[5]) == ("closing", first["closing"])
    assert [[r[1], *r[2:]] for r in rows] == [
        [str(i["height"]), i["txid"], i["category"], i["amount"], i["balance_after"]] for i in items
    ]
    assert len(rows) > 100
    for cell in (cell for row in table(response.text) for cell in row):
        assert AMOUNT.match(cell) or not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert client.request("HEAD", f"/api/v1/addresses/{BUSY}/statement?format=csv").content == b""


def test_a_csv_that_cannot_be_finished_says_so_and_has_no_closing_balance(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.api.accounts.MAX_LIMIT", 40)
    calls = iter(range(10))

    async def unchanged(*_: Any) -> Any:
        if next(calls) >= 2:
            raise Reorganised("block 2400 has been orphaned: begin it again")

    monkeypatch.setattr(statements, "require_unchanged", unchanged)
    *rows, last = table(client.get(f"/api/v1/addresses/{BUSY}/statement?format=csv").text)
    assert (last[2], last[3], last[5]) == ("block 2400 has been orphaned: begin it again", "incomplete", "")
    assert len(rows) == 2 + 3 * 40
    assert "closing" not in {row[3] for row in rows}


def test_an_index_that_does_not_add_up_gives_no_statement(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def short(transaction: Transaction, key: bytes, judged: Any) -> Iterator[tuple[str, int]]:
        for category, amount in movements_of(transaction, key, judged):
            yield category, amount - 1

    monkeypatch.setattr(statements, "movements_of", short)
    response = client.get(f"/api/v1/addresses/{BUSY}/statement")
    assert (response.status_code, response.json()["error"]["code"]) == (NotFound.status, "not_found")
    assert "do not add up" in response.json()["error"]["message"]


def moved(inputs: list[tuple[bytes, int]], outputs: list[tuple[bytes, int]], **pools: int) -> tuple[str, int]:
    """Category and amount of a transfer for us."""
    shielded = Shielded(pools.get("sprout_in", 0), pools.get("sprout_out", 0), pools.get("balance", 0), 0, 1, 1)
    spent = tuple(Input(0, b"", owner, value) for owner, value in inputs)
    made = tuple(Output(value, owner, 0, b"") for owner, value in outputs)
    transfer = Transaction(1, b"", 1, 4, 0, 0, 0, 0, None, spent, made, shielded if pools else None)
    (found,) = movements_of(transfer, US, None)
    return found


@pytest.mark.parametrize(
    ("expected", "inputs", "outputs", "pools"),
    [
        (("received", 5), [(THEM, 9)], [(US, 5), (THEM, 3)], {}),
        (("sent", -6), [(US, 9)], [(US, 3), (THEM, 5)], {}),
        (("sent", -9), [(US, 9)], [(NOBODY, 8)], {}),
        (("sent", -9), [(US, 9), (THEM, 1)], [], {"balance": -9}),
        (("self", -1), [(US, 9), (US, 1)], [(US, 9)], {}),
        (("self", 0), [(US, 9)], [(US, 9)], {}),
        (("received", 4), [(US, 1), (THEM, 5)], [(US, 5)], {}),
        (("shielded_in", -9), [(US, 9)], [], {"sprout_in": 8}),
        (("shielded_in", -6), [(US, 9)], [(US, 3)], {"balance": -5}),
        (("sent", -6), [(US, 9)], [(US, 3), (THEM, 1)], {"balance": -4}),
        (("shielded_out", 7), [], [(US, 7)], {"sprout_out": 8}),
        (("shielded_out", 2), [(US, 5)], [(US, 7)], {"balance": 3}),
        (("received", 7), [(THEM, 5)], [(US, 7)], {"balance": 3}),
    ],
)
def test_categories_of_transfers(
    expected: tuple[str, int], inputs: Any, outputs: Any, pools: dict[str, int]
) -> None:
    assert moved(inputs, outputs, **pools) == expected


def test_what_comes_out_of_the_shielded_pools_is_named(client: Client) -> None:
    found: Counter[str] = Counter()
    for block in recorded.blocks():
        for tx in block["block"]["tx"]:
            if not (tx.get("vjoinsplit") or tx.get("vShieldedSpend") or tx.get("vShieldedOutput")):
                continue
            shown = client.json(f"/api/v1/transactions/{tx['txid']}")
            for address in {part["address"] for part in (*shown["inputs"], *shown["outputs"]) if part["address"]}:
                span = {"from": block["height"], "to": block["height"]}
                _, items = whole(client, address, 1000, **span)
                found.update(i["category"] for i in items if i["txid"] == tx["txid"])
    assert found["shielded_out"] == 3  # those that paid in had their change sent to other addresses
