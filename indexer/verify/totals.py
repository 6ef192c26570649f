"""Every block against the one before and against its payouts: running totals, counters, pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.store.base import Document
from indexer.verify.finding import Finding, Findings
from indexer.verify.view import View

RUNNING = ("txs_total", "issued", "fees_total", "max_time", "payouts_checked", "payouts_mismatched")
ZERO = dict.fromkeys(RUNNING, 0)
POOLS = "transparent + sprout + sapling + unspendable"


def check_totals(view: View, findings: Findings) -> str:
    """Walk ``blocks`` and ``payouts`` side by side; returns how much was looked at."""
    before: Document = ZERO
    expected_height = 0
    payouts = view.store.scan("payouts", 0, view.height + 1)
    judged = next(payouts, None)
    for block in view.rows("blocks", "running totals"):
        height = block["_id"]
        _missing(findings, range(expected_height, height))
        judged = _skip(payouts, judged, height)
        of_block = judged if judged is not None and judged["_id"] == height else None
        if of_block is None:
            findings.add(Finding("payouts", str(height), "the row", "present", None, height))
        findings.compare("blocks", height, _expected(block, before, of_block), _with_pools(block), height)
        before, expected_height = block, height + 1
    _missing(findings, range(expected_height, view.height + 1))
    _check_tip(view, findings, before)
    return f"{view.height + 1:,} blocks"


def _missing(findings: Findings, heights: range) -> None:
    for height in heights:
        findings.add(Finding("blocks", str(height), "the row", "present", None, height))


def _skip(rows: Iterator[Document], row: Document | None, height: int) -> Document | None:
    while row is not None and row["_id"] < height:
        row = next(rows, None)
    return row


def _expected(block: Document, before: Document, judged: Document | None) -> dict[str, Any]:
    """What a block's running totals must be."""
    expected = {
        "txs_total": before["txs_total"] + block["tx_count"],
        "issued": before["issued"] + block["coinbase_value"] - block["fees"],
        "fees_total": before["fees_total"] + block["fees"],
        POOLS: block["issued"],
        "max_time": max(before["max_time"], block["time"]),
    }
    if judged is not None:
        expected["payouts_checked"] = before["payouts_checked"] + len(judged["vouts"])
        expected["payouts_mismatched"] = before["payouts_mismatched"] + judged["vouts"].count(-1)
    return expected


def _with_pools(block: Document) -> dict[str, Any]:
    return {**block, POOLS: block["transparent"] + block["sprout"] + block["sapling"] + block["unspendable"]}


def _check_tip(view: View, findings: Findings, last: Document) -> None:
    if last is not ZERO:
        named = {name: view.tip[name] for name in ("hash", "time")}
        findings.compare("blocks", last["_id"], named, dict(last), view.height)
