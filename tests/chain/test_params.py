"""Networks, their rules by height, and parameter files."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest

from indexer.chain.hashes import sha256d
from indexer.chain.keys import hash_text
from indexer.chain.networks import MAIN, NETWORKS, REGTEST, TEST, named_network
from indexer.chain.params import (
    COIN,
    Network,
    Upgrades,
    checkpoint,
    flatten,
    max_reorg_depth,
    pon_active,
    target_spacing,
    undo_depth,
    upgrade_at,
)
from indexer.chain.params_file import network_from_mapping
from indexer.errors import ConfigError
from tests import recorded

RECORDED = recorded.network()


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_genesis_blocks(network: Network) -> None:
    raw = bytes.fromhex((recorded.DATA / "vectors" / f"genesis-{network.name}.hex").read_text().strip())
    solution = {0xFD: 3 + 1344}.get(raw[140], 1 + 36)
    assert hash_text(sha256d(raw[: 140 + solution])) == network.genesis_hash == checkpoint(network, 0)
    assert int.from_bytes(raw[100:104], "little") == network.genesis_time


@pytest.mark.parametrize(
    "network, height, era",
    [
        (MAIN, 0, "base"),
        (MAIN, 124_999, "base"),
        (MAIN, 125_000, "lwma"),
        (MAIN, 125_100, "equihash_144_5"),
        (MAIN, 250_000, "acadia"),
        (MAIN, 372_500, "kamiooka"),
        (MAIN, 558_000, "kamata"),
        (MAIN, 835_553, "kamata"),
        (MAIN, 835_554, "flux"),
        (MAIN, 1_076_532, "halving"),
        (MAIN, 1_549_500, "p2shnodes"),
        (MAIN, 2_019_999, "p2shnodes"),
        (MAIN, 2_020_000, "pon"),
        (TEST, 800, "pon"),
        (REGTEST, 10**6, "base"),
        (RECORDED, 1299, "halving"),
        (RECORDED, 1300, "p2shnodes"),
    ],
)
def test_upgrades_by_height(network: Network, height: int, era: str) -> None:
    assert upgrade_at(network, height) == era


def test_pon_by_height() -> None:
    assert [pon_active(MAIN, h) for h in (0, 2_019_999, 2_020_000)] == [False, False, True]
    assert [pon_active(REGTEST, h) for h in (0, 1, 100)] == [False, True, True]
    assert [target_spacing(TEST, h) for h in (799, 800)] == [60, 30]
    assert [target_spacing(MAIN, h) for h in (2_019_999, 2_020_000)] == [120, 30]


@pytest.mark.parametrize(
    "tip, depth, undo",
    [(2_019_999, 40, 100), (2_020_000, 5000, 5000), (2_025_000, 5000, 5000), (2_025_001, 40, 100)],
)
def test_reorg_depth(tip: int, depth: int, undo: int) -> None:
    assert max_reorg_depth(MAIN, tip) == depth
    assert undo_depth(MAIN, tip) == undo


def test_checkpoints_are_those_of_the_daemon() -> None:
    rows = list(recorded.read_jsonl(recorded.DATA / "main" / "blocks.jsonl"))
    listed = [row for row in rows if "chainparams.cpp checkpoints" in row["source"]]
    for network in (MAIN, TEST):
        blocks = {row["height"]: row["hash"] for row in listed if row["network"] == network.name}
        blocks.pop(1249, None)  # a checkpoint that only an old release had
        assert dict(network.checkpoints) == blocks
        assert all(checkpoint(network, height) == block for height, block in blocks.items())
    assert checkpoint(MAIN, 5501) is None


@pytest.mark.parametrize("name", list(NETWORKS))
def test_named_networks(name: str) -> None:
    assert named_network(name).name == name


def test_an_unknown_network_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean regtest"):
        named_network("regtst")
    with pytest.raises(ConfigError, match="main, test, regtest"):
        named_network("moon")


def test_the_recorded_file_loads_as_it_stands() -> None:
    assert RECORDED.name == "regtest"
    assert RECORDED.genesis_hash == recorded.blocks()[0]["hash"] == REGTEST.genesis_hash
    assert RECORDED.upgrades == Upgrades(70, 140, 210, 280, 350, 600, 900, 1300, 1800)
    assert RECORDED.subsidy.premine == 13_020_000 * COIN
    assert RECORDED.funds.exchange.address == REGTEST.funds.exchange.address
    assert RECORDED.funds.swap_pool.address == REGTEST.funds.swap_pool.address
    assert RECORDED.nodes.stratus_transition == (1000, 1100)
    assert [since for _, since in RECORDED.nodes.benchmark_keys] == [0, 1795121640]
    assert len(RECORDED.nodes.emergency_keys) == 4
    assert RECORDED.checkpoints == ()  # another genesis block: those of main net mean nothing
    assert RECORDED.reorgs == MAIN.reorgs  # not listed: as on main net


def test_an_empty_file_is_main_net() -> None:
    assert network_from_mapping({}, "mine.toml") == MAIN


@pytest.mark.parametrize(
    "given, path, value",
    [
        ({"subsidy": {"initial": "0.00000001"}}, "subsidy.initial", 1),
        ({"subsidy": {"initial": 37.5}}, "subsidy.initial", 3_750_000_000),
        ({"subsidy": {"initial": Decimal("37.5")}}, "subsidy.initial", 3_750_000_000),
        ({"upgrades": {"pon": -1}}, "upgrades.pon", -1),
        ({"magic": "00112233"}, "magic", "00112233"),
        ({"pon": {"window": 5}}, "pon.window", 5),
    ],
)
def test_single_parameters(given: dict[str, Any], path: str, value: object) -> None:
    assert flatten(network_from_mapping(given, "mine.toml"))[path] == value


def test_checkpoints_can_be_given() -> None:
    network = network_from_mapping({"genesis_hash": "AB" * 32, "checkpoints": [[5, "00" * 32]]}, "mine.toml")
    assert checkpoint(network, 0) == "ab" * 32
    assert checkpoint(network, 5) == "00" * 32


MAIN_ADDRESS = "t3PMbbA5YBMrjSD3dD16SSdXKuKovwmj6tS"


@pytest.mark.parametrize(
    "given, words",
    [
        ({"upgrade": {}}, "no parameter 'upgrade': did you mean upgrades"),
        ({"upgrades": {"flx": 1}}, "no parameter 'upgrades.flx': did you mean upgrades.flux"),
        ({"upgrades": {"zzzzzz": 1}}, "known here: lwma, equihash_144_5"),
        ({"upgrades": 5}, "upgrades is a table"),
        ({"name": {}}, "name = {} cannot be used: a text is expected"),
        ({"magic": "0011"}, "magic = '0011' cannot be used: 4 bytes"),
        ({"magic": "zz112233"}, "hex digits"),
        ({"genesis_hash": "00"}, "64 hex digits"),
        ({"genesis_time": "yesterday"}, "whole number"),
        ({"genesis_time": True}, "whole number"),
        ({"genesis_time": -1}, "at least 0"),
        ({"upgrades": {"pon": -2}}, "upgrades.pon = -2 cannot be used"),
        ({"subsidy": {"halving_interval": 0}}, "at least 1"),
        ({"subsidy": {"premine": "much"}}, "an amount in FLUX"),
        ({"subsidy": {"premine": True}}, "an amount in FLUX"),
        ({"subsidy": {"premine": "0.000000001"}}, "at most 8 decimals"),
        ({"subsidy": {"premine": 440_000_001}}, "at most 440000000"),
        ({"subsidy": {"premine": -1}}, "at most 8 decimals"),
        ({"subsidy": {"premine": "NaN"}}, "at most 8 decimals"),
        ({"funds": {"exchange": {"address": "x"}}}, "funds.exchange.address = 'x' cannot be used: 1 characters"),
        ({"funds": {"dev_fund_address": 5}}, "a text is expected"),
        ({"script_address_prefix": "1cba", "funds": {"dev_fund_address": MAIN_ADDRESS}}, "not of"),
        ({"nodes": {"cumulus_transition": [2, 1]}}, "must not be above"),
        ({"nodes": {"cumulus_transition": [2]}}, "two values"),
        ({"nodes": {"cumulus_transition": 2}}, "a list"),
        ({"nodes": {"emergency_keys": ["zz"]}}, "hex digits"),
        ({"checkpoints": [[1, "00"]]}, "64 hex digits"),
    ],
)
def test_refused_parameters(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match="^mine.toml: ") as error:
        network_from_mapping(given, "mine.toml")
    assert words in str(error.value)


def test_flat_parameters_tell_networks_apart() -> None:
    flat = [flatten(network) for network in (MAIN, TEST, REGTEST, RECORDED)]
    assert len({json.dumps(each, sort_keys=True) for each in flat}) == 4
    assert all(isinstance(value, str | int) for each in flat for value in each.values())
    assert flat[0]["funds.swap_pool.amount"] == 2_200_000_000_000_000
    assert flat[0]["nodes.cumulus_transition.1"] == 1_086_612


def test_flat_parameters_leave_out_what_no_row_depends_on() -> None:
    later = replace(MAIN, checkpoints=(*MAIN.checkpoints, (3_000_000, "00" * 32)))
    assert flatten(later) == flatten(MAIN)
    assert hash(later) == hash(MAIN)
    assert {field.name for field in fields(Network)} - {key.split(".")[0] for key in flatten(MAIN)} == {
        "checkpoints",
        "reorgs",
    }
