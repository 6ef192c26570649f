"""The client against the recorded daemon over real HTTP, in good and in bad behaviour."""

from __future__ import annotations

import base64
import logging
import traceback
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest

from indexer.errors import Garbled, Refused, SourceError, Stopped, Unreachable, WarmingUp, WrongCredentials
from indexer.source.base import NO_PARENT
from indexer.source.rpc import Call, DaemonRpc, Endpoint, parse_endpoints
from tests import recorded
from tests.replay_daemon import MISBEHAVIOURS, ReplayDaemon

FAILURES: dict[str, tuple[type[SourceError], str]] = {
    "queue_full": (WarmingUp, "work queue"),
    "unauthorized": (WrongCredentials, "daemon.password"),
    "forbidden": (SourceError, "rpcallowip"),
    "wrong_path": (SourceError, "HTTP 404"),
    "no_post": (SourceError, "HTTP 405"),
    "shutting_down": (WarmingUp, "HTTP 503"),
    "html": (Garbled, "no JSON"),
    "broken_json": (Garbled, "no JSON"),
    "empty_batch": (Garbled, "answered 0 of"),
    "drop": (Unreachable, "broke off"),
    "hang": (Unreachable, "in time"),
    "truncated": (Unreachable, "broke off"),
    "slow_drip": (Unreachable, "slowly"),
    "warming_up": (WarmingUp, "Loading block index"),
    "garbage_hex": (Garbled, "no hex"),
    "garbage_hash": (Garbled, "block hash"),
    "pruned": (Refused, "pruned"),
    "shuffled": (Garbled, "out of order"),
    "refusing": (Refused, "Database error"),
}
SEEN_IN_STATUS = {"odd_status"}
LINKED_BY_THE_CALLER = {"wrong_block", "forgets_blocks"}


def hash_of(height: int) -> bytes:
    return bytes.fromhex(recorded.blocks()[height]["hash"])[::-1]


def test_status(rpc: DaemonRpc, daemon: ReplayDaemon) -> None:
    status = rpc.status()
    assert (status.height, status.headers, status.best_hash) == (200, 200, hash_of(200))
    assert (status.chain, status.version, status.subversion) == ("regtest", 9000650, "/MagicBean:9.0.6/")
    assert (status.connections, status.url, status.in_initial_download) == (0, daemon.url, False)
    daemon.chain.headers = 2400
    assert rpc.status().in_initial_download


def test_hashes_are_in_wire_order_and_none_above_the_tip(rpc: DaemonRpc) -> None:
    assert rpc.hashes([0, 200, 201, 7]) == [hash_of(0), hash_of(200), None, hash_of(7)]
    assert rpc.hashes([]) == []


def test_blocks_in_growing_batches(rpc: DaemonRpc, daemon: ReplayDaemon) -> None:
    daemon.chain.set_tip(recorded.TIP)
    first = 0
    sizes = []
    parent = NO_PARENT
    while first <= recorded.TIP:
        blocks = rpc.blocks(first, recorded.TIP)
        sizes.append(len(blocks))
        for height, block in enumerate(blocks, first):
            assert (block.height, block.hash, block.prev_hash) == (height, hash_of(height), parent)
            assert block.raw.hex() == recorded.blocks()[height]["hex"]
            parent = block.hash
        first += len(blocks)
    assert sizes[:4] == [16, 32, 64, 100]
    assert max(sizes) == 100


def test_blocks_end_at_last_and_at_the_daemons_tip(rpc: DaemonRpc) -> None:
    assert [block.height for block in rpc.blocks(5, 7)] == [5, 6, 7]
    assert [block.height for block in rpc.blocks(199, 300)] == [199, 200]
    assert rpc.blocks(201, 300) == []


def test_a_single_call_and_its_refusal(rpc: DaemonRpc) -> None:
    assert rpc.call("getblockcount") == 200
    with pytest.raises(Refused, match="out of range") as caught:
        rpc.call("getblockhash", 201)
    assert caught.value.code == -8
    with pytest.raises(Refused, match="Method not found"):
        rpc.call("nosuchmethod")


def test_recorded_pool_of_amounts_is_decimal(rpc: DaemonRpc) -> None:
    block = rpc.call("getblock", "105", 2)
    assert str(block["tx"][0]["vout"][0]["value"]) == "150.00000000"


def test_every_misbehaviour_is_expected() -> None:
    assert FAILURES.keys() | LINKED_BY_THE_CALLER | SEEN_IN_STATUS == set(MISBEHAVIOURS)


@pytest.mark.parametrize("kind", FAILURES)
def test_what_each_misbehaviour_means_and_that_it_heals(daemon: ReplayDaemon, kind: str) -> None:
    expected, words = FAILURES[kind]
    client = DaemonRpc(parse_endpoints(daemon.url, daemon.user, daemon.password), timeout=0.3)
    daemon.misbehave(kind)
    started = monotonic()
    with pytest.raises(SourceError, match=words) as caught:
        client.blocks(0, 100)
    assert type(caught.value) is expected
    assert monotonic() - started < 5
    assert daemon.password not in "".join(traceback.format_exception(caught.value))
    daemon.behave()
    assert len(client.blocks(0, 10)) == 11
    client.close()


def test_a_status_that_cannot_be_read(rpc: DaemonRpc, daemon: ReplayDaemon) -> None:
    daemon.misbehave("odd_status")
    with pytest.raises(Garbled, match="unknown form"):
        rpc.status()
    daemon.misbehave("refusing")
    with pytest.raises(Refused, match="getblockchaininfo"):
        rpc.status()


def test_what_the_caller_has_to_link(rpc: DaemonRpc, daemon: ReplayDaemon) -> None:
    daemon.misbehave("forgets_blocks")
    assert rpc.blocks(0, 10) == []
    daemon.misbehave("wrong_block")
    assert rpc.blocks(5, 6)[0].prev_hash != hash_of(4)


def test_a_daemon_that_is_down_and_comes_back(rpc: DaemonRpc, daemon: ReplayDaemon) -> None:
    assert rpc.call("getblockcount") == 200
    daemon.down()
    for _ in range(3):
        with pytest.raises(Unreachable, match="127.0.0.1"):
            rpc.call("getblockcount")
    daemon.up()
    assert rpc.call("getblockcount") == 200


def test_a_reply_over_the_limit_is_asked_for_in_smaller_parts(daemon: ReplayDaemon) -> None:
    biggest = max(len(recorded.blocks()[height]["hex"]) for height in range(17))
    client = DaemonRpc(parse_endpoints(daemon.url, daemon.user, daemon.password), max_reply=3 * biggest)
    found = client.blocks(0, 16)
    assert 1 <= len(found) < 16
    client.close()
    strict = DaemonRpc(parse_endpoints(daemon.url, daemon.user, daemon.password), max_reply=100)
    with pytest.raises(Garbled, match="over 100 bytes"):
        strict.blocks(0, 16)
    strict.close()


def test_fail_over_after_repeated_failure_and_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with ReplayDaemon(100) as first, ReplayDaemon(150) as second:
        urls = f"{first.url},{second.url}"
        client = DaemonRpc(parse_endpoints(urls, first.user, first.password))
        assert client.status().height == 100
        first.down()
        for _ in range(2):
            with pytest.raises(Unreachable):
                client.status()
        assert (client.status().height, client.url) == (150, second.url)
        second.down()
        first.up()
        for _ in range(2):
            with pytest.raises(Unreachable):
                client.status()
        assert client.status().height == 100
        client.close()
    assert first.password not in caplog.text


def test_a_single_hiccup_does_not_fail_over() -> None:
    with ReplayDaemon(100) as first, ReplayDaemon(150) as second:
        client = DaemonRpc(parse_endpoints(f"{first.url},{second.url}", first.user, first.password))
        for _ in range(3):
            first.misbehave("queue_full", times=1)
            with pytest.raises(WarmingUp):
                client.status()
            assert client.status().height == 100
        client.close()


def test_a_new_cookie_is_picked_up(daemon: ReplayDaemon, tmp_path: Path) -> None:
    cookie = tmp_path / ".cookie"
    client = DaemonRpc([Endpoint(daemon.url, cookie=cookie)])
    with pytest.raises(Unreachable, match=r"\.cookie"):
        client.call("getblockcount")
    for password in ("first", "second"):
        daemon.user, daemon.password = "__cookie__", password
        cookie.write_text(f"__cookie__:{password}")
        assert client.call("getblockcount") == 200
    daemon.password = "third"
    with pytest.raises(WrongCredentials):
        client.call("getblockcount")
    client.close()


def test_credentials_are_in_no_text(daemon: ReplayDaemon, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    host = daemon.url.removeprefix("http://")
    client = DaemonRpc(parse_endpoints(f"http://someone:topsecret@{host}"))
    with pytest.raises(WrongCredentials) as caught:
        client.call("getblockcount")
    daemon.down()
    with pytest.raises(Unreachable) as unreachable:
        client.batch([Call("getblockcount")])
    texts = [caplog.text, repr(client), *(traceback.format_exception(caught.value)), str(unreachable.value)]
    secrets = ("topsecret", "someone", base64.b64encode(b"someone:topsecret").decode())
    assert not any(secret in text for text in texts for secret in secrets)
    client.close()


def test_an_empty_list_of_daemons_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="at least one"):
        DaemonRpc([])


def test_closed_while_a_question_is_under_way_it_leaves_no_connection_open(daemon: ReplayDaemon) -> None:
    client = DaemonRpc([Endpoint(daemon.url, daemon.user, daemon.password)], timeout=20)
    daemon.misbehave("hang")

    def ask() -> None:
        with suppress(SourceError):  # the daemon breaks the connection instead of answering
            client.call("getblockcount")

    asking = Thread(target=ask)
    asking.start()
    while not daemon.requests:
        sleep(0.005)
    client.close()
    with pytest.raises(Stopped, match="not asked any more"):
        client.call("getblockcount")
    daemon.behave()
    asking.join()
    with pytest.raises(RuntimeError, match="closed"):  # dropped by the thread that asked last
        client._http.get(daemon.url)
