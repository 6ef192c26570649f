"""The simulated daemon over HTTP, asked by the indexer's own client and followed by the indexer's own loop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from indexer.chain import tiers
from indexer.chain.address import encode_address
from indexer.chain.keys import hash_text, parse_hash
from indexer.chain.nodes import Node
from indexer.chain.tiers import TIERS
from indexer.demo import serialize
from indexer.demo.builder import FIRST_BLOCKS, transactions_of
from indexer.demo.daemon import DemoDaemon
from indexer.demo.network import demo_network
from indexer.demo.serialize import Input, Output, Transfer, Wire
from indexer.demo.wallet import Owner
from indexer.errors import Refused, WarmingUp, WrongCredentials
from indexer.parse import parse_block
from indexer.parse.columns import NodeConfirm
from indexer.source.rpc import Call, DaemonRpc, Endpoint
from indexer.state.delta import Coin
from tests import recorded
from tests.demo.chains import NOW, client_of, copy_of, settings

NETWORK = demo_network()
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


@pytest.fixture(scope="module")
def quiet(first_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaemonRpc]:
    """A client of a daemon whose chain nobody moves."""
    with DemoDaemon(settings(copy_of(first_chain, tmp_path_factory.mktemp("quiet")))) as daemon:
        daemon.load(now=NOW)
        client = client_of(daemon)
        yield client
        client.close()


# --- protocol -----------------------------------------------------------------------------------------------


def test_it_warms_up_until_the_chain_is_there(tmp_path: Path) -> None:
    with DemoDaemon(settings(tmp_path)) as daemon, closing(client_of(daemon)) as client:
        with pytest.raises(WarmingUp, match="Loading block index"):
            client.status()


def test_it_wants_its_login(quiet: DaemonRpc) -> None:
    with closing(DaemonRpc([Endpoint(quiet.url, "demo", "wrong")])) as stranger, pytest.raises(WrongCredentials):
        stranger.call("getblockcount")


def test_the_client_reads_blocks_and_status(quiet: DaemonRpc) -> None:
    status = quiet.status()
    assert (status.height, status.chain) == (FIRST_BLOCKS, "demo")
    assert hash_text(status.best_hash) == quiet.call("getbestblockhash")
    assert quiet.hashes([0, FIRST_BLOCKS + 1]) == [parse_hash(NETWORK.genesis_hash), None]
    for block in quiet.blocks(1299, 1303):
        assert parse_block(block.raw).hash == block.hash


REFUSALS: list[tuple[str, list[Any], int]] = [
    ("getblockhash", [FIRST_BLOCKS + 1], -8),
    ("getblockhash", ["1"], -1),
    ("getblock", [5], -1),
    ("getblock", ["abc"], -8),
    ("getblock", ["f" * 64], -5),
    ("getblock", ["5", 3], -8),
    ("getrawtransaction", ["f" * 64], -5),
    ("getrawtransaction", ["xyz"], -8),
    ("getrawtransaction", ["f" * 64, True], -1),
    ("sendrawtransaction", ["zz"], -22),
    ("sendrawtransaction", ["0400"], -22),
    ("decoderawtransaction", ["00"], -22),
    ("getblocksubsidy", [-1], -8),
    ("stop", [], -32601),
    ("getblockcount", [1, 2], -1),
]


@pytest.mark.parametrize(("method", "params", "code"), REFUSALS, ids=[f"{m} {p}"[:40] for m, p, _ in REFUSALS])
def test_refusals_have_the_daemons_codes(quiet: DaemonRpc, method: str, params: list[Any], code: int) -> None:
    with pytest.raises(Refused) as refused:
        quiet.call(method, *params)
    assert refused.value.code == code


@cache
def recorded_results(method: str) -> list[Any]:
    """What the real daemon answered."""
    return [c["response"]["result"] for c in recorded.rpc_calls() if c["method"] == method and not failed(c)]


def failed(call: dict[str, Any]) -> bool:
    return not isinstance(call["response"], dict) or call["response"].get("error") is not None


@pytest.mark.parametrize(
    "method", ["getnetworkinfo", "getmempoolinfo", "getfluxnodecount", "getfluxnodesnapshot", "gettxoutsetinfo"]
)
def test_answers_have_the_keys_of_the_real_daemon(quiet: DaemonRpc, method: str) -> None:
    real = recorded_results(method)[-1]
    extra = {"fullyNotified"}  # regtest's own
    assert [key for key in real if key not in extra] == list(quiet.call(method))


def test_chain_state_has_the_keys_of_the_real_daemon_and_says_what_it_is(quiet: DaemonRpc) -> None:
    real = recorded_results("getblockchaininfo")[-1]
    assert [*real, "simulated"] == list(quiet.call("getblockchaininfo"))


def test_list_entries_have_the_keys_and_types_of_the_real_daemon(quiet: DaemonRpc) -> None:
    real = next(s["nodes"][0] for s in recorded_results("getfluxnodesnapshot") if s["nodes"])
    mine = quiet.call("getfluxnodesnapshot")["nodes"][0]
    assert {key: type(value) for key, value in real.items()} == {key: type(value) for key, value in mine.items()}


@pytest.mark.parametrize("method", ["getstartlist", "getdoslist"])
def test_waiting_entries_have_the_keys_and_types_of_the_real_daemon(quiet: DaemonRpc, method: str) -> None:
    real = next(entries[0] for entries in recorded_results(method) if entries)
    mine = quiet.call(method)[0]
    assert {key: type(value) for key, value in real.items()} == {key: type(value) for key, value in mine.items()}


def test_transactions_as_json(quiet: DaemonRpc) -> None:
    kinds: dict[str, dict[str, Any]] = {}
    for height in range(2200, 2260):
        block = quiet.call("getblock", str(height), 1)
        for txid in block["tx"]:
            shown = quiet.call("getrawtransaction", txid, 1)
            assert (shown["txid"], shown["height"], shown["blockhash"]) == (txid, height, block["hash"])
            assert quiet.call("decoderawtransaction", shown["hex"])["txid"] == txid
            kinds[shown.get("type") or ("coinbase" if txid == block["tx"][0] else "transfer")] = shown
    assert set(kinds) == {"coinbase", "transfer", "Starting a fluxnode", "Confirming a fluxnode"}
    output = kinds["coinbase"]["vout"][0]
    found = quiet.call("gettxout", kinds["coinbase"]["txid"], 0)
    assert found is None or found["value"] == output["value"]
    assert output["scriptPubKey"]["addresses"] == [encode_address(NETWORK.funds.dev_fund_address, NETWORK)]


def test_headers_and_whole_blocks(quiet: DaemonRpc) -> None:
    for height in (20, 700, 2999):
        hash_ = quiet.call("getblockhash", height)
        raw = quiet.call("getblock", hash_, 0)
        assert raw.startswith(quiet.call("getblockheader", hash_, False))
        header, block = quiet.call("getblockheader", hash_), quiet.call("getblock", hash_, 2)
        assert header == {key: value for key, value in block.items() if key not in ("tx", "size")}
        assert [tx["txid"] for tx in block["tx"]] == quiet.call("getblock", hash_, 1)["tx"]
        assert header["nextblockhash"] == quiet.call("getblockhash", height + 1)


# --- sending ------------------------------------------------------------------------------------------------


def payer(daemon: DemoDaemon) -> tuple[Owner, bytes, Coin]:
    """Someone with a coin."""
    for owner in daemon.builder.wallets.people:
        for point, coin in daemon.builder.mempool.coins_of(owner.address):
            if coin.value > 1_000_000 and coin.outkey >= 0:
                return owner, point, coin
    raise AssertionError("nobody has a coin")


def payment(points: list[bytes], value: int, to: Owner) -> Wire:
    inputs = [Input(point, b"\x51") for point in points]
    return serialize.transfer(Transfer(inputs, [Output(value, to.script)]))


def test_a_sent_transaction_waits_is_mined_and_leaves_with_a_reorg(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    owner, point, coin = payer(daemon)
    wire = payment([point], coin.value - 1000, owner)
    txid = rpc.call("sendrawtransaction", wire.raw.hex())
    assert txid == hash_text(wire.txid)
    entry = rpc.call("getrawmempool", True)[txid]
    assert (entry["size"], str(entry["fee"])) == (len(wire.raw), "0.00001000")
    assert rpc.call("sendrawtransaction", wire.raw.hex()) == txid
    assert rpc.call("gettxout", hash_text(point[:32]), int.from_bytes(point[32:], "big")) is None
    daemon.builder.extend(NOW + 5)
    assert txid not in rpc.call("getrawmempool")
    assert rpc.call("getrawtransaction", txid, 1)["confirmations"] == 1
    with pytest.raises(Refused) as refused:
        rpc.call("sendrawtransaction", wire.raw.hex())
    assert refused.value.code == -27
    daemon.reorganise(2, daemon.chain.tip.time + 1)
    mined = wire.txid in daemon.chain.transactions
    waits = txid in rpc.call("getrawmempool")
    spendable = daemon.builder.mempool.coin(point) is not None
    assert [mined, waits, spendable].count(True) == 1


def test_what_is_refused_and_why(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    owner, point, coin = payer(daemon)
    young = next(p for p, c in daemon.chain.coins_of[NETWORK.funds.dev_fund_address].items() if is_young(daemon, c))
    node = next(iter(daemon.chain.queue.order(TIERS[0])))
    old_form = Transfer([Input(point, b"")], [Output(1, owner.script)], version=1)
    late = Transfer([Input(point, b"")], [Output(1, owner.script)], expiry_height=daemon.chain.height)
    shielding = Transfer([Input(point, b"")], [], shielded_outputs=[bytes(948)])
    out_of_nothing = Transfer([], [Output(1, owner.script)], value_balance=10**16, shielded_spends=[bytes(384)])
    cases = [
        (payment([b"\7" * 36], 1, owner), -25, "Missing inputs"),
        (payment([point], coin.value + 1, owner), -26, "16: bad-txns-in-belowout"),
        (payment([point, point], 1, owner), -26, "16: bad-txns-inputs-duplicate"),
        (payment([young], 1, owner), -26, "16: bad-txns-premature-spend-of-coinbase"),
        (payment([serialize.NULL_PREVOUT], 1, owner), -26, "16: coinbase"),
        (serialize.transfer(old_form), -26, "16: tx-overwinter-flag-not-set"),
        (serialize.transfer(late), -26, "64: tx-expiring-soon"),
        (serialize.transfer(shielding), -26, "16: bad-txns-shielding-is-closed"),
        (serialize.transfer(out_of_nothing), -26, "16: turnstile-violation"),
        (serialize.transfer(Transfer([], [Output(0, b"")])), -26, "16: bad-txns-vin-empty"),
        (confirmation(node, update=0), -26, "16: bad-txns-fluxnode-not-in-list"),
        (confirmation(node, update=1), -26, "16: bad-txns-fluxnode-update-too-soon"),
    ]
    if daemon.chain.height - node.last_confirmed > tiers.windows(NETWORK, daemon.chain.height).update_after:
        cases.pop()
    for wire, code, reason in cases:
        with pytest.raises(Refused) as refused:
            rpc.call("sendrawtransaction", wire.raw.hex())
        assert (refused.value.code, refused.value.reason) == (code, reason)
    rpc.call("sendrawtransaction", payment([point], 1, owner).raw.hex())
    with pytest.raises(Refused, match="txn-mempool-conflict"):
        rpc.call("sendrawtransaction", payment([point], 2, owner).raw.hex())


def is_young(daemon: DemoDaemon, coin: Coin) -> bool:
    return daemon.chain.height - (coin.outkey >> 35) < NETWORK.coinbase_maturity - 1


def confirmation(node: Node, update: int) -> Wire:
    message = NodeConfirm(node.outpoint, NOW, NOW, node.tier, update, node.ip)
    return serialize.confirm(message, 5, bytes(65), bytes(65))


# --- life ---------------------------------------------------------------------------------------------------


def test_it_lives_by_the_clock(daemon: DemoDaemon, rpc: DaemonRpc) -> None:
    stop = Event()
    thread = Thread(target=daemon.live, args=(stop,))
    thread.start()
    waited, seen_waiting = time.monotonic() + PATIENCE, 0
    while rpc.call("getblockcount") < FIRST_BLOCKS + 10 and time.monotonic() < waited:
        seen_waiting = max(seen_waiting, len(rpc.call("getrawmempool")))
    stop.set()
    thread.join()
    assert rpc.call("getblockcount") >= FIRST_BLOCKS + 10
    assert seen_waiting > 0


class Heard:
    """Takes down what the daemon publishes."""

    def __init__(self) -> None:
        self.transactions_seen: list[bytes] = []
        self.tips: list[bytes] = []
        self.reorgs: list[tuple[int, int, int]] = []

    def transactions(self, raws: Any) -> None:
        self.transactions_seen.extend(raws)

    def new_tip(self, tip: Any) -> None:
        self.tips.append(tip.hash)

    def reorganised(self, old_tip: Any, new_tip: Any, fork: Any) -> None:
        self.reorgs.append((old_tip.height, new_tip.height, fork.height))


def test_it_tells_of_blocks_transactions_and_reorgs(first_chain: Path, tmp_path: Path) -> None:
    heard = Heard()
    with DemoDaemon(settings(copy_of(first_chain, tmp_path)), heard) as daemon:
        daemon.load(now=NOW)
        daemon.reorganise(3, NOW + 5)
        assert heard.reorgs == [(FIRST_BLOCKS, FIRST_BLOCKS + 1, FIRST_BLOCKS - 3)]
        assert heard.tips == [daemon.chain.tip.hash]
        mined = {raw for p in daemon.chain.active[-4:] for raw in transactions_of(daemon.chain.parsed(p))}
        assert mined <= set(heard.transactions_seen)


@pytest.mark.slow
def test_killed_and_started_again_it_goes_on(first_chain: Path, tmp_path: Path) -> None:
    """As a process of its own, under SIGKILL: every start finds the chain of the one before."""
    copy_of(first_chain, tmp_path / "demo-1")
    environ = os.environ | {
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
        "FLUX_DATA_DIR": str(tmp_path),
        "FLUX_DAEMON_PASSWORD": "pw",
        "FLUX_DEMO_BLOCK_SECONDS": "0.05",
    }
    before: list[str] = []
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "indexer.cli", "demo", "--daemon-only"], env=environ, stdout=subprocess.PIPE,
            cwd=tmp_path,
        )  # fmt: skip
        assert child.stdout is not None
        try:
            rpc = DaemonRpc([Endpoint(child.stdout.readline().decode().split()[2], "demo", "pw")], timeout=20)
            wait_for_height(rpc, FIRST_BLOCKS + 5 + len(before))
            for height in range(len(before)):
                assert rpc.call("getblockhash", height) == before[height]
            before = rpc.batch([Call("getblockhash", (height,)) for height in range(FIRST_BLOCKS)])
            rpc.close()
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait()
            child.stdout.close()


def wait_for_height(rpc: DaemonRpc, height: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if rpc.call("getblockcount") >= min(height, FIRST_BLOCKS + 5):
                return
        except WarmingUp:
            time.sleep(0.05)
    raise AssertionError(json.dumps({"wanted": height}))
