"""What the API says about who produced the Proof of Node blocks, and how they came about."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest

from indexer.chain.address import encode_address
from indexer.chain.keys import outpoint_text
from indexer.chain.nodes import Node, Status
from indexer.chain.queue import NodeQueue
from indexer.chain.tiers import tier_of_collateral
from tests import recorded
from tests.chain.recorded_nodes import NETWORK, Follower, Lists
from tests.chain.recorded_nodes import chain as recorded_chain
from tests.explorer.client import Client
from tests.explorer.test_nodes import told
from tests.indexed import chain, parsed

PON = NETWORK.upgrades.pon
EMERGENCY = "11" * 32 + ":0"


@cache
def produced() -> dict[str, list[int]]:
    """The heights of the blocks of each producer, by the outpoint in their headers."""
    heights: defaultdict[str, list[int]] = defaultdict(list)
    for height, block_hash in enumerate(chain()):
        if producer := parsed(block_hash).producer:
            heights[outpoint_text(producer)].append(height)
    return heights


def owners() -> dict[str, Node]:
    """Every node by its collateral."""
    return {outpoint_text(point): node for point, node in told()[0].items()}


@cache
def expected_blocks() -> dict[str, float]:
    """By node, the sum over the Proof of Node blocks for which it was confirmed of one out of all that were."""
    chances: defaultdict[str, float] = defaultdict(float)
    follower = Follower(NodeQueue(NETWORK))
    for block in recorded_chain()[0][1:]:
        if block.height >= NETWORK.upgrades.pon:
            confirmed = follower.queue.with_status(Status.CONFIRMED)
            for node in confirmed:
                chances[outpoint_text(node.outpoint)] += 1 / len(confirmed)
        follower.apply(block)
    return chances


def test_producers(client: Client) -> None:
    seen = client.pages("/api/v1/producers", 6)
    assert {p["node"]: (p["blocks"], p["first_height"], p["last_height"]) for p in seen} == {
        point: (len(found), found[0], found[-1]) for point, found in produced().items()
    }
    assert [p["blocks"] for p in seen] == sorted((p["blocks"] for p in seen), reverse=True)
    for item in seen:
        node = owners().get(item["node"])
        assert item["tier"] == (node.tier.label if node else None)
        assert item["address"] == (encode_address(node.payee, NETWORK) if node else None)
        expected = expected_blocks().get(item["node"], 0.0) if node else None
        assert item["expected"] == (None if expected is None else pytest.approx(expected, abs=0.006))
    assert sum(expected_blocks().values()) == pytest.approx(recorded.TIP + 1 - NETWORK.upgrades.pon)


@pytest.mark.parametrize("limit", [3, 1000])
def test_producers_by_address(client: Client, limit: int) -> None:
    blocks: Counter[str] = Counter()
    expected: defaultdict[str, float] = defaultdict(float)
    heights: defaultdict[str, list[int]] = defaultdict(list)
    nodes: defaultdict[str, set[str]] = defaultdict(set)
    for name, node in owners().items():
        address = encode_address(node.payee, NETWORK)
        if name in expected_blocks() or name in produced():
            nodes[address].add(name)
            blocks[address] += len(produced().get(name, ()))
            expected[address] += expected_blocks().get(name, 0.0)
            heights[address] += produced().get(name, ())
    seen = client.pages("/api/v1/producers/addresses", limit)
    assert {i["address"]: (i["nodes"], i["blocks"], i["first_height"], i["last_height"]) for i in seen} == {
        a: (len(nodes[a]), blocks[a], min(heights[a], default=None), max(heights[a], default=None)) for a in nodes
    }
    assert {i["address"]: i["expected"] for i in seen} == pytest.approx(dict(expected), abs=0.3)
    assert [i["blocks"] for i in seen] == sorted((i["blocks"] for i in seen), reverse=True)
    confirmed = Counter(node.payee for node in told()[0].values() if node.status is Status.CONFIRMED)
    assert {i["address"]: i["confirmed"] for i in seen if i["confirmed"]} == {
        encode_address(payee, NETWORK): count for payee, count in confirmed.items()
    }
    assert sum(i["blocks"] for i in seen) == sum(len(h) for name, h in produced().items() if name in owners())


def test_all_blocks_are_somebodys(client: Client) -> None:
    totals = client.json("/api/v1/producers/totals")
    assert totals["blocks"] == recorded.TIP + 1 - PON == totals["by_nodes"] + totals["emergency"] + totals["test"]
    assert (totals["emergency"], totals["test"]) == (2, 1)
    assert totals["by_nodes"] == sum(len(h) for name, h in produced().items() if name in owners())
    assert totals["producers"] == len(produced()) - 2
    assert (totals["first_height"], totals["last_emergency_height"]) == (PON, produced()[EMERGENCY][-1])
    recent = totals["recent"]
    assert (recent["first_height"], recent["blocks"]) == (PON, recorded.TIP - PON)
    skipped = sum(max(slot_of(height) - slot_of(height - 1) - 1, 0) for height in range(PON + 1, recorded.TIP + 1))
    assert (recent["slots"], recent["skipped"]) == (slot_of(recorded.TIP) - slot_of(PON), skipped)


def slot_of(height: int) -> int:
    """Thirty seconds each, from the time of genesis on, as ``pon/pon.cpp:GetSlotNumber`` counts them."""
    return int(recorded.blocks()[height]["block"]["time"] - NETWORK.genesis_time) // 30


def list_with(lists: Lists, point: str) -> tuple[str, str, str] | None:
    """On which of the daemon's three lists a node is: status, tier, address."""
    for nodes in lists.confirmed:
        for node in nodes:
            if outpoint_text(node[0]) == point:
                return "confirmed", label(node[8], node[2]), encode_address(node[6], NETWORK)
    for status, entries in (("started", lists.started), ("dos", lists.dos)):
        for entry in entries:
            if outpoint_text(entry[0]) == point:
                return status, label(entry[4], entry[1]), encode_address(entry[3], NETWORK)
    return None


def label(value: int, started: int) -> str:
    """The tier of a collateral that started at a height."""
    tier = tier_of_collateral(NETWORK, value, started)
    assert tier is not None
    return tier.label


def test_how_every_block_was_produced(client: Client) -> None:
    """The producer is looked up in the daemon's three lists after the block before."""
    active, seen = recorded_chain()[0], Counter[Any]()
    for height in range(PON, recorded.TIP + 1):
        block = client.json(f"/api/v1/blocks/{height}")
        said = block["production"]
        assert said["slot"] == slot_of(height)
        gap = slot_of(height) - slot_of(height - 1) - 1
        assert said["skipped_slots"] == (None if height == PON else max(gap, 0)), height
        known = list_with(active[height - 1].lists, block["producer"])
        assert (said["status"], said["tier"], said["address"]) == (known or (None, None, None)), height
        assert (known is None) == (block["producer_kind"] != "node")
        seen[said["status"]] += 1
    assert client.json(f"/api/v1/blocks/{PON - 1}")["production"] is None
    print(seen)
    assert seen["confirmed"] > 500 and seen[None] == 3
