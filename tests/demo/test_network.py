"""The demo network's parameters: what they claim, and that nobody takes them for another network's."""

from __future__ import annotations

from dataclasses import fields

import pytest

from indexer.chain.address import decode_address, encode_address
from indexer.chain.keys import P2PKH, P2SH
from indexer.chain.networks import NETWORKS
from indexer.chain.params import Upgrades
from indexer.config import load_config
from indexer.demo import blocks, wallet
from indexer.demo.builder import FIRST_BLOCKS
from indexer.demo.network import demo_network
from indexer.errors import AddressError
from indexer.parse import parse_block


def test_the_genesis_block_has_the_hash_of_the_parameters() -> None:
    assert parse_block(blocks.genesis(demo_network())).hash[::-1].hex() == demo_network().genesis_hash


def test_the_settings_know_it_by_name() -> None:
    config = load_config(environ={"FLUX_NETWORK_NAME": "demo"})
    assert config.network == demo_network()
    assert config.database_name == "flux_demo"


@pytest.mark.parametrize(("kind", "start"), [(P2PKH, "d1"), (P2SH, "d3")])
def test_addresses_are_no_others(kind: int, start: str) -> None:
    text = encode_address(bytes([kind]) + bytes(20), demo_network())
    assert text.startswith(start)
    for other in NETWORKS.values():
        with pytest.raises(AddressError):
            decode_address(text, other)


def test_all_eras_begin_within_the_first_chain_in_the_order_of_the_main_network() -> None:
    heights = [getattr(demo_network().upgrades, field.name) for field in fields(Upgrades)]
    assert heights == sorted(heights)
    assert 0 < heights[0] and heights[-1] < FIRST_BLOCKS // 2


def test_funds_and_keys_are_those_of_the_wallets() -> None:
    funds, nodes = demo_network().funds, demo_network().nodes
    addresses = [funds.exchange.address, funds.foundation.address, funds.swap_pool.address, funds.dev_fund_address]
    assert addresses == [wallet.fund(name).address for name in wallet.FUNDS]
    assert nodes.foundation_key == wallet.uncompressed_key("demo", "foundation key")
    assert nodes.benchmark_keys == ((wallet.uncompressed_key("demo", "benchmark key", 0), 0),)
    assert nodes.emergency_keys == tuple(wallet.compressed_key("demo", "emergency key", n) for n in range(4))
