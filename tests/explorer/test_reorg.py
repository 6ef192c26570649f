"""What the explorer says while the chain moves under it: growth, a reorganisation, cursors across both."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from explorer.app import create_app
from tests.explorer.client import Client, settings
from tests.indexed import Index, branch, chain, on_losing_branch

FORK, STALE = branch("R2")  # six blocks lose to eight, with starts, confirmations and a spent collateral in both


@pytest.fixture
def moving(mongod: str, database_name: str) -> Iterator[tuple[Index, Client]]:
    """An index whose tip is the end of a branch that is going to lose, and an explorer of it."""
    with (
        on_losing_branch(mongod, database_name) as index,
        Client(create_app(settings((mongod, database_name)))) as client,
    ):
        yield index, client


def wait_for(client: Client, block_hash: str) -> None:
    """Wait until the explorer has noticed the tip."""
    deadline = time.monotonic() + 5
    while client.json("/api/v1/blocks?limit=1")["tip"]["hash"] != block_hash:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_orphaned_block_is_remembered_and_names_what_replaced_it(moving: tuple[Index, Client]) -> None:
    index, client = moving
    before = [client.json(f"/api/v1/blocks/{block_hash}") for block_hash in STALE]
    index.rewind(FORK)
    index.catch_up(chain()[: FORK + 9], 1)
    wait_for(client, chain()[FORK + 8])
    for height, (block_hash, old) in enumerate(zip(STALE, before, strict=True), start=FORK + 1):
        body = client.json(f"/api/v1/blocks/{block_hash}")
        assert body["confirmations"] == -1
        assert body["replaced_by"] == chain()[height]
        assert body["previous_hash"] == old["previous_hash"]
        assert body["next_hash"] is None
        same = set(old) - {"tip", "confirmations", "next_hash", "payouts"}
        assert {name: body[name] for name in same} == {name: old[name] for name in same}
        assert [p["address"] for p in body["payouts"]] == [p["address"] for p in old["payouts"]]
        assert client.json(f"/api/v1/blocks/{height}")["hash"] == chain()[height]
    status = client.json("/api/v1/status")
    assert status["reorgs"] == {"count": 1, "deepest": len(STALE), "last_height": FORK}


def test_an_orphaned_block_above_a_lower_tip_is_replaced_by_nothing(moving: tuple[Index, Client]) -> None:
    index, client = moving
    index.rewind(FORK)
    wait_for(client, chain()[FORK])
    body = client.json(f"/api/v1/blocks/{STALE[-1]}")
    assert (body["confirmations"], body["replaced_by"]) == (-1, None)
    assert client.get(f"/api/v1/blocks/{FORK + 1}").status_code == 409
    assert client.get(f"/api/v1/blocks/{STALE[-1]}/transactions").status_code == 404


def test_etags_change_with_the_tip_and_with_a_return_to_it(moving: tuple[Index, Client]) -> None:
    index, client = moving
    index.rewind(FORK)
    wait_for(client, chain()[FORK])
    url = "/api/v1/blocks/5"
    first = client.get(url).headers["etag"]
    index.catch_up(chain()[: FORK + 2], 1)
    wait_for(client, chain()[FORK + 1])
    second = client.get(url, headers={"If-None-Match": first})
    assert second.status_code == 200
    index.rewind(FORK)
    wait_for(client, chain()[FORK])
    assert client.get(url).headers["etag"] not in (first, second.headers["etag"])


def test_cursors_visit_each_row_once_while_blocks_arrive(moving: tuple[Index, Client]) -> None:
    index, client = moving
    index.rewind(FORK)
    wait_for(client, chain()[FORK])
    lists = ["/api/v1/blocks", f"/api/v1/addresses/{busy_address(client)}/transactions"]
    for height, url in enumerate(lists, start=FORK + 1):
        whole = client.pages(url, 1000)
        page = client.json(f"{url}?limit=7")
        seen = page["items"]
        index.extend([chain()[height]])
        wait_for(client, chain()[height])
        while page["next"]:
            page = client.json(f"{url}?limit=7&cursor={page['next']}")
            seen += page["items"]
        keys = ("hash",) if url == "/api/v1/blocks" else ("txid", "index", "height", "delta", "balance_after")
        assert [[item[k] for k in keys] for item in seen] == [[item[k] for k in keys] for item in whole]


def busy_address(client: Client) -> str:
    """An address that is paid in most blocks."""
    address: str = client.json(f"/api/v1/blocks/{FORK}")["payouts"][0]["address"]
    return address


def test_until_late_indexes_are_built_transactions_wait_and_blocks_do_not(moving: tuple[Index, Client]) -> None:
    _, client = moving
    (first,) = client.json(f"/api/v1/blocks/{FORK}/transactions?limit=1")["items"]
    assert "spent_by" not in first["outputs"][0]
    response = client.get(f"/api/v1/transactions/{first['txid']}")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "syncing")
    assert "waits for the first catch-up to end" in response.json()["error"]["message"]
    assert client.get(f"/api/v1/search?q={first['txid']}").status_code == 503
    assert client.get(f"/api/v1/search?q={STALE[0]}").status_code == 200


def test_a_reorganisation_is_told_with_the_blocks_that_it_took(moving: tuple[Index, Client]) -> None:
    index, client = moving
    assert client.json("/api/v1/reorgs")["items"] == []
    index.rewind(FORK)
    wait_for(client, chain()[FORK])
    assert client.json("/api/v1/reorgs")["items"][0]["to"] is None
    index.catch_up(chain()[: FORK + 9], 1)
    index.rewind(FORK + 7, "operator")
    wait_for(client, chain()[FORK + 7])
    rewound, reorg = client.json("/api/v1/reorgs")["items"]
    assert (rewound["number"], rewound["cause"], rewound["depth"]) == (2, "operator", 1)
    assert reorg["fork"] == {"height": FORK, "hash": chain()[FORK]}
    assert reorg["from"] == {"height": FORK + len(STALE), "hash": STALE[-1]}
    assert reorg["to"] == {"height": FORK + len(STALE), "hash": chain()[FORK + len(STALE)]}
    assert [orphan["hash"] for orphan in reorg["orphaned"]] == list(STALE)[::-1]
    assert [orphan["replaced_by"] for orphan in reorg["orphaned"]] == [
        chain()[orphan["height"]] for orphan in reorg["orphaned"]
    ]
    for orphan in reorg["orphaned"]:
        block = client.json(f"/api/v1/blocks/{orphan['hash']}")
        assert {name: block[name] for name in ("height", "time", "transaction_count", "producer")} == {
            name: orphan[name] for name in ("height", "time", "transaction_count", "producer")
        }
    assert client.pages("/api/v1/reorgs", 1) == [rewound, reorg]
    page = client.get("/reorgs").text
    assert all(f"/block/{block_hash}" in page for block_hash in STALE)
    assert client.get("/orphans").headers["location"] == "/reorgs"
