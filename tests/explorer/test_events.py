"""Events as they happen: what is told, in which order, to whom, again to who comes back, and not to the slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from explorer.app import create_app
from explorer.events import stream, watcher
from explorer.events.chain import chain_events
from explorer.events.event import KINDS, Event, Position, parse_position
from tests.explorer.client import Client, settings
from tests.explorer.listening import Heard, listening
from tests.indexed import Index, branch, chain, on_losing_branch
from tests.mempool.pool import pool_at, prepared, waiting

FORK, STALE = branch("R2")  # six blocks lose to eight, with starts, confirmations and a spent collateral in both
NEWER = chain()[FORK + 1 : FORK + 9]


@pytest.fixture
def moving(mongod: str, database_name: str) -> Iterator[tuple[Index, Client]]:
    """An index whose tip is the end of a branch that is going to lose, and an explorer of it."""
    with (
        on_losing_branch(mongod, database_name, late=True) as index,
        Client(create_app(settings((mongod, database_name)))) as client,
    ):
        until(lambda: client.services.watcher.position is not None)
        yield index, client


def until(told: Any) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 5
    while not told():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def reorganise(index: Index) -> None:
    """Let the recorded branch win."""
    index.rewind(FORK)
    index.catch_up(chain()[: FORK + 9], 1)


def is_last(heard: Heard) -> bool:
    """Whether this is the block after which nothing comes that this test makes."""
    return heard.name == "block" and heard.data["hash"] == NEWER[-1]


def test_blocks_and_a_reorganisation_are_told_in_order_and_told_again(moving: tuple[Index, Client]) -> None:
    index, client = moving
    with listening(client) as ear:
        assert (ear.status, ear.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert "content-encoding" not in ear.headers and "content-length" not in ear.headers
        begin = ear.next()
        assert (begin.name, begin.data["tip"]["hash"]) == ("tip", STALE[-1])
        reorganise(index)
        heard = ear.until(is_last)
    assert [h.name for h in heard[:1]] == ["reorg"]
    reorg = heard[0].data
    assert (reorg["number"], reorg["depth"], reorg["fork"]["height"]) == (1, len(STALE), FORK)
    assert [orphan["hash"] for orphan in reorg["orphaned"]] == list(reversed(STALE))
    assert [h.data["hash"] for h in heard if h.name == "block"] == list(NEWER)
    ids = [begin.id, *(h.id for h in heard)]
    assert ids == sorted(set(ids))
    assert {h.name for h in heard} == {"reorg", "block", "payout", "node"}
    equal_to_the_resources(client, heard)
    for place in range(0, len(ids) - 1, 7):
        with listening(client, headers={"Last-Event-ID": ids[place]}) as again:
            told = [h for h in again.until(is_last) if h.name != "tip"]
            assert [(h.name, h.id) for h in told] == [(h.name, h.id) for h in heard[place:]]
            assert again.until(lambda h: h.name == "tip")[-1].data["tip"]["hash"] == NEWER[-1]


def equal_to_the_resources(client: Client, heard: list[Heard]) -> None:
    """Each event has the object of its resource."""
    moves = {"tip", "confirmations", "next_hash"}
    for told in heard:
        data = told.data
        if told.name == "block":
            body = client.json(f"/api/v1/blocks/{data['hash']}")
            assert {k: v for k, v in body.items() if k not in moves} == {k: data[k] for k in body if k not in moves}
        elif told.name == "payout":
            listed = client.json(f"/api/v1/payouts?node={data['node']}&limit=1000")["items"]
            assert {k: v for k, v in data.items() if k != "tip"} in listed
        elif told.name == "node":
            listed = client.json(f"/api/v1/nodes/{data['node']}/events?limit=1000")["items"]
            assert {k: data[k] for k in ("height", "txid", "event", "detail")} in listed
            body = client.json(f"/api/v1/nodes/{data['node']}")
            assert (body["tier"], body["address"]) == (data["tier"], data["address"])


def test_everything_that_befell_nodes_is_told(
    moving: tuple[Index, Client], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    index, client = moving
    failures = iter([KeyError("a row that a rewind took"), ValueError("another")])

    async def failing_first(*asked: Any) -> list[Event]:
        for failure in failures:
            raise failure
        return await chain_events(*asked)

    monkeypatch.setattr(watcher, "chain_events", failing_first)
    monkeypatch.setattr(watcher, "AGAIN_SECONDS", 0.05)
    with listening(client, "kinds=node,block") as ear:
        reorganise(index)
        index.extend([chain()[FORK + 9]])
        heard = ear.until(lambda h: h.name == "block" and h.data["height"] == FORK + 9)
    told = {(h.data["node"], h.data["height"], h.data["event"]) for h in heard if h.name == "node"}
    expected = set()
    for node in client.pages("/api/v1/nodes", 1000):
        for befell in client.json(f"/api/v1/nodes/{node['node']}/events?limit=1000")["items"]:
            if FORK < befell["height"] <= FORK + 8 and befell["event"] != "payout":
                expected.add((node["node"], befell["height"], befell["event"]))
    assert {one for one in told if one[1] <= FORK + 8} == expected
    assert len({event for _, _, event in expected}) >= 3
    assert [record.levelname for record in caplog.records if record.name == watcher.__name__] == ["WARNING"]


def test_who_names_an_address_or_a_node_hears_of_them_only(moving: tuple[Index, Client]) -> None:
    index, client = moving
    reorganise(index)
    until(lambda: client.json("/api/v1/blocks?limit=1")["tip"]["hash"] == NEWER[-1])
    paid = client.json("/api/v1/payouts?limit=3")["items"][0]
    since = {"Last-Event-ID": str(Position(1, FORK, 99_998, 0))}
    with listening(client, f"address={paid['address']}", headers=since) as ear:
        heard = ear.until(lambda h: h.name == "tip")[:-1]
    moved = client.json(f"/api/v1/addresses/{paid['address']}/transactions?limit=100")["items"]
    mined = {m["txid"] for m in moved if FORK < m["height"] <= FORK + 8}
    told = [h for h in heard if h.name == "transaction"]
    assert mined <= {h.data["txid"] for h in told} and mined
    assert all(paid["address"] in str(h.data) for h in heard if h.name != "block")
    assert [h.data["hash"] for h in heard if h.name == "block"] == list(NEWER)
    assert {h.data["address"] for h in heard if h.name == "payout"} == {paid["address"]}
    with listening(client, f"kinds=payout&node={paid['node']}", headers=since) as ear:
        heard = ear.until(lambda h: h.name == "tip")[:-1]
    assert {(h.name, h.data["node"]) for h in heard} == {("payout", paid["node"])}


@pytest.mark.parametrize(
    "last",
    ["nonsense", "1-2-3", str(Position(0, 5, 99_999, 0)), str(Position(9, FORK, 0, 0)), str(Position(0, 10**8, 0, 0))],
)
def test_who_cannot_be_told_what_was_missed_begins_anew(client: Client, last: str) -> None:
    until(lambda: client.services.watcher.position is not None)
    for how in ({"headers": {"Last-Event-ID": last}}, {"query": f"last_event_id={last}"}):
        with listening(client, **how) as ear:
            first, second = ear.next(), ear.next()
        assert (first.name, second.name, first.id) == ("reset", "tip", second.id)
        assert first.data["reason"] and first.data["tip"]["height"] == 2400
        assert parse_position(first.id) == client.services.watcher.position


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("kinds=blocks", f"expected some of {', '.join(KINDS)}"),
        ("address=t1nonsense", ""),
        ("node=abc", "outpoint"),
        ("address=" + ",".join(["x"] * 101), "at most 100"),
    ],
)
def test_questions_that_are_refused(client: Client, query: str, words: str) -> None:
    response = client.get(f"/api/v1/events?{query}")
    assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_request")
    assert words in response.json()["error"]["message"]


def test_what_comes_into_the_mempool_is_told_once_and_told_again(mongod: str, database_name: str) -> None:
    tip = 152
    with (
        prepared(mongod, database_name) as store,
        pool_at(tip, store) as pool,
        Client(create_app(settings((mongod, database_name)))) as client,
    ):
        first, *rest = waiting(tip + 1)
        pool.hold({first: waiting(tip + 1)[first]})
        until(lambda: client.services.watcher._waiting)
        with listening(client, "kinds=transaction,block") as ear:
            begin = ear.next()
            sent = time.monotonic()
            pool.hold(waiting(tip + 1))
            heard = [ear.next() for _ in rest]
            assert time.monotonic() - sent < 2
            assert {h.data["txid"] for h in heard} == set(rest)
            assert [h.id for h in heard] == sorted({h.id for h in heard})
            for told in heard:
                body = client.json(f"/api/v1/transactions/{told.data['txid']}")
                assert (told.data["block"], told.data["type"], told.data["fee"]) == (None, body["type"], body["fee"])
            pool.extend()
            pool.hold({})
            assert ear.next().data["height"] == tip + 1
        with listening(client, "kinds=transaction,block", headers={"Last-Event-ID": begin.id}) as again:
            told_again = again.until(lambda h: h.name == "tip")[:-1]
        assert [h.name for h in told_again] == ["block", *["transaction"] * len(heard)]
        assert [h.data["txid"] for h in told_again[1:]] == [h.data["txid"] for h in heard]
        address = heard[-1].data["outputs"][0]["address"]
        query = f"kinds=transaction&address={address}"
        with listening(client, query, headers={"Last-Event-ID": heard[-2].id}) as own:
            mine = own.until(lambda h: h.name == "tip")[:-1]
        assert {h.data["txid"] for h in mine} >= {heard[-1].data["txid"]}
        assert any(h.data["block"] for h in mine)


def test_who_reads_too_slowly_is_told_so_and_can_come_back(
    moving: tuple[Index, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watcher, "QUEUE", 2)
    index, client = moving
    with listening(client, "kinds=block") as slow:
        begin = slow.next()
        slow.reading.clear()
        reorganise(index)
        until(lambda: not client.services.watcher._listeners or next(iter(client.services.watcher._listeners)).closed)
        slow.reading.set()
        heard = slow.until(lambda h: h.name == "end")
        assert heard[-1].data["reason"] == watcher.TOO_SLOW
        assert slow.text() == ""
    assert len(heard) < 1 + len(NEWER)
    until(lambda: client.services.watcher.listeners == 0)
    monkeypatch.undo()
    last = heard[-2].id if len(heard) > 1 else begin.id
    with listening(client, "kinds=block", headers={"Last-Event-ID": last}) as ear:
        rest = ear.until(is_last)
    assert [h.data["hash"] for h in heard + rest if h.name == "block"] == list(NEWER)
    client.services.watcher.close()
    with listening(client) as late:
        assert late.until(lambda h: h.name == "end")[-1].data["reason"] == watcher.GOODBYE
        assert late.text() == ""


def test_places_are_counted_and_given_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.services.places, "_most", 3)
    monkeypatch.setattr(client.services.places, "_most_per_client", 2)
    with listening(client) as one, listening(client) as two:
        assert (one.status, two.status) == (200, 200)
        with listening(client) as third:
            assert (third.status, third.headers["retry-after"]) == (429, "10")
        with listening(client, address="192.0.2.2") as other, listening(client, address="192.0.2.3") as none:
            assert (other.status, none.status) == (200, 429)
        assert "flux_explorer_event_listeners 2" in client.get("/metrics").text
    until(lambda: not client.services.places.taken)
    with listening(client) as again:
        assert again.status == 200


def test_silence_is_filled_and_the_end_is_announced(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_SECONDS", 0.05)
    with listening(client) as ear:
        pieces = [ear.text() for _ in range(4)]
        assert pieces[0] == "retry: 2000\n\n"
        assert pieces[2:] == [": still here\n\n"] * 2
        for listener in list(client.services.watcher._listeners):
            listener.close(watcher.GOODBYE)
        assert ear.until(lambda h: h.name == "end")[-1].data["reason"] == watcher.GOODBYE
        assert ear.text() == ""


def test_head_and_description(client: Client) -> None:
    head = client.request("HEAD", "/api/v1/events")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")
    operation = client.get("/openapi.json").json()["paths"]["/api/v1/events"]["get"]
    assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
    assert "429" in operation["responses"] and "304" not in operation["responses"]
    assert [p["name"] for p in operation["parameters"]] == ["kinds", "address", "node", "last_event_id"]
