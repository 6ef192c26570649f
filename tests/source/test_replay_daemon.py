"""The replay daemon answers as the recorded one did: every recorded call that our clients use."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests import recorded
from tests.replay_chain import reorgs
from tests.replay_daemon import ReplayDaemon

USED = {
    "getblockcount",
    "getbestblockhash",
    "getblockhash",
    "getblock",
    "getblockheader",
    "getblockchaininfo",
    "getnetworkinfo",
    "getconnectioncount",
    "getinfo",
    "getrawmempool",
    "getrawtransaction",
    "sendrawtransaction",
    "validateaddress",
    "gettxoutsetinfo",
    "nosuchmethod",
}


@pytest.fixture(scope="module")
def server() -> Iterator[ReplayDaemon]:
    with ReplayDaemon() as running:
        yield running


@pytest.fixture(scope="module")
def http(server: ReplayDaemon) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, auth=(server.user, server.password), trust_env=False) as client:
        yield client


def comparable(value: Any) -> Any:
    """Amounts as floats: the two recordings wrote the same numbers with different digits."""
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value


def _answer(reply: dict[str, Any]) -> Any:
    """A reply to compare; a stale block's anchor is left out: the daemon forgets it when it restarts."""
    answer = comparable({"result": reply["result"], "error": reply["error"]})
    if isinstance(answer["result"], dict) and answer["result"].get("confirmations") == -1:
        answer["result"].pop("anchor", None)
    return answer


def _question(call: dict[str, Any]) -> str:
    """What was asked, and at which tip; the mempool and the wallet may have changed between two answers to it."""
    return json.dumps([call["params"], call["besthash"]])


@pytest.mark.parametrize("method", sorted(USED))
def test_recorded_calls_are_answered_equal(server: ReplayDaemon, http: httpx.Client, method: str) -> None:
    calls = [call for call in recorded.rpc_calls() if call["method"] == method]
    assert calls
    known: dict[str, list[Any]] = {}
    for call in calls:
        known.setdefault(_question(call), []).append(_answer(call["response"]))
    for call in calls:
        server.chain.set_tip(call["besthash"])
        request = {"method": method, "params": call["params"], "id": call["response"]["id"]}
        reply = http.post("/", json=request)
        assert reply.status_code == call["http_status"], call
        assert _answer(reply.json()) in known[_question(call)], call["params"]


@pytest.mark.parametrize("call", [c for c in recorded.rpc_calls() if c["method"] == "(http)"], ids=lambda c: c["note"])
def test_recorded_http_cases(server: ReplayDaemon, call: dict[str, Any]) -> None:
    server.chain.set_tip(recorded.TIP)
    password = "wrong" if call["note"] == "wrong password" else server.password
    login = None if call["note"] == "no auth" else (server.user, password)
    path = "wallet" if call["note"] == "bad path" else ""
    reply = httpx.post(server.url + path, content=call["params"][0], auth=login, trust_env=False)
    assert (reply.status_code, reply.text) == (call["http_status"], call["response"])
    for header in ("Content-Type", "Content-Length", "WWW-Authenticate"):
        assert reply.headers.get(header) == call["headers"].get(header)


def test_blocks_of_a_lower_tip_know_nothing_later(server: ReplayDaemon, http: httpx.Client) -> None:
    server.chain.set_tip(150)
    for height in (100, 149, 150):
        block = http.post("/", json={"method": "getblock", "params": [str(height), 2], "id": 0}).json()["result"]
        assert block["confirmations"] == 151 - height
        assert ("nextblockhash" in block) == (height < 150)
        assert all(out.get("spentHeight", 0) <= 150 for tx in block["tx"] for out in tx.get("vout", []))


def test_every_recorded_block_is_served_raw(server: ReplayDaemon, http: httpx.Client) -> None:
    names = [{"method": "getblock", "params": [name, 0], "id": name} for name in recorded.raw_by_hash()]
    replies = http.post("/", json=names).json()
    assert {reply["id"]: bytes.fromhex(reply["result"]) for reply in replies} == recorded.raw_by_hash()


def test_the_recording_is_lived_in_its_order(server: ReplayDaemon) -> None:
    chain = ReplayDaemon(0)
    with chain:
        tips = []
        while chain.chain.step():
            tips.append((chain.chain.height, chain.chain.active[-1]))
    assert {tip for _, tip in tips} >= {block["hash"] for block in recorded.stale_blocks()}
    assert tips[-1] == (recorded.TIP, recorded.blocks()[-1]["hash"])
    for reorg in reorgs().values():
        lost, won = reorg["stale"], reorg["new"]
        at = tips.index((reorg["fork_height"] + len(lost), lost[-1]))
        assert tips[at + 1] == (reorg["height"], won[-1])


def test_a_broadcast_transaction_is_in_the_mempool(http: httpx.Client, server: ReplayDaemon) -> None:
    raw = recorded.main_transactions()[0]
    sent = http.post("/", json={"method": "sendrawtransaction", "params": [raw["raw"]], "id": 0}).json()
    assert sent["error"] is None
    pool = http.post("/", json={"method": "getrawmempool", "params": [], "id": 0}).json()["result"]
    assert pool == [sent["result"]]
    server.chain.refusal = (-26, "16: bad-txns")
    refused = http.post("/", json={"method": "sendrawtransaction", "params": [raw["raw"]], "id": 0})
    assert refused.status_code == 500
    assert refused.json()["error"] == {"code": -26, "message": "16: bad-txns"}
    server.chain.refusal = None
    server.chain.mempool.clear()


def test_a_process_of_its_own_takes_commands() -> None:
    command = [sys.executable, "-m", "tests.replay_daemon", "--height", "100"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=recorded.DATA.parents[1]) as process:
        try:
            assert process.stdout is not None
            urls = json.loads(process.stdout.readline())

            def count() -> int:
                request = {"method": "getblockcount", "params": [], "id": 0}
                return int(httpx.post(urls["url"], json=request, auth=("replay", "s3cret")).json()["result"])

            def tell(method: str, *params: Any) -> Any:
                request = {"method": f"replay_{method}", "params": params, "id": 0}
                return httpx.post(urls["control"], json=request, trust_env=False).json()["result"]

            assert count() == 100
            tell("reorg", "R1")
            assert count() == 183
            assert tell("tip") == recorded.blocks()[183]["hash"]
            assert tell("calls") == {"getblockcount": 2}
            tell("down")
            with pytest.raises(httpx.ConnectError):
                count()
            tell("up")
            assert count() == 183
        finally:
            process.kill()


def test_amounts_keep_their_digits(http: httpx.Client, server: ReplayDaemon) -> None:
    server.chain.set_tip(recorded.TIP)
    text = http.post("/", json={"method": "getblock", "params": ["105", 2], "id": 0}).text
    assert '"value":150.00000000' in text
    assert json.loads(text)["result"]["height"] == 105
