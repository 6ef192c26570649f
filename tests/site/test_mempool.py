"""What waits for a block, as the pages show it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from explorer.app import create_app
from indexer.chain.address import encode_address
from tests.explorer.client import Client, settings
from tests.explorer.test_mempool import TIP, settled, touched
from tests.indexed import chain, network
from tests.mempool.pool import Pool, txids_of, waiting_at
from tests.site.markup import Markup


@pytest.fixture
def pool(mongod: str, database_name: str) -> Iterator[Pool]:
    """The recorded chain with twelve transactions waiting, each spending the one before."""
    with waiting_at(mongod, database_name, TIP) as at_tip:
        yield at_tip


@pytest.fixture
def client(pool: Pool, mongod: str, database_name: str) -> Iterator[Client]:
    """A client of its site."""
    with Client(create_app(settings((mongod, database_name), daemon=pool.daemon))) as running:
        yield running


def shown(client: Client, path: str) -> Markup:
    """A page that is there and whole."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    page = Markup(response.text)
    assert page.problems == []
    return page


def test_the_list_leads_to_every_transaction(pool: Pool, client: Client) -> None:
    page = shown(client, "/mempool?limit=5")
    assert page.one("a", href="/mempool", **{"aria-current": "page"}).text == "Mempool"
    said = page.definitions()
    terms = ("Waiting", "Transfers", "Node starts", "Node confirmations")
    assert [said[term] for term in terms] == ["12", "12", "0", "0"]
    seen = [row[0] for row in page.rows()]
    while older := [e.attributes["href"] for e in page.all("a") if e.text.startswith("Older")]:
        page = shown(client, f"{older[0]}&limit=5")
        seen += [row[0] for row in page.rows()]
    assert seen == [item["txid"] for item in client.json("/api/v1/mempool")["items"]]
    assert set(seen) == set(txids_of(TIP + 1))
    for txid in seen:
        assert client.get(f"/tx/{txid}").status_code == 200


def test_a_waiting_transaction_says_so_and_what_is_going_to_spend_it(client: Client) -> None:
    parent = txids_of(TIP + 1)[0]
    page = shown(client, f"/tx/{parent}")
    assert page.one("span", class_="badge").text == "Unconfirmed"
    assert "not in a block yet. First seen" in page.one("main").text
    (spender,) = [e.attributes["href"] for e in page.all("a") if e.text == "an unconfirmed transaction"]
    assert parent in [e.attributes["title"].partition(":")[0] for e in shown(client, spender).all("a", class_="hash")]
    assert client.get(f"/search?q={parent}").headers["location"] == f"/tx/{parent}"


def test_an_address_shows_what_waits_first_and_its_sum_when_there_is_one(pool: Pool, client: Client) -> None:
    for address in touched(pool):
        page, body = shown(client, f"/address/{address}"), client.json(f"/api/v1/addresses/{address}")
        said = page.definitions()
        assert ("Unconfirmed" in said) is (body["unconfirmed"] != "0.00000000")
        assert ("Spendable" in said) is (body["spendable"] != body["balance"])
        assert page.rows()[0][0] in txids_of(TIP + 1)
        assert "Unconfirmed" not in shown(client, f"/address/{address}?at={TIP - 1}").definitions()
    spending = next(address for address in touched(pool) if marked(client, address))
    badge = shown(client, f"/address/{spending}?view=utxos&limit=1000").one("a", class_="badge")
    assert badge.text == "About to be spent"
    assert client.get(badge.attributes["href"].partition("#")[0]).status_code == 200


def marked(client: Client, address: str) -> list[str]:
    """The coins of an address that are about to be spent."""
    coins = client.json(f"/api/v1/addresses/{address}/utxos?limit=1000")["items"]
    return [coin["outpoint"] for coin in coins if coin["spent_unconfirmed_by"]]


def test_an_unused_address_that_is_about_to_be_paid_is_no_stranger(pool: Pool, client: Client) -> None:
    paid = {bytes(key) for row in pool.rows().values() for key in row["touches"]}
    texts = [encode_address(key, network()) for key in paid]
    new = [text for text in texts if not client.json(f"/api/v1/addresses/{text}")["transaction_count"]]
    assert new
    for text in new:
        page = shown(client, f"/address/{text}")
        assert "Nothing was ever paid" not in page.one("main").text
        assert "Nothing in a block yet." in page.one("main").text


def test_nothing_waiting_stale_and_unknown_are_told_apart(pool: Pool, client: Client) -> None:
    pool.copy.tell_stale()
    settled(client, pool)
    assert "The daemon could not be asked since" in shown(client, "/mempool").one("p", class_="alert").text
    pool.extend()
    pool.hold({})
    settled(client, pool)
    page = shown(client, "/mempool")
    assert "Nothing waits" in page.one("main").text
    assert list(page.all("p", class_="alert")) == []
    pool.store.put_meta("mempool", {"block": {"height": -200, "epoch": 0}, "revision": pool.meta["revision"] + 1})
    settled(client, pool)
    assert "Not known yet." in shown(client, "/mempool").one("p", class_="alert").text
    assert chain()[TIP + 1] in client.get(f"/block/{TIP + 1}").text
