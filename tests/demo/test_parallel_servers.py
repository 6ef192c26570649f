"""The servers of the demo's parallel chains, asked as their protocols are documented and by the explorer's readers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from explorer.labels import load_labels
from explorer.parallel.algorand import AlgorandReader
from explorer.parallel.base import ParallelChain, Reader, Reading
from explorer.parallel.chains import read_chains
from explorer.parallel.ergo import ErgoReader
from explorer.parallel.evm import EvmReader, balance_of
from explorer.parallel.fetch import Fetcher
from explorer.parallel.kadena import KadenaReader, local_command
from explorer.parallel.solana import SolanaReader
from explorer.parallel.tron import TronReader
from indexer.demo.builder import FIRST_BLOCKS
from indexer.demo.daemon import DemoDaemon, Settings
from indexer.demo.network import demo_network
from indexer.demo.parallel import files
from indexer.demo.parallel.chains import BY_KEY, CHAINS, EXCHANGE, FULL
from indexer.demo.parallel.server import LATE_SECONDS, Conditions, endpoint
from indexer.demo.parallel.view import KEPT_BLOCKS
from indexer.errors import SourceError
from tests.demo.chains import NOW, copy_of

NETWORK = demo_network()
READERS: dict[str, type[Any]] = {
    "evm": EvmReader,
    "tron": TronReader,
    "solana": SolanaReader,
    "kadena": KadenaReader,
    "ergo": ErgoReader,
    "algorand": AlgorandReader,
}
KEYS = [chain.key for chain in CHAINS]


@pytest.fixture(scope="module")
def quiet(first_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoDaemon]:
    """A daemon whose chain nobody moves."""
    with DemoDaemon(Settings(NETWORK, copy_of(first_chain, tmp_path_factory.mktemp("parallel")))) as daemon:
        assert daemon.load(now=NOW)
        yield daemon


@pytest.fixture(scope="module")
def described(quiet: DemoDaemon) -> dict[str, ParallelChain]:
    """The chains as the file that the daemon writes describes them."""
    written = files.write(NETWORK, quiet.settings.folder, quiet.parallel.url)
    return {chain.key: chain for chain in read_chains(written.chains).chains}


def read(chain: ParallelChain, timeout: float = 20.0) -> Reading:
    async def ask() -> Reading:
        fetcher = Fetcher(timeout)
        reader: Reader = READERS[chain.kind](fetcher)
        try:
            return await reader.read(chain, chain.endpoints[0], NOW)
        finally:
            await fetcher.close()

    return asyncio.run(ask())


def url(daemon: DemoDaemon, key: str) -> str:
    return endpoint(daemon.parallel.url, BY_KEY[key])


def ask(daemon: DemoDaemon, key: str, path: str, body: Any = None) -> httpx.Response:
    method = "GET" if body is None else "POST"
    return httpx.request(method, url(daemon, key) + path, json=body, trust_env=False, timeout=20)


def rpc(daemon: DemoDaemon, key: str, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    answer = ask(daemon, key, "", body).json()
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
    return answer.get("error") or answer["result"]


# --- the explorer's readers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("key", KEYS)
def test_readers_read_what_the_ledger_has(
    quiet: DemoDaemon, described: dict[str, ParallelChain], key: str
) -> None:
    found, ledgers = read(described[key]), quiet.chain.bridge.ledgers
    assert found.minted == ledgers.supply(key) == described[key].minted
    assert found.outstanding == ledgers.outstanding(key) > 0
    held = tuple(ledgers.balance(key, issuer.address) for issuer in described[key].issuers)
    assert found.held == held
    assert found.block in (BY_KEY[key].block(FIRST_BLOCKS), None)


def test_the_file_has_the_ten_chains_of_the_main_net(described: dict[str, ParallelChain]) -> None:
    main = {chain.key: chain for chain in read_chains(Path("explorer/parallel/chains.toml").absolute()).chains}
    assert set(described) == set(main)
    for key, chain in described.items():
        assert (chain.name, chain.asset, chain.kind) == (main[key].name, main[key].asset, main[key].kind)
        assert (chain.decimals, chain.lifecycle) == (main[key].decimals, main[key].lifecycle)
        assert {issuer.role for issuer in chain.issuers} == {issuer.role for issuer in main[key].issuers}


def test_the_labels_name_the_wallets_of_fusion(quiet: DemoDaemon) -> None:
    written = files.write(NETWORK, quiet.settings.folder, quiet.parallel.url)
    labels = load_labels(NETWORK, str(written.labels))
    assert [wallet.role for wallet in labels.fusion] == ["LOCKED", "SWAP", "MINING", "COLD"]
    assert labels.of(NETWORK.funds.dev_fund_address) is not None


# --- protocols ----------------------------------------------------------------------------------------------


def test_ethereum_json_rpc(quiet: DemoDaemon) -> None:
    token, holder = BY_KEY["bsc"].contract, BY_KEY["bsc"].holder(EXCHANGE)
    number = hex(BY_KEY["bsc"].block(FIRST_BLOCKS))
    assert rpc(quiet, "bsc", "eth_chainId") == "0x38"
    assert rpc(quiet, "bsc", "eth_blockNumber") == number
    assert rpc(quiet, "bsc", "eth_getBlockByNumber", "latest", False)["number"] == number
    assert int(rpc(quiet, "bsc", "eth_call", {"to": token, "data": "0x18160ddd"}, "latest"), 16) == FULL
    assert int(rpc(quiet, "bsc", "eth_call", {"to": token, "data": balance_of(holder)}, "latest"), 16) == 121 * 10**13
    symbol = rpc(quiet, "bsc", "eth_call", {"to": token, "input": "0x95d89b41"}, "latest")
    assert bytes.fromhex(symbol[2:])[64:68] == b"FLUX"
    assert rpc(quiet, "bsc", "eth_call", {"to": holder, "data": "0x18160ddd"}, "latest") == "0x"


def test_ethereum_answers_for_recent_blocks(quiet: DemoDaemon) -> None:
    chain, ledgers = BY_KEY["bsc"], quiet.chain.bridge.ledgers
    swap, data = chain.issuer("SWAP"), balance_of(chain.issuer("SWAP"))
    then = next(n for n in range(1, KEPT_BLOCKS) if ledgers.balance("bsc", swap, n) != ledgers.balance("bsc", swap))
    number = hex(chain.block(FIRST_BLOCKS - then))
    found = rpc(quiet, "bsc", "eth_call", {"to": chain.contract, "data": data}, number)
    assert int(found, 16) == ledgers.balance("bsc", swap, then)


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_call", [{"to": BY_KEY["eth"].contract, "data": "0x12345678"}, "latest"], 3),
        ("eth_call", [{"to": BY_KEY["eth"].contract, "data": "0x18160ddd"}, "0x1"], -32000),
        ("eth_call", [{"to": BY_KEY["eth"].contract, "data": "0x18160ddd"}, "0xfffffff"], -32000),
        ("eth_call", ["what", "latest"], -32602),
        ("eth_sendRawTransaction", ["0x"], -32601),
    ],
)
def test_ethereum_refuses(quiet: DemoDaemon, method: str, params: list[Any], code: int) -> None:
    assert rpc(quiet, "eth", method, *params)["code"] == code


def test_json_rpc_takes_batches_and_tells_what_is_no_request(quiet: DemoDaemon) -> None:
    calls = [{"jsonrpc": "2.0", "id": n, "method": "eth_blockNumber", "params": []} for n in range(3)]
    assert [answer["id"] for answer in ask(quiet, "eth", "", calls).json()] == [0, 1, 2]
    assert ask(quiet, "eth", "", [{"id": 1}]).json()[0]["error"]["code"] == -32600
    broken = httpx.post(url(quiet, "eth"), content=b"{", trust_env=False)
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, -32700)
    assert ask(quiet, "eth", "").status_code == 405


def test_tron_full_node(quiet: DemoDaemon) -> None:
    chain = BY_KEY["trx"]
    asked = {"owner_address": chain.issuer("SWAP"), "contract_address": chain.contract, "visible": True}
    found = ask(quiet, "trx", "/wallet/triggerconstantcontract", {**asked, "function_selector": "decimals()"}).json()
    assert found["result"] == {"result": True}
    assert [int(word, 16) for word in found["constant_result"]] == [8]
    newest = ask(quiet, "trx", "/wallet/getnowblock", {}).json()
    assert newest["block_header"]["raw_data"]["number"] == chain.block(FIRST_BLOCKS)
    assert int(newest["blockID"][:16], 16) == chain.block(FIRST_BLOCKS)
    refused = ask(quiet, "trx", "/wallet/triggerconstantcontract", {**asked, "function_selector": "mint()"}).json()
    assert refused["result"]["code"] == "CONTRACT_EXE_ERROR"
    elsewhere = {**asked, "contract_address": chain.issuer("SWAP"), "function_selector": "decimals()"}
    answer = ask(quiet, "trx", "/wallet/triggerconstantcontract", elsewhere).json()
    assert bytes.fromhex(answer["result"]["message"]) == b"Smart contract is not exist."
    assert "Error" in ask(quiet, "trx", "/wallet/triggerconstantcontract", ["what"]).json()
    assert ask(quiet, "trx", "/wallet/createtransaction", {}).status_code == 404


def test_solana_json_rpc(quiet: DemoDaemon) -> None:
    chain = BY_KEY["sol"]
    supply = rpc(quiet, "sol", "getTokenSupply", chain.contract)
    assert set(supply) == {"context", "value"}
    assert supply["context"]["slot"] == rpc(quiet, "sol", "getSlot") == chain.block(FIRST_BLOCKS)
    assert (supply["value"]["amount"], supply["value"]["uiAmountString"]) == ("5999999037500000", "59999990.375")
    owners = [chain.holder(number) for number in range(24)]
    parsed = {"encoding": "jsonParsed"}
    several = 0
    for owner in owners:
        found = rpc(quiet, "sol", "getTokenAccountsByOwner", owner, {"mint": chain.contract}, parsed)["value"]
        infos = [entry["account"]["data"]["parsed"]["info"] for entry in found]
        total = sum(int(held["tokenAmount"]["amount"]) for held in infos)
        assert total == quiet.chain.bridge.ledgers.balance("sol", owner)
        assert {held["owner"] for held in infos} == {owner}
        several += len(found) > 1
    assert several, "nobody has two token accounts"
    assert rpc(quiet, "sol", "getTokenSupply", owners[0])["code"] == -32602
    raw = rpc(quiet, "sol", "getTokenAccountsByOwner", owners[0], {"mint": chain.contract}, {"encoding": "base64"})
    assert raw["code"] == -32602


def test_kadena_spreads_the_ledger_over_twenty_chains(quiet: DemoDaemon) -> None:
    rows: list[Decimal] = []
    for number in range(20):
        command = local_command('(runonflux.flux.get-balance "fluxswap")', "mainnet01", number, NOW)
        found = ask(quiet, "kda", f"/chain/{number}/pact/api/v1/local", command)
        result = json.loads(found.text, parse_float=Decimal)["result"]
        if result["status"] == "success":
            rows.append(result["data"])
        else:
            assert result["error"]["message"] == "read: row not found: fluxswap"
    assert len(rows) == 2
    assert sum(rows) * 10**8 == quiet.chain.bridge.ledgers.balance("kda", "fluxswap")
    cut = ask(quiet, "kda", "/cut").json()
    assert {entry["height"] for entry in cut["hashes"].values()} == {BY_KEY["kda"].block(FIRST_BLOCKS)}
    assert len(cut["hashes"]) == 20


@pytest.mark.parametrize(
    ("chain", "change", "status"),
    [
        (0, {"hash": "wrong"}, 400),
        (1, {}, 400),
        (0, {"cmd": "{}"}, 400),
        (20, {}, 404),
    ],
)
def test_kadena_refuses_commands_for_others(quiet: DemoDaemon, chain: int, change: dict[str, str], status: int) -> None:
    command = local_command("1", "mainnet01", 0, NOW) | change
    assert ask(quiet, "kda", f"/chain/{chain}/pact/api/v1/local", command).status_code == status


def test_kadena_writes_what_exceeds_53_bits_as_text(quiet: DemoDaemon) -> None:
    command = local_command("[90071992.54740991 90071992.54740992 5]", "mainnet01", 0, NOW)
    found = ask(quiet, "kda", "/chain/0/pact/api/v1/local", command).json()["result"]["data"]
    assert found == [90071992.54740991, {"decimal": "90071992.54740992"}, {"int": 5}]


def test_ergo_explorer(quiet: DemoDaemon) -> None:
    chain = BY_KEY["erg"]
    token = ask(quiet, "erg", f"/api/v1/tokens/{chain.contract}").json()
    assert (token["id"], token["emissionAmount"], token["decimals"]) == (chain.contract, FULL, 8)
    balance = ask(quiet, "erg", f"/api/v1/addresses/{chain.holder(EXCHANGE)}/balance/confirmed").json()
    assert [held["amount"] for held in balance["tokens"]] == [1_210_000_000_000_000]
    assert ask(quiet, "erg", "/api/v1/addresses/9nobody/balance/confirmed").json()["tokens"] == []
    assert ask(quiet, "erg", "/api/v1/networkState").json()["height"] == chain.block(FIRST_BLOCKS)
    assert ask(quiet, "erg", "/api/v1/blocks?limit=1").json()["items"][0]["height"] == chain.block(FIRST_BLOCKS)
    for path in ("/api/v1/tokens/00", "/api/v1/what", "/api/v0/blocks"):
        assert ask(quiet, "erg", path).status_code == 404


def test_algorand_node(quiet: DemoDaemon) -> None:
    chain = BY_KEY["algo"]
    asset = ask(quiet, "algo", f"/v2/assets/{chain.contract}").json()
    assert (asset["index"], asset["params"]["total"], asset["params"]["decimals"]) == (int(chain.contract), FULL, 8)
    held = ask(quiet, "algo", f"/v2/accounts/{chain.holder(EXCHANGE)}/assets/{chain.contract}").json()
    assert held["asset-holding"]["amount"] == 1_210_000_000_000_000
    assert held["round"] == ask(quiet, "algo", "/v2/status").json()["last-round"] == chain.block(FIRST_BLOCKS)
    for path in ("/v2/assets/1", f"/v2/accounts/NOBODY/assets/{chain.contract}", "/v1/status"):
        answer = ask(quiet, "algo", path)
        assert (answer.status_code, set(answer.json())) == (404, {"message"})
    assert ask(quiet, "algo", "/v2/status", {}).status_code == 405


def test_a_path_of_no_chain(quiet: DemoDaemon) -> None:
    assert httpx.get(f"{quiet.parallel.url}doge", trust_env=False).status_code == 404


# --- what may befall a chain --------------------------------------------------------------------------------


def test_a_chain_that_is_down_breaks_the_connection(
    quiet: DemoDaemon, described: dict[str, ParallelChain]
) -> None:
    quiet.parallel.conditions.tell("kda", "down")
    try:
        with pytest.raises(SourceError, match="broke off"):
            read(described["kda"])
        assert read(described["eth"]).minted == FULL
    finally:
        quiet.parallel.conditions.tell("kda", None)
    assert read(described["kda"]).minted == described["kda"].minted


def test_a_chain_that_is_late_answers(quiet: DemoDaemon) -> None:
    quiet.parallel.conditions.tell("erg", "late")
    began = time.monotonic()
    assert ask(quiet, "erg", "/api/v1/networkState").status_code == 200
    assert time.monotonic() - began >= LATE_SECONDS
    quiet.parallel.conditions.tell("erg", None)


def test_what_befalls_a_chain_by_itself() -> None:
    now = 1000.0
    conditions = Conditions(lambda: now)
    seen = []
    for _ in range(900):
        seen.append((conditions.of("kda"), conditions.of("erg"), conditions.of("eth")))
        now += 1
    kda, erg, eth = zip(*seen, strict=True)
    assert (kda.count("down"), erg.count("late")) == (180, 150)
    assert set(kda[:240]) == set(erg[:60]) == set(eth) == {"up"}
