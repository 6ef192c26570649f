"""Queues, tiers and nodes through the API equal the daemon's lists, now and at every past height."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from explorer.app import create_app
from explorer.db import View
from explorer.errors import NotFound
from explorer.kept import Kept
from explorer.queries.nodes import node_at, stored_node
from indexer.chain.address import encode_address
from indexer.chain.keys import outpoint_text
from indexer.chain.nodes import Status, order_key
from indexer.chain.tiers import TIERS, Tier, tier_of_collateral
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.chain.recorded_nodes import NETWORK, Lists, RecordedBlock
from tests.chain.recorded_nodes import chain as recorded_lists
from tests.explorer.client import Client, settings
from tests.explorer.test_recorded_blocks import zatoshi
from tests.indexed import Index, branch, build_late_indexes, chain, network

HEIGHTS = sorted({*range(17, recorded.TIP, 101), *range(395, 470, 6), 1799, 1800, 1801, 1850, recorded.TIP})
THOROUGH = [425, 902, 1001, 1325, 1850, 2340]  # every node of these heights is asked for


@cache
def blocks() -> dict[str, RecordedBlock]:
    """Every recorded block, lost ones too, by hash."""
    active, lost = recorded_lists()
    return {block.hash: block for block in (*active, *(block for b in lost for block in b.blocks))}


def lists(block_hash: str) -> Lists:
    """The daemon's lists after a block."""
    return blocks()[block_hash].lists


def address(key: bytes) -> str:
    """An address key as text."""
    return encode_address(key, NETWORK)


def check_queues(client: Client, expected: Lists, height: int, query: str) -> None:
    """The three queues: order, fields, what follows from the rank."""
    for tier, nodes in zip(TIERS, expected.confirmed, strict=True):
        body = client.json(f"/api/v1/tiers/{tier.label}/queue?limit=1000{query}")
        assert body["at"]["height"] == height
        assert body["next"] is None
        seen = [(p["node"], p["ip"], p["confirmed_height"], p["last_paid_height"], p["address"]) for p in body["items"]]
        assert seen == [(outpoint_text(n[0]), n[1].decode(), n[3], n[5] or None, address(n[6])) for n in nodes], height
        for rank, place in enumerate(body["items"]):
            assert place["rank"] == rank
            assert place["pays_by_height"] == max(height + 1, 400) + rank
            assert max(height + 1, 400) <= place["expected_height"] <= place["pays_by_height"]
            assert 0 <= place["eta"]["p10"] <= place["eta"]["p50"] <= place["eta"]["p90"]


def check_tiers(client: Client, expected: Lists, query: str) -> None:
    """The counts of the lists, and whom the next block pays."""
    body = client.json(f"/api/v1/tiers?{query}")
    seen = [tuple(item["nodes"].values()) for item in body["items"]]
    values = [_by_tier(entries) for entries in (expected.started, expected.dos)]
    assert seen == [(len(c), s, d) for c, s, d in zip(expected.confirmed, *values, strict=True)]
    heads = {item["tier"]: item["next"]["node"] for item in body["items"] if item["next"]}
    assert heads == {tier.label: outpoint_text(point) for tier, point in expected.winners}


def _by_tier(entries: Sequence[Any]) -> list[int]:
    tiers = [tier_of_collateral(NETWORK, value, started) for _, started, _, _, value in entries]
    return [tiers.count(tier) for tier in TIERS]


def check_node(client: Client, point: bytes, fields: dict[str, Any], query: str) -> None:
    """What one node's page says."""
    body = client.json(f"/api/v1/nodes/{outpoint_text(point)}?{query}")
    body["collateral"] = zatoshi(body["collateral"])
    assert {name: body[name] for name in fields} == fields


def told_of(expected: Lists) -> dict[bytes, dict[str, Any]]:
    """Every field that the daemon tells of the nodes on its lists, as the API names them, by collateral."""
    told: dict[bytes, dict[str, Any]] = {}
    for tier, nodes in zip(TIERS, expected.confirmed, strict=True):
        for rank, (point, ip, started, confirmed, last, paid, payee, pubkey, value) in enumerate(nodes):
            told[point] = {
                "status": "confirmed", "tier": tier.label, "ip": ip.decode(), "started_height": started,
                "confirmed_height": confirmed, "last_confirmed_height": last, "last_paid_height": paid or None,
                "address": address(payee), "pubkey": pubkey.hex(), "collateral": value, "rank": rank, "reason": None,
                "ended_height": None, "restart_from": None, "dos_until": None,
            }  # fmt: skip
    for status, entries in (("started", expected.started), ("dos", expected.dos)):
        for point, started, _, payee, value in entries:
            told[point] = {
                "status": status, "started_height": started, "address": address(payee), "collateral": value,
                "rank": None, "confirmed_height": None, "ip": None, "next_update_height": None,
            }  # fmt: skip
    return told


def check_every_node(client: Client, expected: Lists, query: str) -> None:
    """Every node of the daemon's lists, one by one."""
    for point, fields in told_of(expected).items():
        check_node(client, point, fields, query)


@pytest.mark.parametrize("height", HEIGHTS)
def test_queues_of_the_past(client: Client, height: int) -> None:
    expected = lists(chain()[height])
    check_queues(client, expected, height, f"&at={height}")
    check_tiers(client, expected, f"at={height}")


@pytest.mark.parametrize("height", THOROUGH)
def test_nodes_of_the_past(client: Client, height: int) -> None:
    check_every_node(client, lists(chain()[height]), f"at={height}")


def test_nodes_at_the_tip(client: Client) -> None:
    check_every_node(client, lists(chain()[recorded.TIP]), "")


@pytest.mark.slow
def test_every_height_as_a_past_height(client: Client) -> None:
    for height in range(1, recorded.TIP + 1):
        expected = lists(chain()[height])
        check_queues(client, expected, height, f"&at={height}")
        check_tiers(client, expected, f"at={height}")


@pytest.mark.slow
def test_every_node_at_every_past_height(client: Client) -> None:
    """Asked for in every block that changes what the daemon says of a node, and in the block before.

    Between two changes the daemon says the same of it, and so does the index, from the same rows; every 24th block
    they are asked for all the same.
    """
    before: dict[bytes, dict[str, Any]] = {}
    asked = 0
    for height in range(1, recorded.TIP + 1):
        now = told_of(lists(chain()[height]))
        unranked = {point: {**fields, "rank": None} for point, fields in now.items()}
        changed = [p for p in now.keys() | before.keys() if unranked.get(p) != before.get(p)]
        for point in now if height % 24 == 0 else changed:
            check_at(client, point, now.get(point), height)
            check_at(client, point, before.get(point), height - 1, ranked=False)
            asked += 1
        before = unranked
    assert asked > 10_000


def check_at(client: Client, point: bytes, fields: dict[str, Any] | None, height: int, ranked: bool = True) -> None:
    """What one node's page says after a block; None: it is on no list."""
    if fields is not None:
        known = {name: value for name, value in fields.items() if ranked or name != "rank"}
        check_node(client, point, known, f"at={height}")
        return
    response = client.get(f"/api/v1/nodes/{outpoint_text(point)}?at={height}")
    assert response.status_code == 404 or response.json()["status"] not in ("started", "confirmed", "dos")


def test_what_rows_say_of_a_node_is_what_the_queue_left_behind(client: Client) -> None:
    async def compare(view: View) -> int:
        rows = await view.many("nodes", {})
        for row in rows:
            assert await node_at(view, row["_id"], view.tip.height) == stored_node(row)
        return len(rows)

    assert client.run(client.services.db.fenced(compare)).value > 140


# --- while the chain grows ------------------------------------------------------------------------------------


@pytest.fixture
def growing(mongod: str, database_name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Index, Client]]:
    """An empty index with all its secondary indexes, and an explorer of it that polls when it is told to."""
    monkeypatch.setattr("explorer.db.POLL_SECONDS", 3600.0)
    store = MongoStore(mongod, database_name)
    prepare(store, network())
    build_late_indexes(store)
    with Client(create_app(settings((mongod, database_name)))) as client:
        yield Index(store), client
    store.close()


def check_tip(index: Index, client: Client, block_hash: str) -> None:
    """Everything about nodes at a new tip."""
    client.run(client.services.db.poll())
    expected, height = lists(block_hash), index.tip["height"]
    check_queues(client, expected, height, "")
    check_tiers(client, expected, "")
    told = told_of(expected)
    for status in ("confirmed", "started", "dos"):
        points = sorted(point for point, fields in told.items() if fields["status"] == status)
        items = client.json(f"/api/v1/nodes?status={status}&limit=1000")["items"]
        assert [item["node"] for item in items] == [outpoint_text(point) for point in points]
        for point, item in zip(points, items, strict=True):
            item["collateral"] = zatoshi(item["collateral"])
            assert {name: item[name] for name in told[point]} == told[point], (height, item["node"])


def grow(index: Index, client: Client, end: int, names: Sequence[str]) -> None:
    """Block by block to a height, through the reorganisations of these names."""
    forks = {branch(name)[0]: branch(name)[1] for name in names}
    for height in range(index.tip["height"] + 1, end + 1):
        index.extend([chain()[height]])
        check_tip(index, client, chain()[height])
        for stale in forks.get(height, ()):
            index.extend([stale])
            check_tip(index, client, stale)
        if height in forks:  # backwards block by block, forwards once more, and back in one step
            branch_hashes = [chain()[height], *forks[height]]
            for depth in range(1, len(branch_hashes)):
                index.rewind(height + len(branch_hashes) - 1 - depth)
                check_tip(index, client, branch_hashes[-1 - depth])
            index.extend(forks[height])
            check_tip(index, client, branch_hashes[-1])
            index.rewind(height)
            check_tip(index, client, chain()[height])


def test_every_tip_and_a_reorganisation(growing: tuple[Index, Client]) -> None:
    index, client = growing
    index.catch_up(chain()[:440], 220)
    grow(index, client, 465, ["R2"])


@pytest.mark.slow
def test_every_tip_of_the_whole_history(growing: tuple[Index, Client]) -> None:
    index, client = growing
    grow(index, client, recorded.TIP, ["R1", "R2", "R3", "R4", "R5"])
    check_every_node(client, lists(chain()[recorded.TIP]), "")


def stored_queue(index: Index, tier: Tier) -> list[tuple[str, int, int | None]]:
    """A queue as the rows of ``nodes`` have it now: outpoint, heights of first confirmation and last payment."""
    rows = index.store.find("nodes", "status", [int(Status.CONFIRMED)])
    nodes = sorted((stored_node(row) for row in rows if row["tier"] == tier), key=order_key)
    return [(outpoint_text(node.outpoint), node.confirmed, node.last_paid or None) for node in nodes]


def test_a_queue_of_the_past_is_what_was_stored_when_its_block_was_the_tip(growing: tuple[Index, Client]) -> None:
    index, client = growing
    first, last = 430, 480  # with a snapshot in between
    index.catch_up(chain()[: first + 1], 220)
    stored = {}
    for height in range(first, last + 1):
        index.catch_up(chain()[: height + 1], 1)
        stored[height] = {tier: stored_queue(index, tier) for tier in TIERS}
    client.run(client.services.db.poll())
    heights = random.Random(1).sample(range(first, last), 20)
    for height in heights:
        for tier in TIERS:
            places = client.json(f"/api/v1/tiers/{tier.label}/queue?limit=1000&at={height}")["items"]
            seen = [(place["node"], place["confirmed_height"], place["last_paid_height"]) for place in places]
            assert seen == stored[height][tier], height
    assert min(len(stored[height][Tier.CUMULUS]) for height in heights) > 5


def test_a_queue_page_by_page_stays_with_its_block(growing: tuple[Index, Client]) -> None:
    index, client = growing
    fork, lost = branch("R2")
    index.catch_up([*chain()[: fork + 1], *lost][: fork - 9], 220)
    index.catch_up([*chain()[: fork + 1], *lost], 1)
    client.run(client.services.db.poll())
    url = "/api/v1/tiers/cumulus/queue"
    first = client.json(f"{url}?limit=2")
    at = first["at"]["height"]
    deep = client.json(f"{url}?limit=2&at={fork - 1}")
    index.rewind(at - 1)
    client.run(client.services.db.poll())
    assert client.get(f"{url}?cursor={first['next']}").json()["error"]["code"] == "reorganised"
    index.rewind(fork)
    index.catch_up(chain()[: fork + 9], 1)
    client.run(client.services.db.poll())
    response = client.get(f"{url}?cursor={first['next']}")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "reorganised")
    rest = client.json(f"{url}?cursor={deep['next']}&limit=1000")  # its block is still there
    assert rest["at"]["height"] == fork - 1
    assert [p["rank"] for p in (*deep["items"], *rest["items"])] == list(range(2 + len(rest["items"])))
    refused = client.get(f"{url}?cursor={deep['next']}&at=5")
    assert (refused.status_code, "belongs to height" in refused.json()["error"]["message"]) == (400, True)


def test_until_late_indexes_are_built_lives_wait_and_queues_do_not(growing: tuple[Index, Client]) -> None:
    index, client = growing
    index.catch_up(chain()[:431], 220)
    index.store.put_meta("indexes", {"ready": [], "building": {"payouts.nodes": 40.0}})
    client.run(client.services.db.poll())
    point = outpoint_text(lists(chain()[430]).confirmed[0][0][0])
    assert client.json(f"/api/v1/nodes/{point}")["rank"] == 0
    assert client.json("/api/v1/tiers/cumulus/queue?at=420")["items"]
    for url in (f"{point}?at=420", f"{point}/events", f"{point}/payouts"):
        response = client.get(f"/api/v1/nodes/{url}")
        assert (response.status_code, response.json()["error"]["code"]) == (503, "syncing")


def test_what_is_kept_belongs_to_one_epoch_and_is_bounded() -> None:
    kept = Kept()
    for height in range(20):
        kept.keep(1, "lists", height, f"at {height}")
        assert kept.at_or_below(1, "lists", 0 if height < Kept.MOST else height) is not None
    assert kept.at_or_below(1, "lists", 500) == "at 19"
    assert kept.at_or_below(1, "lists", 20 - Kept.MOST - 1) is None
    assert kept.at_or_below(1, "ranks", 500) is None
    assert kept.at_or_below(2, "lists", 500) is None
    kept.keep(2, "lists", 7, "of another epoch")
    kept.keep(1, "lists", 6, "too late")
    assert (kept.at_or_below(2, "lists", 500), kept.at_or_below(1, "lists", 500)) == ("of another epoch", None)


@pytest.mark.parametrize("failures", [0, 1, 9])
def test_what_many_ask_for_at_once_is_made_once_and_a_failure_is_everybodys_own(failures: int) -> None:
    kept = Kept()
    made: list[int] = []

    async def make() -> int:
        made.append(len(made))
        number = made[-1]
        await asyncio.sleep(0.001)
        if number < failures:
            raise NotFound("a row went away")
        return number

    async def ask() -> list[Any]:
        asked = (kept.once(1, "lists", 7, make) for _ in range(4))
        return [*await asyncio.gather(*asked, return_exceptions=True), kept.at_or_below(1, "lists", 7)]

    found = asyncio.run(ask())
    failed = [isinstance(answer, NotFound) for answer in found]
    if failures == 0:
        assert (found, made) == ([0] * 5, [0])
    elif failures == 1:
        assert failed == [True, False, False, False, False]
    else:
        assert (failed, found[-1], len(made)) == ([True] * 4 + [False], None, 4)
