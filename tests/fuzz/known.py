"""What exists on the recorded chain, for questions that are not refused: names, heights, and places in its lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from explorer.events.event import KINDS
from explorer.parallel.base import ParallelChain
from explorer.queries.units import TIERS
from indexer.chain.nodes import Status
from tests import recorded
from tests.accounts.visiting import ALICE, BOB
from tests.explorer.client import Client
from tests.fuzz.closed import Document, Known, operations

HEIGHTS = [0, 1, 319, 405, 700, 1850, 1900, 2399, 2400, 2401]
SPANS = ["0", "319", "1850", "2400", "2401", "2026-11-09", "2026-11-20T12:00:00Z", "1999-01-01"]
LIMITS = [1, 2, 3, 7, 25, 100]


def known_values(client: Client, chains: Sequence[ParallelChain]) -> dict[str, list[Any]]:
    """Values by the names of parameters; cursors are those of single lists and not among them."""
    blocks = recorded.blocks()
    nodes = client.json("/api/v1/nodes?limit=12")["items"]
    addresses = sorted({n["address"] for n in nodes} | {"t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH", ALICE.address})
    outpoints = [n["node"] for n in nodes] + [f"{blocks[700]['block']['tx'][0]['txid']}:0"]
    hashes = [blocks[height]["hash"] for height in HEIGHTS[:-1]]
    txids = list(islice(_txids(blocks), 40))
    return {
        "reference": [*map(str, HEIGHTS), *hashes, recorded.stale_blocks()[0]["hash"], "00" * 32],
        "txid": [*txids, "00" * 32],
        "address": addresses,
        "addresses": addresses,
        "tier": list(TIERS),
        "outpoint": outpoints,
        "node": outpoints,
        "nodes": [*addresses, *outpoints, "10.0.0.1", f"{addresses[0]} {outpoints[0]}, nonsense"],
        "ip": [n["ip"] for n in nodes if n["ip"]],
        "pubkey": [n["pubkey"] for n in nodes],
        "status": [status.label for status in Status],
        "entry": [*addresses, *outpoints],
        "url": ["https://shop.example/flux"],
        "signature": [ALICE.sign("a message"), BOB.sign("a message"), ""],
        "message": ["a message", "another"],
        "chain": [*(chain.key for chain in chains), "nothing"],
        "at": HEIGHTS,
        "before": HEIGHTS,
        "confirmations": [1, 2, 100, 2401, 2402],
        "min_confirmations": [1, 2, 100, 2401],
        "from": SPANS,
        "to": SPANS,
        "limit": LIMITS,
        "points": [2, 3, 10, 50],
        "kinds": [*KINDS, "block,reorg", "tip"],
        "q": ["tip", "1,850", *hashes[:2], *txids[:4], *addresses[:2], *outpoints[:2], "2026-11-09", "cumulus", "halv"],
        "hex": ["00", client.json(f"/api/v1/transactions/{blocks[319]['block']['tx'][1]['txid']}/raw")["hex"]],
    }


def known_of(client: Client, document: Document, label: str, values: Known) -> Known:
    """The values for one operation, with cursors that its first pages gave."""
    operation = dict(operations(document))[label]
    if not any(parameter["name"] == "cursor" for parameter in operation["parameters"]):
        return values
    return {**values, "cursor": [*_cursors(client, label.split()[1], operation, values), "AAAA"]}


def _cursors(client: Client, path: str, operation: Document, values: Known) -> Iterator[str]:
    for n in range(3):
        told = {p["name"]: values[p["name"]][n] for p in operation["parameters"] if p["in"] == "path" or p["required"]}
        query = {"limit": 1 + n, **{name: value for name, value in told.items() if f"{{{name}}}" not in path}}
        found = client.get(path.format(**told), params=query).json()
        if found.get("next"):
            yield found["next"]


def _txids(blocks: Any) -> Iterator[str]:
    """A few transactions of every kind: those of the busiest blocks."""
    for block in sorted(blocks, key=lambda one: -len(one["block"]["tx"])):
        for tx in block["block"]["tx"][:4]:
            yield tx["txid"]
