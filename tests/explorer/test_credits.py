"""The feed of credits, read by deposit systems that keep a cursor and what they booked, while the chain goes back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from explorer.app import create_app
from explorer.queries.forks import Forks
from indexer.store.setup import prepare
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.reorganising import Chain, MortalStore, paid
from tests.indexed import network

Booked = dict[str, str]  # seq by outpoint


class Deposits:
    """A deposit system: what it booked and its cursor are written in one go, item by item."""

    def __init__(self, addresses: set[str], depth: int, limit: int) -> None:
        self.addresses, self.depth, self.limit = addresses, depth, limit
        self.cursor: str | None = None
        self.booked: Booked = {}
        self.values: dict[str, str] = {}
        self.order: list[str] = []
        self.taken_back = 0

    def poll(self, client: Client, most: int = 1 << 30) -> bool:
        """Take one page, or die after ``most`` items of it; whether there may be more."""
        page = self._page(client)
        for item in page["items"][:most]:
            self.book(item)
            self.cursor = item["seq"]
        if len(page["items"]) <= most:
            self.cursor = page["next"]
        return bool(page["more"]) or len(page["items"]) > most

    def _page(self, client: Client) -> Any:
        asked: dict[str, Any] = {"addresses": sorted(self.addresses), "limit": self.limit}
        asked |= {"min_confirmations": self.depth} | ({"cursor": self.cursor} if self.cursor else {})
        response = client.post("/api/v1/credits", json=asked)
        assert response.status_code == 200, response.text
        return response.json()

    def book(self, item: dict[str, Any]) -> None:
        """Book a credit or take one back: never what is booked already, never what is not."""
        self.order.append(item["seq"])
        point = item["outpoint"]
        if item["kind"] == "credit":
            assert point not in self.booked
            assert item["confirmations"] >= self.depth
            self.booked[point], self.values[point] = item["seq"], item["value"]
        else:
            assert self.booked.pop(point) == item["reverses"]
            assert self.values.pop(point) == item["value"]
            self.taken_back += 1

    def agrees(self, truth: dict[str, int]) -> bool:
        """Whether what is booked is exactly what the chain pays; one that waits for depth may know more for a while."""
        values = {point: round(float(text) * 10**8) for point, text in self.values.items()}
        return values == truth if self.depth == 1 else truth.items() <= values.items()


@pytest.fixture
def moving(mongod: str, database_name: str) -> Iterator[tuple[Chain, Client]]:
    """A chain that goes back and forth in a real database, and an explorer of it."""
    store = MortalStore(mongod, database_name)
    prepare(store, network())
    with closing(store), Client(create_app(settings((mongod, database_name)))) as client:
        yield Chain(store, 7), client


class Readers:
    """Deposit systems that poll now and then and die in the middle of pages; they begin with the whole chain."""

    def __init__(self, client: Client, seed: int) -> None:
        addresses = paid()
        some = set(sorted(addresses)[::3])
        self._client, self._random = client, random.Random(seed)
        self._all = [Deposits(addresses, 1, 1000), Deposits(some, 1, 3), Deposits(addresses, 4, 50)]
        self._poll_to_the_end()

    def look(self) -> None:
        """Some of them poll, and take some of what they get."""
        for reader in self._all:
            if self._random.random() < 0.7:
                reader.poll(self._client, self._random.randrange(30))

    def agree(self, world: Chain, reorgs: int) -> None:
        """In the end they have booked what the chain pays, each credit once."""
        self._poll_to_the_end()
        for reader in self._all:
            assert reader.agrees(world.outputs(reader.addresses, reader.depth))
            assert reader.order == sorted(reader.order)
            assert len(set(reader.order)) == len(reader.order)
            assert reader.taken_back > reorgs

    def _poll_to_the_end(self) -> None:
        for reader in self._all:
            while reader.poll(self._client):
                pass


def test_a_deposit_system_books_every_credit_once_whatever_the_chain_does(moving: tuple[Chain, Client]) -> None:
    world, client = moving
    readers = Readers(client, 12)
    for n in range(10):
        world.step(mortal=n % 3 == 2)
        readers.look()
    readers.agree(world, 10)
    assert world.kills > 0


def test_the_whole_feed_is_every_output_of_the_chain_in_order(client: Client) -> None:
    outputs = {
        (tx["txid"], output["n"]): (address, f"{output['value']:.8f}")
        for block in recorded.blocks()[1:]
        for tx in block["block"]["tx"]
        for output in tx.get("vout", ())
        if output["scriptPubKey"]["type"] in ("pubkeyhash", "scripthash", "pubkey")
        for address in output["scriptPubKey"]["addresses"]
    }
    addresses = sorted({address for address, _ in outputs.values()})[:300]
    items: list[Any] = []
    cursor = None
    while True:
        asked = {"addresses": addresses, "limit": 1000} | ({"cursor": cursor} if cursor else {})
        page = client.post("/api/v1/credits", json=asked).json()
        items += page["items"]
        cursor = page["next"]
        if not page["more"]:
            break
    told = {tuple(i["outpoint"].split(":")): (i["address"], i["value"]) for i in items}
    expected = {(txid, str(n)): paid for (txid, n), paid in outputs.items() if paid[0] in set(addresses)}
    assert told == expected
    assert len(items) == len(told)
    assert [i["seq"] for i in items] == sorted(i["seq"] for i in items)
    assert {i["confirmations"] == 2400 - i["height"] + 1 for i in items} == {True}
    assert {i["coinbase"] for i in items} == {True, False}
    again = client.post("/api/v1/credits", json={"addresses": addresses, "cursor": cursor}).json()
    assert (again["items"], again["next"], again["more"]) == ([], cursor, False)


BUSY = "tmHbbe3SwnKDFqi1vqUTec5EC1J4QyCbuSL"
FOREIGN = f"00000000{1}{1 << 40:016x}deadbeef"


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "address is missing"),
        ("address=x", 400, "x"),
        (f"address={BUSY}&cursor=x", 400, "no cursor of a feed"),
        (f"address={BUSY}&cursor={FOREIGN}", 409, "never in this index"),
        (f"address={BUSY}&cursor=ffffffff{FOREIGN[8:]}", 409, "never in this index"),
        (f"address={BUSY}&cursor=00000001{0}{1:016x}00000000", 409, "never in this index"),
        (f"address={BUSY}&limit=0", 400, "1 to 1000"),
        (f"address={BUSY}&min_confirmations=0", 400, "at least 1"),
        (f"address={BUSY}&min_confirmations=x", 400, "whole number"),
    ],
)
def test_bad_questions(client: Client, query: str, status: int, words: str) -> None:
    response = client.get(f"/api/v1/credits?{query}")
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_credits_wait_for_their_confirmations(client: Client) -> None:
    every = client.json(f"/api/v1/credits?address={BUSY}&limit=1000")["items"]
    deep = client.json(f"/api/v1/credits?address={BUSY}&limit=1000&min_confirmations=100")
    assert deep["items"] == [item for item in every if item["confirmations"] >= 100]
    assert not deep["more"]
    rest = client.json(f"/api/v1/credits?address={BUSY}&limit=1000&cursor={deep['next']}")["items"]
    assert deep["items"] + rest == every
    early = client.json(f"/api/v1/credits?address={BUSY}&min_confirmations=9999")
    assert (early["items"], early["more"]) == ([], False)
    assert client.json(f"/api/v1/credits?address={BUSY}&limit=1000&cursor={early['next']}")["items"] == every


def test_an_index_made_anew_goes_on_where_its_chain_is_the_same(client: Client) -> None:
    page = client.json(f"/api/v1/credits?address={BUSY}&limit=5")
    elsewhere = "00000007" + page["next"][8:]  # an explorer that has seen seven reorganisations
    there = client.json(f"/api/v1/credits?address={BUSY}&limit=5&cursor={elsewhere}")
    assert there["items"] == client.json(f"/api/v1/credits?address={BUSY}&limit=5&cursor={page['next']}")["items"]


def test_which_reorganisation_made_and_took_a_block() -> None:
    chance = random.Random(5)
    for _ in range(50):
        heights = [chance.randrange(-1, 30) for _ in range(chance.randrange(12))]
        forks = Forks(heights)
        for height in range(32):
            for upto in range(len(heights) + 1):
                below = [n for n in range(1, upto + 1) if heights[n - 1] < height]
                assert forks.made(height, upto) == max(below, default=0)
            for after in range(len(heights) + 1):
                below = [n for n in range(after + 1, len(heights) + 1) if heights[n - 1] < height]
                assert forks.took(height, after) == min(below, default=None)
