"""Unconfirmed transactions in the API: what they say, what they do to balances, and when they stop being so."""

from __future__ import annotations

import statistics
import time
import zlib
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from explorer import db
from explorer.app import create_app
from explorer.daemon import ALLOWED
from indexer.chain.address import decode_address, encode_address
from indexer.chain.keys import hash_text, parse_hash
from indexer.parse.columns import ints
from indexer.store.mongo import MongoStore
from indexer.store.schema import late_indexes
from tests.explorer.client import Client, settings
from tests.indexed import branch, chain, network
from tests.mempool.pool import Pool, pool_at, prepared, txids_of, waiting, waiting_at
from tests.replay_daemon import ReplayDaemon
from tests.test_sync import assert_equals_straight, config_for, running

TIP = 152  # the next block holds a chain of twelve transactions, each spending the one before


@pytest.fixture
def database(mongod: str, database_name: str) -> Iterator[MongoStore]:
    """A database with all its indexes."""
    with prepared(mongod, database_name) as store:
        yield store


@pytest.fixture
def pool(mongod: str, database_name: str) -> Iterator[Pool]:
    """The chain of twelve in the mempool of the recorded chain."""
    with waiting_at(mongod, database_name, TIP) as at_tip:
        yield at_tip


@pytest.fixture
def client(pool: Pool, mongod: str, database_name: str) -> Iterator[Client]:
    """A client of the explorer of the pool's database."""
    with Client(create_app(settings((mongod, database_name), daemon=pool.daemon))) as running_client:
        yield running_client


def settled(client: Client, pool: Pool) -> None:
    """Wait until the explorer has noticed what is stored."""
    tip, revision = pool.store.meta("tip"), pool.meta["revision"]
    assert tip is not None
    deadline = time.monotonic() + 5
    while (meta := client.services.db.meta).pool is None or meta.pool.revision != revision or not (
        meta.tip and meta.tip.hash == tip["hash"] and meta.tip.epoch == tip["epoch"]
    ):  # fmt: skip
        assert time.monotonic() < deadline
        time.sleep(0.02)


def amount(text: str) -> int:
    """An amount of the API in zatoshi."""
    return int(Decimal(text) * 10**8)


def touched(pool: Pool) -> list[str]:
    """The addresses that unconfirmed transactions touch."""
    keys = {bytes(key) for row in pool.rows().values() for key in row.get("touches", ())}
    return [encode_address(key, network()) for key in sorted(keys)]


def test_the_list_is_walked_newest_first(pool: Pool, client: Client) -> None:
    body = client.json("/api/v1/mempool")
    assert [item["txid"] for item in body["items"]] == [
        txid for txid, _ in sorted(pool.rows().items(), key=lambda item: -item[1]["n"])
    ]
    sizes = {txid: len(raw) // 2 for txid, raw in waiting(TIP + 1).items()}
    assert {item["txid"]: item["size"] for item in body["items"]} == sizes
    assert (body["count"], body["bytes"]) == (12, sum(sizes.values()))
    assert body["by_type"] == {"transfer": 12, "node_start": 0, "node_confirm": 0}
    assert (body["left_out"], body["stale_since"], body["next"]) == (0, None, None)
    assert client.pages("/api/v1/mempool", 5) == body["items"]
    assert client.get("/api/v1/mempool?cursor=x").status_code == 400


def test_a_waiting_transaction_becomes_the_mined_one(pool: Pool, client: Client) -> None:
    before = {txid: client.json(f"/api/v1/transactions/{txid}") for txid in txids_of(TIP + 1)}
    for body in before.values():
        assert (body["block"], body["confirmations"]) == (None, 0)
        assert abs(body["first_seen"] - time.time()) < 60
    pool.extend()
    pool.hold({})
    settled(client, pool)
    for txid, body in before.items():
        after = client.json(f"/api/v1/transactions/{txid}")
        assert (after["block"]["height"], after["confirmations"]) == (TIP + 1, 1)
        assert "first_seen" not in after
        moved = {"tip", "block", "confirmations", "first_seen", "outputs"}
        assert {k: v for k, v in body.items() if k not in moved} == {k: v for k, v in after.items() if k not in moved}
        for old, new in zip(body["outputs"], after["outputs"], strict=True):
            spend = new["spent_by"] and {name: new["spent_by"][name] for name in ("txid", "n")}
            assert old["spent_unconfirmed_by"] == spend  # within this block: the chain of twelve
            assert old == new | {"spent_by": None, "spent_unconfirmed_by": spend}
    assert client.json("/api/v1/mempool")["items"] == []


@pytest.mark.parametrize("height", [362, 365, 1642, 1811])
def test_waiting_node_transactions_become_the_mined_ones(
    height: int, database: MongoStore, mongod: str, database_name: str
) -> None:
    with pool_at(height, database) as pool, Client(create_app(settings((mongod, database_name)))) as client:
        pool.hold(waiting(height + 1))
        settled(client, pool)
        before = {txid: client.json(f"/api/v1/transactions/{txid}") for txid in txids_of(height + 1)}
        listed = {item["txid"]: item for item in client.json("/api/v1/mempool?limit=1000")["items"]}
        pool.extend()
        pool.hold({})
        settled(client, pool)
        assert any(body["node"] for body in before.values())
        for txid, body in before.items():
            after = client.json(f"/api/v1/transactions/{txid}")
            for name in ("txid", "type", "version", "size", "lock_time", "expiry_height", "fee", "node", "shielded"):
                assert body[name] == after[name], name
            assert {name: listed[txid][name] for name in ("type", "size", "fee")} == {
                name: after[name] for name in ("type", "size", "fee")
            }


def test_balance_and_unconfirmed_become_the_balance(pool: Pool, client: Client) -> None:
    addresses = touched(pool)
    before = {address: client.json(f"/api/v1/addresses/{address}") for address in addresses}
    assert len([body for body in before.values() if amount(body["unconfirmed"])]) > 1
    pool.extend()
    pool.hold({})
    settled(client, pool)
    for address, body in before.items():
        after = client.json(f"/api/v1/addresses/{address}")
        moves = client.json(f"/api/v1/addresses/{address}/transactions")["items"]
        mined = sum(amount(m["delta"]) for m in moves if m["height"] == TIP + 1 and m["type"] == "coinbase")
        assert amount(body["balance"]) + amount(body["unconfirmed"]) + mined == amount(after["balance"])
        assert after["unconfirmed"] == "0.00000000"


def test_spendable_is_what_neither_waits_nor_is_about_to_be_spent(pool: Pool, client: Client) -> None:
    marked = 0
    for address in touched(pool):
        body = client.json(f"/api/v1/addresses/{address}")
        coins = client.pages(f"/api/v1/addresses/{address}/utxos", 1000)
        assert sum(amount(coin["value"]) for coin in coins) == amount(body["balance"])
        free = sum(amount(coin["value"]) for coin in coins if coin["spent_unconfirmed_by"] is None)
        assert amount(body["spendable"]) == free - amount(body["immature"])
        for coin in (coin for coin in coins if coin["spent_unconfirmed_by"]):
            spender = client.json(f"/api/v1/transactions/{coin['spent_unconfirmed_by']['txid']}")
            assert spender["inputs"][coin["spent_unconfirmed_by"]["n"]]["outpoint"] == coin["outpoint"]
            marked += 1
        past = client.json(f"/api/v1/addresses/{address}?at={TIP - 1}")
        assert (past["unconfirmed"], past["spendable"]) == (None, None)
    assert marked == 1


def test_mined_at_the_tip_is_mined_only_while_the_set_still_holds_it(pool: Pool, client: Client) -> None:
    address = touched(pool)[0]
    pool.extend()
    held = pool.rows()
    pool.hold({})
    pool.store.replace("mempool", list(held.values()))
    pool.store.put_meta("mempool", {"count": 12, "kinds": [12, 0, 0], "block": {"height": TIP, "epoch": 1}})
    pool.store.put_meta("mempool", {"bytes": sum(r["size"] for r in held.values()), "revision": 1000})
    epoch = pool.index.tip["epoch"]
    for told in ({"height": TIP, "epoch": epoch}, {"height": TIP + 1, "epoch": epoch - 1}):
        pool.store.put_meta("mempool", {"block": told, "revision": pool.meta["revision"] + 1})
        settled(client, pool)
        body = client.json("/api/v1/mempool")
        assert (body["count"], body["bytes"], body["items"], body["next"]) == (0, 0, [], None)
        assert body["by_type"] == {"transfer": 0, "node_start": 0, "node_confirm": 0}
        assert client.json(f"/api/v1/addresses/{address}")["unconfirmed"] == "0.00000000"
        assert client.json(f"/api/v1/transactions/{txids_of(TIP + 1)[0]}")["confirmations"] == 1


def test_a_reorganisation_makes_it_unconfirmed_again(database: MongoStore, mongod: str, database_name: str) -> None:
    fork, stale = branch("R2")
    with pool_at(fork, database) as pool, Client(create_app(settings((mongod, database_name)))) as client:
        pool.index.catch_up([*chain()[: fork + 1], *stale], 1)
        pool.daemon.chain.reorg("R2", won=False)
        pool.copy.compare()
        back = waiting(fork + 1)
        pool.daemon.chain.set_tip(fork)
        pool.index.rewind(fork)
        pool.hold(back)
        settled(client, pool)
        assert back
        for txid in back:
            assert client.json(f"/api/v1/transactions/{txid}")["confirmations"] == 0
        assert client.json("/api/v1/mempool")["count"] == len(back)


def test_search_finds_a_waiting_transaction_and_its_outputs(client: Client) -> None:
    txid = txids_of(TIP + 1)[0]
    for text in (txid, f"{txid}:0"):
        (hit,) = client.json(f"/api/v1/search?q={text}")["items"]
        assert hit["url"] == f"/tx/{txid}"


def test_the_bytes_of_a_waiting_transaction_are_the_daemons(pool: Pool, client: Client) -> None:
    raws = waiting(TIP + 1)
    first, second, third, *_ = raws
    pool.daemon.chain.mempool |= {second: raws[first], third: "zz"}
    pool.daemon.misbehave("refusing", 1)
    for txid, words in ((first, "has just left"), (second, "another transaction"), (third, "no transaction")):
        response = client.get(f"/api/v1/transactions/{txid}/raw")
        assert (response.status_code, words in response.text) == (503, True)
    pool.daemon.chain.mempool = dict(raws)
    for txid, raw in raws.items():
        assert client.json(f"/api/v1/transactions/{txid}/raw")["hex"] == raw


def test_only_what_is_public_is_asked_of_the_daemon(client: Client) -> None:
    asked = {"getbestblockhash", "getblock", "getblockcount", "getnetworkinfo", "getrawtransaction"}
    assert asked | {"estimatefee", "sendrawtransaction"} == ALLOWED
    for method in ("stop", "dumpprivkey", "getwalletinfo", "invalidateblock", "startfluxnode"):
        with pytest.raises(ValueError, match="public methods"):
            client.run(client.services.daemon.call(method))


def test_etags_follow_the_mempool_where_it_shows_and_nowhere_else(pool: Pool, client: Client) -> None:
    first, *rest = waiting(TIP + 1)
    address = next(a for a in touched(pool) if client.json(f"/api/v1/addresses/{a}/utxos")["items"])
    shows = ["/api/v1/mempool", f"/api/v1/addresses/{address}", f"/api/v1/addresses/{address}/utxos"]
    stays = ["/api/v1/blocks/5", "/api/v1/blocks?limit=2", f"/api/v1/addresses/{address}/transactions"]
    tags = {url: client.get(url).headers["etag"] for url in shows + stays}
    for url, tag in tags.items():
        assert client.get(url, headers={"If-None-Match": tag}).status_code == 304
    pool.hold({txid: waiting(TIP + 1)[txid] for txid in rest})  # which spend what the first one pays
    settled(client, pool)
    for url, tag in tags.items():
        response = client.get(url, headers={"If-None-Match": tag})
        assert (response.status_code, url) == (200 if url in shows else 304, url)
    assert client.json("/api/v1/mempool")["count"] == 11


def test_answers_about_other_addresses_and_transactions_stay_when_it_changes(pool: Pool, client: Client) -> None:
    paths = (f"/api/v1/blocks/{height}/transactions" for height in range(1, TIP, 3))
    items = [item for path in paths for item in client.json(path)["items"]]
    keys = {f"/api/v1/transactions/{item['txid']}": parse_hash(item["txid"]) for item in items}
    paid = {output["address"] for item in items for output in item["outputs"] if output["address"]}
    keys |= {f"/api/v1/addresses/{text}": decode_address(text, network()) for text in paid}
    tags = {url: client.get(url).headers["etag"] for url in keys}
    before = ints(pool.meta["parts"], "I")
    pool.hold(dict(list(waiting(TIP + 1).items())[:-1]))
    settled(client, pool)
    changed = {part for part, revision in enumerate(ints(pool.meta["parts"], "I")) if revision != before[part]}
    moved = {url for url, tag in tags.items() if client.get(url).headers["etag"] != tag}
    assert moved == {url for url, key in keys.items() if zlib.crc32(key) % 64 in changed}
    assert 0 < len(moved) < len(keys) / 4


def test_who_was_shown_a_new_transaction_is_shown_no_older_answer(
    pool: Pool, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    txid, raw = next(iter(waiting(TIP + 1).items()))
    address = encode_address(bytes(pool.rows()[txid]["touches"][0]), network())
    pool.hold({})
    settled(client, pool)
    monkeypatch.setattr(db, "POLL_SECONDS", 60)  # from the next poll on, nothing but questions tells the explorer
    time.sleep(0.5)
    urls = (f"/api/v1/addresses/{address}", f"/api/addrs/{address}/utxo", f"/address/{address}")
    before = {url: client.get(url).content for url in urls}
    pool.hold({txid: raw})
    assert {url: client.get(url).content for url in urls} == before
    assert client.json(f"/api/v1/transactions/{txid}")["block"] is None
    assert [url for url in urls if client.get(url).content == before[url]] == []


def test_a_set_that_is_stale_or_unknown_says_so(pool: Pool, client: Client) -> None:
    pool.copy.tell_stale()
    settled(client, pool)
    assert client.json("/api/v1/mempool")["stale_since"] == pool.meta["updated_at"]
    address, url = touched(pool)[0], f"/api/v1/transactions/{txids_of(TIP + 1)[0]}"
    assert client.get(url).status_code == 200
    pool.index.catch_up(chain()[: TIP + 103], 1)  # the set is older than a hundred blocks
    deadline = time.monotonic() + 5
    while client.json("/api/v1/blocks?limit=1")["tip"]["height"] != TIP + 102:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    response = client.get("/api/v1/mempool")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "syncing")
    assert client.json(f"/api/v1/addresses/{address}")["unconfirmed"] is None


def test_sent_to_the_daemon_it_shows_within_a_second_and_is_mined_then(mongod: str, database_name: str) -> None:
    with ReplayDaemon(TIP) as daemon, running(config_for(daemon, database_name), mongod) as indexer:
        daemon.chain.mempool = dict(waiting(239))  # cannot be told: what it spends is mined later
        with Client(create_app(settings((mongod, database_name), daemon=daemon))) as client:
            indexer.until_at(chain()[TIP])
            indexer.until(lambda: len((indexer.store.meta("indexes") or {"ready": ()})["ready"]) == len(late_indexes()))
            indexer.until(lambda: client.get("/api/v1/mempool").status_code == 200)
            took = []
            for txid, raw in waiting(TIP + 1).items():
                sent = time.monotonic()
                assert client.post("/api/v1/transactions", json={"hex": raw}).json()["txid"] == txid
                indexer.until(partial(shown, client, txid))
                assert client.json(f"/api/v1/transactions/{txid}")["confirmations"] == 0
                took.append(time.monotonic() - sent)
            assert statistics.median(took) < 1  # a busy machine may hold up a few
            daemon.chain.mempool = {}
            daemon.chain.extend()
            indexer.until(lambda: client.json(f"/api/v1/transactions/{txid}")["confirmations"] == 1)
            assert not shown(client, txid)


def shown(client: Client, txid: str) -> bool:
    """Whether the mempool of the API shows a transaction."""
    return txid in [item["txid"] for item in client.json("/api/v1/mempool?limit=1000")["items"]]


def test_the_chain_is_indexed_the_same_with_a_mempool_beside_it(mongod: str, database_name: str) -> None:
    with ReplayDaemon(TIP) as daemon, running(config_for(daemon, database_name), mongod) as indexer:
        for height in range(TIP, TIP + 12):
            daemon.chain.mempool = {**waiting(height + 1), **waiting(height + 2)}
            daemon.chain.set_tip(height)
            indexer.until_at(chain()[height])
        indexer.until(lambda: (indexer.store.meta("mempool") or {}).get("block", {}).get("height") == TIP + 11)
        assert_equals_straight(indexer.store, TIP + 11)
        rows: list[Any] = list(indexer.store.scan("mempool"))
        assert {hash_text(bytes(row["_id"])) for row in rows} <= set(daemon.chain.mempool)
