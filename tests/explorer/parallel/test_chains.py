"""The file of the parallel chains: what the packaged one says, and what an error names."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.parallel.addresses import CHECK_ADDRESS
from explorer.parallel.chains import PACKAGED, configured_chains, is_loopback, read_chains
from indexer.config import load_config
from indexer.errors import AddressError, ConfigError

COIN = 10**8

# Key, decimals, announced minting in zatoshi, native heights of launch and snapshot, addresses of the issuer.
TABLE = [
    ("eth", 8, 440_000_000 * COIN, 883_000, 883_000, 7),
    ("bsc", 8, 440_000_000 * COIN, 883_000, 883_000, 7),
    ("avax", 8, 440_000_000 * COIN, 1_170_000, 1_114_211, 6),
    ("matic", 8, 440_000_000 * COIN, 1_414_000, None, 6),
    ("base", 8, 440_000_000 * COIN, 1_738_000, None, 6),
    ("trx", 8, 440_000_000 * COIN, 969_500, 969_500, 6),
    ("sol", 8, 59_999_990_37500000, 969_500, 969_500, 6),
    ("kda", 8, 39_998_820_80974744, 825_000, 825_000, 6),
    ("erg", 8, 440_000_000 * COIN, 1_210_000, 1_114_211, 6),
    ("algo", 8, 440_000_000 * COIN, 1_330_000, None, 6),
]
ROLES = ["SNAPSHOT", "MINING", "SWAP", "LOCKED", "LOCKED SNAPSHOT", "LOCKED MINING"]


def test_the_packaged_file_has_the_ten_chains() -> None:
    packaged = read_chains(PACKAGED)
    assert packaged.mining_from == 825_001
    assert [
        (c.key, c.decimals, c.minted, c.launch_height, c.snapshot_height, len(c.issuers)) for c in packaged.chains
    ] == TABLE
    for chain in packaged.chains:
        assert list(dict.fromkeys(issuer.role for issuer in chain.issuers)) == ROLES
        assert all(url.startswith("https://") for url in chain.endpoints)
    assert {c.key: c.lifecycle for c in packaged.chains if c.key in ("eth", "bsc")} == {
        "eth": "survives",
        "bsc": "survives",
    }
    assert packaged.chain("sol") is packaged.chains[6] and packaged.chain("btc") is None


def test_main_net_has_the_packaged_chains_and_other_networks_have_none() -> None:
    assert configured_chains(load_config(environ={})) == read_chains(PACKAGED)
    for name in ("test", "regtest", "demo"):
        assert configured_chains(load_config(environ={"FLUX_NETWORK_NAME": name})) is None


GOOD = """
mining_from = 5
[chains.algo]
name = "Algorand"
asset = "FLUX-ALGO"
kind = "algorand"
contract = "1029804829"
decimals = 8
minted = 440000000
launch_height = 10
lifecycle = "retires"
explorer = "https://allo.info/asset/"
endpoints = ["http://127.0.0.1:4001/"]
[chains.algo.issuers]
SWAP = "5MG5DOGNHGGG44HO7B4JXEORSFFLBNHFNTLYYR6OW53RNNCJK2LVSJVNXA"
"""


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    config = load_config(environ={"FLUX_NETWORK_NAME": "demo", "FLUX_PARALLEL_CHAINS_FILE": str(path)})
    found = configured_chains(config)
    assert found is not None
    (chain,) = found.chains
    assert (chain.key, chain.endpoints, chain.snapshot_height) == ("algo", ("http://127.0.0.1:4001",), None)
    assert "127.0.0.1" not in repr(chain)


@pytest.mark.parametrize("url", ["https://api.example.com", "http://192.0.2.1:80", "http://127.0.0.1.example.com"])
def test_the_demo_network_asks_nobody_outside(tmp_path: Path, url: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace("http://127.0.0.1:4001/", url))
    config = load_config(environ={"FLUX_NETWORK_NAME": "demo", "FLUX_PARALLEL_CHAINS_FILE": str(path)})
    with pytest.raises(ConfigError, match=r"chains\.algo\.endpoints leave this machine"):
        configured_chains(config)
    assert not is_loopback(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "http://[::1]:1", "http://localhost", "https://127.9.9.9"])
def test_what_is_this_machine(url: str) -> None:
    assert is_loopback(url)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("= 5", r"is no TOML"),
        ("", r"chains is missing: expected a table"),
        (GOOD + "[other]\na = 1", r"unknown key other; the nearest known name is chains"),
        (GOOD.replace("mining_from = 5", ""), r"mining_from is missing: expected a whole number"),
        (GOOD.replace("chains.algo", "chains.Algo-1"), r"chains\.Algo-1: expected a key"),
        (GOOD.replace('name = "Algorand"', "name = 5"), r"chains\.algo\.name is 5: expected text in quotes"),
        (GOOD.replace('asset = "FLUX-ALGO"', 'aset = "x"'), r"unknown key chains\.algo\.aset; .* asset"),
        (GOOD.replace('"algorand"', '"bitcoin"'), r"chains\.algo\.kind is 'bitcoin': expected one of evm, tron"),
        (GOOD.replace('"1029804829"', '"flux"'), r"chains\.algo\.contract is 'flux': the number of an asset"),
        (GOOD.replace("decimals = 8", "decimals = 8.0"), r"chains\.algo\.decimals is .*8\.0.*: expected a whole"),
        (GOOD.replace("decimals = 8", "decimals = true"), r"decimals is True: expected a whole number from 0 to 18"),
        (GOOD.replace("440000000", "0"), r"minted is 0: expected a number of coins above 0"),
        (GOOD.replace("440000000", "0.123456789"), r"minted is .*: expected a number of coins above 0 with at most 8"),
        (GOOD.replace("440000000", "1e12"), r"minted is .*: expected a number of coins"),
        (GOOD.replace("440000000", '"many"'), r"minted is 'many': expected a number of coins"),
        (GOOD.replace("launch_height = 10", "launch_height = -1"), r"launch_height is -1: expected a whole number"),
        (GOOD.replace('["http://127.0.0.1:4001/"]', "[]"), r"endpoints: expected a list of texts"),
        (GOOD.replace("http:", "ftp:"), r"endpoints: expected URLs that begin with http"),
        (GOOD.replace("127.0.0.1:4001", "127.0.0.1:99999"), r"endpoints: expected URLs"),
        (GOOD.partition("[chains.algo.issuers]")[0], r"chains\.algo\.issuers is missing: expected a table"),
        (GOOD.replace("VNXA", "VNXB"), r"chains\.algo\.issuers\.SWAP is '5MG.*': an Algorand address is expected"),
        (GOOD + 'LOCKED = ["5MG5DOGNHGGG44HO7B4JXEORSFFLBNHFNTLYYR6OW53RNNCJK2LVSJVNXA"]', r"no other role has"),
        (GOOD + "LOCKED = 5", r"issuers\.LOCKED is 5: expected a list of texts"),
    ],
)
def test_an_error_names_the_file_the_key_and_what_was_expected(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=complaint) as failed:
        read_chains(path)
    assert str(path) in str(failed.value)


def test_endpoints_are_not_shown_for_they_may_carry_keys(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace("http://127.0.0.1:4001/", "rpc.example.com/v3/secret"))
    with pytest.raises(ConfigError) as failed:
        read_chains(path)
    assert "secret" not in str(failed.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: No such file"):
        read_chains(tmp_path / "none.toml")


PACKAGED_ADDRESSES = [
    (chain.kind, issuer.address) for chain in read_chains(PACKAGED).chains for issuer in chain.issuers
]


@pytest.mark.parametrize(("kind", "address"), PACKAGED_ADDRESSES)
def test_one_wrong_character_is_noticed(kind: str, address: str) -> None:
    """Where the text has a checksum; on Solana, EVM chains and Kadena what is not the right length."""
    CHECK_ADDRESS[kind](address)
    middle = len(address) // 2
    wrong = address[:middle] + ("3" if address[middle] != "3" else "4") + address[middle + 1 :]
    if kind not in ("tron", "ergo", "algorand"):
        wrong = address[:2] if kind == "kadena" else address[:-2]
    with pytest.raises(AddressError):
        CHECK_ADDRESS[kind](wrong)


@pytest.mark.parametrize("kind", CHECK_ADDRESS)
@pytest.mark.parametrize("text", ["", "0O", "x" * 1000, 'a" (drop)', "é" * 44, "0x" + "g" * 40])
def test_nonsense_is_no_address(kind: str, text: str) -> None:
    if kind == "kadena" and text[-1:] in "ég" and text:
        return CHECK_ADDRESS[kind](text)  # an account there may have nearly any name
    with pytest.raises(AddressError):
        CHECK_ADDRESS[kind](text)
