"""The rich list and the distribution through the API and the page, against the daemon's own balances."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from explorer.app import create_app
from indexer.chain.params import COIN
from indexer.richlist.made import KEPT, make
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.test_recorded_addresses import expectations
from tests.indexed import Index, chain, network

FEW = 300


def zatoshi(text: str) -> int:
    """An amount of the API."""
    return int(Decimal(text) * COIN)


def test_the_rich_list_is_the_daemons_balances_sorted(client: Client) -> None:
    balances = sorted((e.totals[0] for e in expectations().values() if e.totals[0]), reverse=True)
    items = client.pages("/api/v1/richlist", 7)
    assert [zatoshi(item["balance"]) for item in items] == balances[: len(items)]
    assert [item["rank"] for item in items] == list(range(1, len(items) + 1))
    for item in items:
        assert zatoshi(item["balance"]) == expectations()[item["address"]].totals[0]
    assert len(items) == min(1000, len(balances))


def test_shares_are_of_the_daemons_own_total(client: Client) -> None:
    total = client.json("/api/v1/supply")["native"]["transparent"]
    found = client.json("/api/v1/richlist?limit=1000")
    assert found["transparent"] == total
    for item in found["items"]:
        assert item["share"] == pytest.approx(zatoshi(item["balance"]) / zatoshi(total), abs=1e-9)
    assert found["at"] == {"height": recorded.TIP, "hash": recorded.blocks()[-1]["hash"]}


def test_nodes_are_those_confirmed_for_the_address(client: Client) -> None:
    items = client.json("/api/v1/richlist?limit=1000")["items"]
    running = [item for item in items if any(item["nodes"].values())]
    assert running
    for item in [*running[:5], *items[:3]]:
        assert item["nodes"] == client.json(f"/api/v1/addresses/{item['address']}")["nodes"]


def test_the_distribution_adds_up(client: Client) -> None:
    found = client.json("/api/v1/distribution")
    bands = found["items"]
    assert sum(zatoshi(band["sum"]) for band in bands) + zatoshi(found["without_address"]) == zatoshi(
        found["transparent"]
    )
    assert sum(band["addresses"] for band in bands) == found["holders"]
    assert [band["to"] for band in bands[:-1]] == [band["from"] for band in bands[1:]]
    balances = [e.totals[0] for e in expectations().values()]
    for band in bands:
        inside = [b for b in balances if zatoshi(band["from"]) <= b < zatoshi(band["to"])]
        assert (band["addresses"], zatoshi(band["sum"])) == (len(inside), sum(inside))


def test_the_richest_together(client: Client) -> None:
    balances = sorted((e.totals[0] for e in expectations().values()), reverse=True)
    for head in client.json("/api/v1/distribution")["concentration"]:
        assert zatoshi(head["sum"]) == sum(balances[: head["richest"]])


def test_the_page_shows_both(client: Client) -> None:
    first = client.get("/richlist")
    assert first.status_code == 200
    assert "Distribution" in first.text
    top = client.json("/api/v1/richlist?limit=1")["items"][0]["address"]
    assert f'href="/address/{top}"' in first.text
    assert client.get("/rich-list").headers["location"] == "/richlist"


@pytest.fixture
def index(mongod: str, database_name: str) -> Iterator[Index]:
    """An index of some recorded blocks, without a list."""
    with closing(MongoStore(mongod, database_name)) as store:
        prepare(store, network())
        index = Index(store, undo_depth=100)
        index.catch_up(chain()[:FEW], 50)
        yield index


@pytest.fixture
def young(index: Index, mongod: str, database_name: str) -> Iterator[Client]:
    """The explorer of that index."""
    with Client(create_app(settings((mongod, database_name)))) as client:
        yield client


def make_list(index: Index) -> None:
    """A list of the index as it is now."""
    assert isinstance(index.store, MongoStore)
    assert make(index.store) is not None


def extend(index: Index, count: int = 1) -> None:
    """So many blocks more, one by one."""
    height = index.tip["height"]
    for hash_text in chain()[height + 1 : height + 1 + count]:
        index.extend([hash_text])


def test_none_yet_is_said(young: Client) -> None:
    for path in ("/api/v1/richlist", "/api/v1/distribution", "/richlist"):
        assert young.get(path).status_code == 503
    error = young.get("/api/v1/richlist").json()["error"]
    assert error["code"] == "syncing"
    assert "indexer.richlist_blocks" in error["message"]


def test_a_cursor_stays_with_its_list_until_that_is_dropped(young: Client, index: Index) -> None:
    make_list(index)
    whole = young.pages("/api/v1/richlist", 1000)
    first = young.json("/api/v1/richlist?limit=2")
    for _ in range(KEPT - 1):
        extend(index)
        make_list(index)
    rest = young.get("/api/v1/richlist", params={"limit": 1000, "cursor": first["next"]}).json()
    assert rest["at"] == first["at"]
    assert [i["balance"] for i in first["items"] + rest["items"]] == [i["balance"] for i in whole]
    extend(index)
    make_list(index)
    gone = young.get("/api/v1/richlist", params={"cursor": first["next"]})
    assert gone.status_code == 409
    assert "not kept any more" in gone.json()["error"]["message"]


def test_a_list_of_an_orphaned_block_is_not_shown(young: Client, index: Index) -> None:
    make_list(index)
    extend(index)
    make_list(index)
    cursor = young.json("/api/v1/richlist?limit=2")["next"]
    index.rewind(FEW - 1)
    assert young.json("/api/v1/richlist")["at"]["height"] == FEW - 1
    assert young.get("/api/v1/richlist", params={"cursor": cursor}).status_code == 409


def test_a_new_list_has_a_new_etag_at_the_same_tip(young: Client, index: Index) -> None:
    make_list(index)
    extend(index)
    before = young.get("/api/v1/richlist")
    known = {"If-None-Match": before.headers["etag"]}
    assert young.get("/api/v1/richlist", headers=known).status_code == 304
    make_list(index)
    after = young.get("/api/v1/richlist", headers=known)
    assert after.status_code == 200
    assert (before.json()["at"]["height"], after.json()["at"]["height"]) == (FEW - 1, FEW)
