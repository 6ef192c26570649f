"""The node records against what made them: STARTs, confirmations, payouts, collaterals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import repeat

from indexer.chain.keys import outpoint_text, txkey_height
from indexer.chain.nodes import Status
from indexer.state.delta import NodeRow
from indexer.store.base import Document
from indexer.store.codec import transaction_inputs
from indexer.store.read import node_row
from indexer.verify.finding import Finding, Findings
from indexer.verify.view import Moved, View

CONFIRMED = int(Status.CONFIRMED)
LIVE = (int(Status.STARTED), CONFIRMED, int(Status.DOS))


@dataclass(slots=True)
class _History:
    """What the immutable rows say of each node: counts, zatoshi, heights."""

    lives: Counter[int] = field(default_factory=Counter)
    started: dict[int, Document] = field(default_factory=dict)  # the last START
    confirmed: dict[int, int] = field(default_factory=dict)  # height of the last confirmation
    paid_count: Counter[int] = field(default_factory=Counter)
    paid_total: Counter[int] = field(default_factory=Counter)
    paid: dict[int, int] = field(default_factory=dict)  # height of the last payment


@dataclass(frozen=True, slots=True)
class StoredNodes:
    """All node records by id, and the zatoshi of the collateral of each confirmed one by outpoint."""

    rows: dict[int, NodeRow]
    collaterals: dict[bytes, int]


def read_nodes(view: View) -> StoredNodes:
    """The records at the height of the view; Moved when blocks arrived meanwhile."""
    return view.fenced(lambda tip: _read(view, tip))


def check_nodes(view: View, findings: Findings, stored: StoredNodes) -> str:
    """Compare every node with its history; returns how much was looked at."""
    nodes, collaterals = stored.rows, stored.collaterals
    history = _history(view)
    _check_outpoints(nodes, findings)
    for id in sorted(nodes.keys() | history.started.keys()):
        node = nodes.get(id)
        if node is None:
            findings.add(Finding("nodes", str(id), "the row", "present", None, txkey_height(id)))
            continue
        findings.compare("nodes", id, _expected(node, history), node._asdict(), txkey_height(id))
        found = collaterals.get(node.outpoint)
        if node.status == CONFIRMED and found != node.value and not _spent_when_confirmed(view, node):
            findings.add(Finding("utxos", outpoint_text(node.outpoint), "v", node.value, found, txkey_height(id)))
    _check_known(history, nodes, findings)
    return f"{len(nodes):,} nodes"


def _read(view: View, tip: Document) -> StoredNodes:
    if tip["height"] != view.height:
        raise Moved(f"the index went on from block {view.height}")
    nodes = {row.id: row for row in map(node_row, view.store.scan("nodes"))}
    points = [node.outpoint for node in nodes.values() if node.status == CONFIRMED]
    coins = view.store.find("utxos", "_id", points)
    return StoredNodes(nodes, {bytes(coin["_id"]): coin["v"] for coin in coins})


def _history(view: View) -> _History:
    history = _History()
    for start in view.store.scan("node_starts", 0, (view.height + 1) << 16):
        history.lives[start["node"]] += 1
        history.started[start["node"]] = start
    for row in view.rows("node_confirms", "confirmations"):
        history.confirmed.update(zip(row["nodes"], repeat(row["_id"]), strict=False))
    for row in view.rows("payouts", "payouts"):
        for node, amount in zip(row["nodes"], row["amounts"], strict=True):
            history.paid[node] = row["_id"]
            history.paid_count[node] += 1
            history.paid_total[node] += amount
    return history


def _expected(node: NodeRow, history: _History) -> dict[str, object]:
    """What the record of a node must say."""
    start = history.started.get(node.id)
    if start is None:
        return {"lives": 0}
    since = txkey_height(start["_id"])
    return {
        "lives": history.lives[node.id],
        "started": since,
        "outpoint": bytes(start["outpoint"]),
        "tier": start["tier"],
        "value": start["value"],
        "payee": bytes(start["payee"]),
        "pubkey": bytes(start["pubkey"]),
        "last_confirmed": _within(history.confirmed.get(node.id, 0), since),
        "last_paid": _within(history.paid.get(node.id, 0), since),
        "paid_count": history.paid_count[node.id],
        "paid_total": history.paid_total[node.id],
        **_of_status(node),
    }


def _within(height: int, since: int) -> int:
    """A height of the present life, else 0."""
    return height if height > since else 0


def _of_status(node: NodeRow) -> dict[str, object]:
    """What follows from a status: a live node has no end, a started one no confirmation, a confirmed one some."""
    expected: dict[str, object] = {}
    if (node.status in LIVE) != (node.ended == 0):
        expected["ended"] = "0 on a list, else a height"
    if node.status == CONFIRMED and not node.started < node.confirmed <= node.last_confirmed:
        expected["confirmed"] = f"from {node.started + 1} to {node.last_confirmed}"
    if node.status in (Status.STARTED, Status.DOS) and node.confirmed:
        expected["confirmed"] = 0
    return expected


def _spent_when_confirmed(view: View, node: NodeRow) -> bool:
    """Whether the block of the first confirmation spent the collateral: such a node stays until it expires."""
    rows = view.transactions(node.confirmed, node.confirmed + 1)
    return any(spent.outpoint == node.outpoint for row in rows for spent in transaction_inputs(row))


def _check_outpoints(nodes: dict[int, NodeRow], findings: Findings) -> None:
    owners: dict[bytes, int] = {}
    for node in nodes.values():
        other = owners.setdefault(node.outpoint, node.id)
        if other != node.id:
            findings.add(Finding("nodes", str(node.id), "outpoint", f"not that of {other}", node.outpoint))


def _check_known(history: _History, nodes: dict[int, NodeRow], findings: Findings) -> None:
    """Confirmations and payouts name existing nodes."""

    def strangers(heights: dict[int, int]) -> Iterator[tuple[int, int]]:
        return ((node, height) for node, height in heights.items() if node not in nodes)

    for collection, heights in (("node_confirms", history.confirmed), ("payouts", history.paid)):
        for node, height in strangers(heights):
            findings.add(Finding(collection, str(height), "node", "a row of nodes", node, height))
