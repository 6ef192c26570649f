"""The websocket: questions and answers by id, what is pushed, and what one client may have of it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, cast

import pytest

from explorer.api.blockbook import socket
from explorer.api.blockbook.methods import METHODS
from explorer.app import create_app
from tests import recorded
from tests.explorer.client import Client, settings
from tests.explorer.talking import Mouth, talking
from tests.explorer.test_mempool import TIP, settled
from tests.explorer.test_routes import ADDRESS, BLOCK, MAIN_ADDRESS, TXID, ZEROS
from tests.indexed import chain
from tests.mempool.pool import Pool, pool_at, prepared, txids_of, waiting


@pytest.fixture(scope="module")
def mouth(client: Client) -> Iterator[Mouth]:
    """A socket to the explorer of the recorded chain."""
    with talking(client) as open_socket:
        yield open_socket


def test_what_wallets_ask_first(mouth: Mouth) -> None:
    body = mouth.answer("getInfo")
    tip = recorded.blocks()[recorded.TIP]["hash"]
    assert (body["name"], body["shortcut"], body["network"], body["decimals"]) == ("Flux", "FLUX", "FLUX", 8)
    assert (body["bestHeight"], body["bestHash"], body["testnet"]) == (recorded.TIP, tip, True)
    assert body["block0Hash"] == recorded.blocks()[0]["hash"]
    assert int(body["backend"]["consensus"]["chaintip"], 16) == 0x76B809BB


@pytest.mark.parametrize(
    ("method", "given", "path"),
    [
        ("getBlockHash", {"height": 1850}, "/api/v2/block-index/1850"),
        ("getBlock", {"id": "1850"}, "/api/v2/block/1850"),
        ("getBlock", {"id": BLOCK}, f"/api/v2/block/{BLOCK}"),
        ("getTransaction", {"txid": TXID}, f"/api/v2/tx/{TXID}"),
        ("getAccountUtxo", {"descriptor": ADDRESS}, f"/api/v2/utxo/{ADDRESS}"),
        ("getAccountInfo", {"descriptor": ADDRESS}, f"/api/v2/address/{ADDRESS}?details=basic"),
        ("getAccountInfo", {"descriptor": ADDRESS, "details": "txs", "page": 2, "pageSize": 10, "from": 0, "to": 0},
         f"/api/v2/address/{ADDRESS}?details=txs&page=2&pageSize=10"),
        ("getAccountInfo", {"descriptor": ADDRESS, "details": "txids"},
         f"/api/v2/address/{ADDRESS}?details=txids&pageSize=25"),
        ("getBalanceHistory", {"descriptor": ADDRESS, "groupBy": 86400},
         f"/api/v2/balancehistory/{ADDRESS}?groupBy=86400"),
    ],
)  # fmt: skip
def test_answers_are_those_of_rest(
    mouth: Mouth, client: Client, method: str, given: dict[str, Any], path: str
) -> None:
    expected = client.json(path)
    body = mouth.answer(method, **given)
    assert body == ({"hash": expected["blockHash"]} if method == "getBlockHash" else expected)


def test_fees_are_told_for_each_target(mouth: Mouth) -> None:
    body = mouth.answer("estimateFee", blocks=[1, 6, 1], specific={"txsize": 250})
    assert body == [{"feePerUnit": "100", "feePerTx": "25"}] * 3
    assert mouth.answer("estimateFee", blocks=[2]) == [{"feePerUnit": "100"}]


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("nonsense", {}, "no method"),
        ("", {}, "method"),
        ("stop", {}, "no method"),
        ("getBlockHash", {}, "height"),
        ("getBlockHash", {"height": 2401}, "2400"),
        ("getBlockHash", {"height": True}, "height"),
        ("getBlock", {"id": "x"}, "no block"),
        ("getAccountInfo", {}, "descriptor"),
        ("getAccountInfo", {"descriptor": MAIN_ADDRESS}, "address of main"),
        ("getAccountInfo", {"descriptor": "xpub6CUGRUo"}, "not derived"),
        ("getAccountInfo", {"descriptor": ADDRESS, "details": ["txs"]}, "details"),
        ("getTransaction", {"txid": ZEROS}, "no transaction"),
        ("estimateFee", {"blocks": []}, "blocks"),
        ("estimateFee", {"blocks": ["1"]}, "blocks"),
        ("estimateFee", {"blocks": [1] * 33}, "blocks"),
        ("sendTransaction", {"hex": "zz"}, "hex"),
        ("getCurrentFiatRates", {"currencies": ["usd"]}, "no market data"),
        ("subscribeAddresses", {"addresses": []}, "addresses"),
        ("subscribeAddresses", {"addresses": [ADDRESS, MAIN_ADDRESS]}, "address of main"),
        ("subscribeAddresses", {"addresses": [ADDRESS] * 1001}, "1000"),
    ],
)
def test_what_is_wrong_is_an_answer_too(mouth: Mouth, method: str, given: dict[str, Any], words: str) -> None:
    body = mouth.answer(method, **given)
    assert body.keys() == {"error"}
    assert words in body["error"]["message"]


def test_small_signs(mouth: Mouth) -> None:
    assert mouth.answer("ping") == {}
    assert mouth.answer("unsubscribeNewBlock") == {"subscribed": False}
    assert mouth.answer("subscribeNewTransaction")["subscribed"] is False
    mouth.say(json.dumps({"id": "0042 é", "method": "ping"}))
    assert mouth.hear() == ("0042 é", {})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"id": 7, "method": "ping"}', '{"id": "' + "1" * 65 + '"}', b"\0"])
def test_who_cannot_be_answered_is_hung_up_on(client: Client, text: str | bytes) -> None:
    with talking(client) as one:
        one.say(text)
        assert one.hear() == ("", socket.UNREADABLE)


ODD: list[Any] = [
    None, True, -1, 1.5, 1 << 52, 1 << 60, "", "x", "9" * 400, "\ud800", [], [None], {}, {"txsize": -1}, ADDRESS,
]  # fmt: skip
USED = {
    "getBlockHash": {"height": 5},
    "getBlock": {"id": "5", "page": 1, "pageSize": 5},
    "getAccountInfo": {"descriptor": ADDRESS, "details": "txids", "page": 1, "pageSize": 5, "from": 1, "to": 1},
    "getAccountUtxo": {"descriptor": ADDRESS},
    "getBalanceHistory": {"descriptor": ADDRESS, "from": 1, "to": 1, "groupBy": 1},
    "getTransaction": {"txid": TXID},
    "getTransactionSpecific": {"txid": TXID},
    "estimateFee": {"blocks": [1], "specific": {}},
    "sendTransaction": {"hex": "00"},
    "subscribeAddresses": {"addresses": [ADDRESS]},
}


@pytest.mark.parametrize("method", USED)
def test_no_parameter_makes_a_fault(mouth: Mouth, method: str) -> None:
    given: dict[str, Any] = dict(USED[method])  # type: ignore[call-overload]
    refused = 0
    for name in given:
        for value in ODD:
            body = mouth.answer(method, **(given | {name: value}))
            assert body != {"error": {"message": socket.FAULT}}, (name, value)
            refused += "error" in body
    assert refused


def test_a_fault_is_logged_and_told_as_one(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setitem(cast(dict[str, Any], METHODS), "ping", broken)
    with talking(client) as one:
        assert one.answer("ping") == {"error": {"message": socket.FAULT}}
    assert "secret" in caplog.text


def test_one_client_has_so_many_sockets_and_one_socket_so_many_questions(
    recorded_index: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "MOST_PENDING", 3)
    with Client(create_app(settings(recorded_index))) as own:
        monkeypatch.setattr(own.services.places, "_most_per_client", 2)
        with talking(own, "192.0.2.7") as one, talking(own, "192.0.2.7") as two:
            with talking(own, "192.0.2.7") as three, talking(own, "192.0.2.8") as other:
                assert (three.code, other.code) == (429, 0)
            own.run(_stopped(one))
            ids = [one.ask("ping") for _ in range(5)]
            time.sleep(0.2)
            own.run(_going_on(one))
            told = dict(one.hear() for _ in ids)
            assert sorted(told) == ids
            refused = [id for id in ids if told[id]]
            assert all("wait for some answers" in told[id]["error"]["message"] for id in refused)
            assert len(refused) == 2
            assert two.answer("ping") == {}
        assert not own.services.places.taken
        assert own.services.watcher.listeners == 0


async def _stopped(mouth: Mouth) -> None:
    mouth.reading.clear()


async def _going_on(mouth: Mouth) -> None:
    mouth.reading.set()


def test_a_client_that_does_not_listen_is_hung_up_on(
    recorded_index: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "SEND_SECONDS", 0.1)
    with Client(create_app(settings(recorded_index))) as own, talking(own) as deaf:
        assert deaf.answer("subscribeNewBlock") == {"subscribed": True}
        own.run(_stopped(deaf))
        deaf.ask("ping")
        deadline = time.monotonic() + 5
        while own.services.watcher.listeners:
            assert time.monotonic() < deadline
            time.sleep(0.02)


ADDRESSES = {  # whom each of twelve transactions pays or takes from
    tx["txid"]: sorted({i["address"] for i in tx["vin"]}.union(*(o["scriptPubKey"]["addresses"] for o in tx["vout"])))
    for tx in recorded.blocks()[TIP + 1]["block"]["tx"][1:]
}


# --- what is pushed -----------------------------------------------------------------------------------------


@pytest.fixture
def pool(mongod: str, database_name: str) -> Iterator[Pool]:
    """The first of a chain of twelve waits."""
    with prepared(mongod, database_name) as store, pool_at(TIP, store) as at_tip:
        at_tip.hold(dict([next(iter(waiting(TIP + 1).items()))]))
        yield at_tip


@pytest.fixture
def moving(pool: Pool, mongod: str, database_name: str) -> Iterator[Client]:
    with Client(create_app(settings((mongod, database_name), daemon=pool.daemon))) as running:
        settled(running, pool)
        yield running


def test_blocks_are_pushed_under_the_newest_id(pool: Pool, moving: Client) -> None:
    with talking(moving) as one, talking(moving) as two:
        assert one.answer("subscribeNewBlock") == {"subscribed": True}
        id = one.ask("subscribeNewBlock")
        assert one.hear() == (id, {"subscribed": True})
        for _ in range(2):
            begun = time.monotonic()
            pool.extend()
            height = pool.daemon.chain.height
            assert one.hear() == (id, {"height": height, "hash": chain()[height]})
            assert time.monotonic() - begun < 3
        assert one.answer("unsubscribeNewBlock") == {"subscribed": False}
        pool.extend()
        assert one.is_silent()
        assert two.is_silent(0.1)
        assert one.answer("getInfo")["bestHeight"] == TIP + 3


def test_subscriptions_one_after_the_other_leave_one(pool: Pool, moving: Client) -> None:
    with talking(moving) as one:
        ids = [one.ask("subscribeNewBlock") for _ in range(5)]
        assert dict(one.hear() for _ in ids) == dict.fromkeys(ids, {"subscribed": True})
        assert moving.services.watcher.listeners == 1
        pool.extend()
        assert one.hear()[0] == ids[-1]
        assert one.is_silent()
    assert moving.services.watcher.listeners == 0


def test_the_goodbye_of_the_site_ends_it(moving: Client) -> None:
    with talking(moving) as one:
        assert one.answer("subscribeNewBlock") == {"subscribed": True}
        moving.run(_goodbye(moving))
        assert one.hear() == ("", socket.GOING_AWAY)


async def _goodbye(client: Client) -> None:
    client.services.watcher.close()


def test_transactions_of_addresses_are_pushed_when_they_come_and_when_they_are_mined(
    pool: Pool, moving: Client
) -> None:
    held = txids_of(TIP + 1)[0]
    with talking(moving) as both, talking(moving) as waits:
        addresses = sorted({address for paid in ADDRESSES.values() for address in paid})
        followed = both.ask("subscribeAddresses", addresses=addresses, newBlockTxs=True)
        assert both.hear() == (followed, {"subscribed": True})
        one = ADDRESSES[txids_of(TIP + 1)[-1]][0]
        assert waits.answer("subscribeAddresses", addresses=[one]) == {"subscribed": True}
        pool.hold(waiting(TIP + 1))
        expected = {(address, txid) for txid, paid in ADDRESSES.items() if txid != held for address in paid}
        pushes = [both.hear() for _ in expected]
        assert {(p["address"], p["tx"]["txid"]) for _, p in pushes} == expected
        for id, push in pushes:
            assert (id, push["tx"]["blockHeight"], push["tx"]["confirmations"]) == (followed, -1, 0)
            assert all(output["hex"] for output in push["tx"]["vout"])
        assert {waits.hear()[1]["tx"]["txid"] for a, _ in expected if a == one} == {t for a, t in expected if a == one}
        pool.extend()
        mined = [both.hear()[1] for txid in ADDRESSES for _ in ADDRESSES[txid]]
        assert {p["tx"]["txid"]: p["tx"]["confirmations"] for p in mined} == dict.fromkeys(ADDRESSES, 1)
        assert waits.is_silent()
