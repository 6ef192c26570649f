"""What the API says about nodes: lists and their filters, lives, payouts; the estimates; refusals."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from random import Random
from typing import Any

import pytest

from explorer.queries.outlook import Outlook, Spacing, expected_wait
from explorer.queries.queues import tier_state
from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text, outpoint_text
from indexer.chain.networks import MAIN
from indexer.chain.nodes import Node, Status
from indexer.chain.payouts import tier_payout, tier_payouts
from indexer.chain.queue import Event, NodeQueue
from indexer.chain.replay import PastLists, no_lists
from indexer.chain.tiers import TIERS, Tier
from tests import recorded
from tests.chain.recorded_nodes import NETWORK, Follower, follow
from tests.chain.recorded_nodes import chain as recorded_chain
from tests.explorer.client import Client
from tests.explorer.test_recorded_blocks import zatoshi

ZEROS = "0" * 64
UNKNOWN = f"{ZEROS}:0"


@cache
def told() -> tuple[dict[bytes, Node], dict[bytes, list[tuple[int, str, str | None]]]]:
    """The last record of every node, and what happened to it in order: height, event, txid of node transactions."""
    lives: defaultdict[bytes, list[tuple[int, str, str | None]]] = defaultdict(list)
    follower = Follower(NodeQueue(NETWORK))
    for block in recorded_chain()[0][1:]:
        changes = follower.apply(block, tier_payouts(NETWORK, block.height))
        starts = dict(zip((s.outpoint for s, _ in block.starts), block.start_txids, strict=True))
        confirms = dict(zip((c[0] for c in block.confirms), block.confirm_txids, strict=True))
        for event, node, _ in changes.events:
            point = node.outpoint
            txid = {Event.START: starts, Event.CONFIRM: confirms, Event.UPDATE: confirms}.get(event, {}).get(point)
            lives[point].append((block.height, event.value, hash_text(txid) if txid else None))
    last = {**follower.last, **{node.outpoint: node for node in follower.queue}}
    return last, lives


# --- lists ----------------------------------------------------------------------------------------------------


def names(nodes: Any) -> list[str]:
    """Their collaterals in the order of wire bytes."""
    return [outpoint_text(point) for point in sorted(node.outpoint for node in nodes)]


def listed(client: Client, query: str, limit: int = 1000) -> list[str]:
    """The nodes of a list, page by page."""
    items: list[str] = []
    following = f"/api/v1/nodes?{query}&limit={limit}"
    while following:
        body = client.json(following)
        items += [item["node"] for item in body["items"]]
        following = f"/api/v1/nodes?{query}&limit={limit}&cursor={body['next']}" if body["next"] else ""
    return items


def test_all_nodes_in_wire_order_page_by_page(client: Client) -> None:
    last, _ = told()
    assert listed(client, "", 1000) == listed(client, "", 7) == names(last.values())


def test_nodes_by_status_and_tier(client: Client) -> None:
    last, _ = told()
    for status in Status:
        for tier in TIERS:
            expected = names(n for n in last.values() if (n.status, n.tier) == (status, tier))
            assert listed(client, f"status={status.label}&tier={tier.label}", 5) == expected
    assert {n.status for n in last.values()} >= {Status.CONFIRMED, Status.DOS, Status.EXPIRED, Status.SPENT}


def test_nodes_of_an_address(client: Client) -> None:
    last, _ = told()
    for payee, count in Counter(node.payee for node in last.values()).most_common(3):
        address = encode_address(payee, NETWORK)
        expected = names(n for n in last.values() if n.payee == payee)
        assert len(expected) == count
        assert listed(client, f"address={address}") == expected
        assert [
            item["node"] for item in client.json(f"/api/v1/addresses/{address}/nodes?limit=1000")["items"]
        ] == expected


def test_nodes_by_ip_with_and_without_port_and_by_key(client: Client) -> None:
    last, _ = told()
    ported = [node for node in last.values() if b"." in node.ip and b":" in node.ip]
    assert ported
    for node in ported[:10]:
        text = node.ip.decode()
        host = text.partition(":")[0]
        same_host = names(n for n in last.values() if n.ip.decode().partition(":")[0] == host)
        assert listed(client, f"ip={host}") == same_host
        assert listed(client, f"ip={text}") == names(n for n in last.values() if n.ip == node.ip)
        assert listed(client, f"ip={host[:-1]}") == names(
            n for n in last.values() if n.ip.decode().startswith(f"{host[:-1]}:")
        )
        assert listed(client, f"pubkey={node.pubkey.hex()}") == names(
            n for n in last.values() if n.pubkey == node.pubkey
        )
    assert listed(client, "ip=.*") == []


def test_records_at_the_end(client: Client) -> None:
    last, _ = told()
    for point, node in list(last.items())[::5]:
        body = client.json(f"/api/v1/nodes/{outpoint_text(point)}")
        assert (body["status"], body["lives"], body["paid_count"]) == (node.status.label, node.lives, node.paid_count)
        assert zatoshi(body["paid_total"]) == node.paid_total
        assert body["delegates"] == [key.hex() for key in node.delegates]
        assert body["ended_height"] == (node.ended or None)
        assert (body["reason"] is None) == (node.status in (Status.STARTED, Status.CONFIRMED))
        assert client.json(f"/node/{outpoint_text(point)}.json") == body


# --- lives ------------------------------------------------------------------------------------------------------


def test_the_life_of_every_node(client: Client) -> None:
    _, lives = told()
    for number, (point, life) in enumerate(lives.items()):
        url = f"/api/v1/nodes/{outpoint_text(point)}/events"
        seen = client.pages(url, (1000, 3, 40)[number % 3] if number % 10 == 0 else 1000)
        assert [(e["height"], e["event"]) for e in seen] == [(h, e) for h, e, _ in reversed(life)]
        for event, (_, _, txid) in zip(seen, reversed(life), strict=True):
            assert event["txid"] == txid or txid is None
            assert (event["txid"] is not None) == (event["event"] in ("start", "confirm", "update", "payout", "spent"))


def test_what_spent_a_collateral_is_named(client: Client) -> None:
    _, lives = told()
    point, height = next((p, h) for p, life in lives.items() for h, event, _ in life if event == "spent")
    (event,) = (e for e in client.pages(f"/api/v1/nodes/{outpoint_text(point)}/events", 1000) if e["event"] == "spent")
    inputs = client.json(f"/api/v1/transactions/{event['txid']}")["inputs"]
    assert event["height"] == height
    assert outpoint_text(point) in [spent["outpoint"] for spent in inputs]


# --- payouts ------------------------------------------------------------------------------------------------------


@cache
def paid() -> list[tuple[int, str, str, str]]:
    """Every payout newest first, those of a block by tier: height, tier, node, address."""
    rows = [
        (block.height, tier.label, outpoint_text(node.outpoint), encode_address(node.payee, NETWORK))
        for block, _, changes in follow(NodeQueue(NETWORK), branches=False)
        for tier, node in changes.paid
    ]
    return sorted(rows, key=lambda row: -row[0])


def seen_payouts(client: Client, url: str, limit: int) -> list[tuple[int, str, str, str]]:
    """The payouts of a list."""
    return [(p["height"], p["tier"], p["node"], p["address"]) for p in client.pages(url, limit)]


def test_every_payout(client: Client) -> None:
    assert seen_payouts(client, "/api/v1/payouts", 1000) == paid()
    for item in client.json("/api/v1/payouts?limit=50")["items"]:
        assert item["matched"]
        txid, _, vout = item["outpoint"].partition(":")
        output = client.json(f"/api/v1/transactions/{txid}")["outputs"][int(vout)]
        assert (output["address"], output["value"]) == (item["address"], item["amount"])
        assert zatoshi(item["amount"]) == tier_payout(NETWORK, item["height"], TIERS[_tier(item)])


def _tier(item: dict[str, Any]) -> int:
    return [tier.label for tier in TIERS].index(item["tier"])


@pytest.mark.parametrize("limit", [4, 1000])
def test_payouts_of_a_tier_a_node_and_an_address(client: Client, limit: int) -> None:
    node, address = paid()[700][2:]
    shared = Counter((row[3], row[1]) for row in paid())  # one address owns nodes of two tiers
    double = next(a for a, _ in shared if len({tier for b, tier in shared if a == b}) > 1)
    mine = [row for row in paid() if row[2] == node]
    assert seen_payouts(client, f"/api/v1/nodes/{node}/payouts", limit) == mine
    assert client.json(f"/api/v1/payouts?node={node}&limit=5")["items"][0]["node"] == node
    theirs = [row for row in paid() if row[3] == address]
    assert seen_payouts(client, f"/api/v1/addresses/{address}/payouts", limit) == theirs
    for tier in {tier for a, tier in shared if a == double}:
        both = [row for row in paid() if (row[3], row[1]) == (double, tier)]
        body = client.json(f"/api/v1/payouts?address={double}&tier={tier}&limit={limit}")
        assert [(p["height"], p["tier"], p["node"], p["address"]) for p in body["items"]] == both[:limit]


def test_what_a_tier_asks_for(client: Client) -> None:
    needed = [item["requirements"] for item in client.json("/api/v1/tiers")["items"]]
    assert needed[1] == {
        "cores": 4, "threads": 8, "ram_gb": 32, "storage_gb": 440, "eps": 640, "disk_mbps": 180, "bandwidth_mbps": 50,
    }  # fmt: skip
    assert [item["requirements"] for item in client.json("/api/v1/tiers?at=2000")["items"]] == [None] * 3


# --- estimates ------------------------------------------------------------------------------------------------------


def test_the_cycle_of_the_whitepaper() -> None:
    lists = PastLists(1_500_000, {**no_lists().members})
    lists.members[Status.CONFIRMED, Tier.CUMULUS] = {n << 16: (1_400_000 + n, 1_499_016 + n) for n in range(984)}
    outlook = Outlook(lists.height, 560_000, Spacing(120, 118.2, 9000.0, 1000), dict.fromkeys(TIERS, 0.0))
    state = tier_state(MAIN, Tier.CUMULUS, lists, outlook, None)
    assert (state.cycle_blocks, state.cycle_seconds / 3600) == (984, 32.8)
    assert (state.observed_cycle_blocks, state.observed_spacing_seconds) == (1_500_001 - 1_499_016, 118.2)
    empty = tier_state(MAIN, Tier.STRATUS, lists, outlook, None)
    assert (empty.cycle_blocks, empty.observed_cycle_blocks, empty.annual_reward_per_node) == (0, None, None)


@pytest.mark.parametrize(("at", "first"), [(2, 1), (700, 1), (1799, 799), (1900, 1800), (2400, 1800)])
def test_the_observed_spacing(client: Client, at: int, first: int) -> None:
    """Between the running maxima of the times of at most 1,000 blocks of the era; genesis is no beginning."""
    times = [block["block"]["time"] for block in recorded.blocks()]
    mean = (max(times[: at + 1]) - max(times[: first + 1])) / (at - first)
    tier = client.json(f"/api/v1/tiers?at={at}")["items"][0]
    assert tier["observed_spacing_seconds"] == pytest.approx(mean, abs=1e-3)


def test_a_band_of_blocks_found_by_chance() -> None:
    spacing = Spacing(120, 120.0, 120.0**2, 10**9)
    one, many = spacing.band(1), spacing.band(1000)
    assert [one.p10, one.p50, one.p90] == pytest.approx([120 * 0.105, 120 * 0.693, 120 * 2.303], rel=0.12)
    middle = 1000 * 120
    assert [many.p10, many.p50, many.p90] == pytest.approx([middle - 4863, middle, middle + 4863], rel=0.002)
    even = Spacing(30, 30.0, 0.0, 1000).band(7)
    assert (even.p10, even.p50, even.p90) == (210, 210, 210)
    assert Spacing(30, 30.0, 0.0, 0).observed is None


def test_expected_wait_is_that_of_a_simulation() -> None:
    assert expected_wait(500, 0.0) == 500
    chance, rate, ahead = Random(5), 0.002, 400
    waits = []
    for _ in range(15):
        left, blocks = ahead, 0
        while left > 0:
            left -= sum(chance.random() < rate for _ in range(left)) + 1
            blocks += 1
        waits.append(blocks)
    assert expected_wait(ahead, rate) == pytest.approx(sum(waits) / len(waits), rel=0.02)


# --- refusals ---------------------------------------------------------------------------------------------------------

BAD = [
    ("/api/v1/tiers?at=2401", 409, "above_tip", "2400"),
    ("/api/v1/tiers/copper/queue", 400, "bad_request", "no tier"),
    ("/api/v1/tiers/nimbus/queue?at=2401", 409, "above_tip", "2400"),
    ("/api/v1/tiers/nimbus/queue?cursor=AAAA", 400, "bad_request", "no cursor"),
    ("/api/v1/tiers/nimbus/queue?limit=0", 400, "bad_request", "1 to 1000"),
    ("/api/v1/nodes?tier=1", 400, "bad_request", "no tier"),
    ("/api/v1/nodes?status=alive", 400, "bad_request", "no status"),
    ("/api/v1/nodes?address=t1", 400, "bad_request", ""),
    ("/api/v1/nodes?pubkey=00", 400, "bad_request", "66 or 130"),
    ("/api/v1/nodes?ip=", 400, "bad_request", "1 to 200"),
    ("/api/v1/nodes?cursor=x", 400, "bad_request", "no cursor"),
    ("/api/v1/nodes/5", 400, "bad_request", "no outpoint"),
    (f"/api/v1/nodes/{UNKNOWN}", 404, "not_found", "no node"),
    (f"/api/v1/nodes/{UNKNOWN}?at=5", 404, "not_found", "no node"),
    (f"/api/v1/nodes/{UNKNOWN}/events", 404, "not_found", "no node"),
    (f"/api/v1/nodes/{UNKNOWN}/payouts", 404, "not_found", "no node"),
    ("/api/v1/nodes/5/events", 400, "bad_request", "no outpoint"),
    ("/api/v1/payouts?tier=x", 400, "bad_request", "no tier"),
    ("/api/v1/payouts?node=x", 400, "bad_request", "no outpoint"),
    ("/api/v1/payouts?address=x", 400, "bad_request", ""),
    ("/api/v1/addresses/x/nodes", 400, "bad_request", ""),
    ("/api/v1/addresses/x/payouts", 400, "bad_request", ""),
    ("/api/v1/producers?cursor=AAAA", 400, "bad_request", "no cursor"),
    ("/api/v1/producers/addresses?cursor=AAAA", 400, "bad_request", "no cursor"),
]


@pytest.mark.parametrize(("url", "status", "code", "words"), BAD)
def test_bad_questions(client: Client, url: str, status: int, code: str, words: str) -> None:
    response = client.get(url)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert words in response.json()["error"]["message"]


def test_a_node_before_its_first_start(client: Client) -> None:
    _, lives = told()
    point, life = next(iter(lives.items()))
    url = f"/api/v1/nodes/{outpoint_text(point)}"
    assert client.get(f"{url}?at={life[0][0] - 1}").status_code == 404
    assert client.json(f"{url}?at={life[0][0]}")["status"] == "started"


def test_other_ways_to_write_an_outpoint(client: Client) -> None:
    point = next(iter(told()[1]))
    txid, _, n = outpoint_text(point).partition(":")
    bodies = [
        client.json(f"/api/v1/nodes/{text}") for text in (f"{txid}:{n}", f"{txid}-{n}", f"COutPoint({txid}, {n})")
    ]
    assert bodies[0] == bodies[1] == bodies[2]


def test_before_there_were_nodes(client: Client) -> None:
    for at in (0, 1, 300):
        assert client.json(f"/api/v1/tiers/cumulus/queue?at={at}")["items"] == []
        assert [tier["next"] for tier in client.json(f"/api/v1/tiers?at={at}")["items"]] == [None] * 3
