"""The parameters of the demo network, from ``network.toml``: all eras of the Flux chain in a few thousand blocks."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path

from indexer.chain.params import Network
from indexer.chain.params_file import network_from_mapping

NAME = "demo"
FILE = Path(__file__).with_name("network.toml")


@cache
def demo_network() -> Network:
    """The demo network."""
    return network_from_mapping(tomllib.loads(FILE.read_text("utf-8"), parse_float=Decimal), str(FILE))
