"""Pages while there is no block yet, while indexes are missing, and after a reorganisation."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from explorer.app import create_app
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare
from tests.explorer.client import Client, settings
from tests.indexed import Index, branch, chain, network
from tests.site.markup import Markup
from tests.site.test_pages import ADDRESS, txid

FORK, STALE = branch("R1")


@pytest.fixture
def young(mongod: str, database_name: str) -> Iterator[tuple[MongoStore, Client]]:
    """A prepared database without a block, and its site."""
    store = MongoStore(mongod, database_name)
    prepare(store, network())
    with Client(create_app(settings((mongod, database_name)))) as client:
        yield store, client
    store.close()


def wait_for(client: Client, height: int) -> None:
    """Wait until the explorer has noticed the tip."""
    deadline = time.monotonic() + 5
    while (tip := client.services.db.meta.tip) is None or tip.height != height:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_empty_index_says_so(young: tuple[MongoStore, Client]) -> None:
    _, client = young
    home = client.get("/")
    page = Markup(home.text)
    assert home.status_code == 200
    assert page.one("h1").text == "No block yet"
    assert int(page.one("meta", **{"http-equiv": "refresh"}).attributes["content"]) > 0
    assert "No block indexed yet." in page.one("footer").text
    for path in ("/blocks", "/block/0", f"/address/{ADDRESS}", "/status", "/search?q=5"):
        response = client.get(path)
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert "No block has been indexed yet" in Markup(response.text).one("main").text
        assert list(Markup(response.text).all("meta", **{"http-equiv": "refresh"}))


def test_what_needs_a_missing_index_says_what_it_waits_for(young: tuple[MongoStore, Client]) -> None:
    store, client = young
    Index(store).catch_up(chain()[:400], 200)
    wait_for(client, 399)
    assert client.get("/block/399").status_code == 200
    waiting = client.get(f"/tx/{txid(118, 1)}")
    assert waiting.status_code == 503
    assert "waits for the first catch-up to end" in waiting.text
    assert "They are built when the first catch-up ends" in client.get("/status").text
    store.put_meta("indexes", {"ready": [], "building": {"txids.prefixes": 37}})
    time.sleep(0.5)
    assert "is being built: 37 %" in client.get(f"/tx/{txid(118, 1)}").text
    progress = Markup(client.get("/status").text).one("progress")
    assert progress.attributes["value"] == "37"


def test_an_orphaned_block_says_that_it_is_one(young: tuple[MongoStore, Client]) -> None:
    store, client = young
    index = Index(store)
    index.catch_up(chain()[: FORK - 5], 200)
    index.catch_up([*chain()[: FORK + 1], *STALE], 1)
    index.rewind(FORK)
    index.catch_up(chain()[: FORK + 4], 1)
    wait_for(client, FORK + 3)
    response = client.get(f"/block/{STALE[0]}")
    page = Markup(response.text)
    assert response.status_code == 200
    assert page.problems == []
    assert "no longer part of the chain" in page.one("p", class_="alert").text
    assert chain()[FORK + 1] in page.one("p", class_="alert").text
    assert page.one("span", class_="poor").text == "Orphaned"
    assert [e.attributes["href"] for e in page.all("a", rel="prev")] == [f"/block/{chain()[FORK]}"]
    assert "None since this index began" not in client.get("/status").text
    assert Markup(client.get("/status").text).definitions()["Deepest"] == f"{len(STALE)} blocks"
    assert client.get(f"/search?q={STALE[0]}").headers["location"] == f"/block/{STALE[0]}"
