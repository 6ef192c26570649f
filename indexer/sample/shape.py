"""The shape of the sample chain: how many transactions of which kind its blocks have, and when which era is.

Per 100 blocks the main net had, in its proof-of-work era with nodes, 6,000 confirmations, 15 starts, 100 coinbases of 4
outputs and 150 transfers of 2 inputs and 2 outputs; in its proof-of-node era 1,340, 5, 100 and 100. So many
confirmations are those of some 7,500 nodes. Where more nodes live, a block has as many more of all: of 15,000 nodes
one block is two of the mix, and the coinbase that it cannot have twice is a transfer more.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from indexer.chain.params import Network
from indexer.chain.params_file import network_from_mapping

MIX_NODES = 7_500
TEMPLATE = Path(__file__).with_name("network.toml")
FIRST_START = 101  # collaterals of block 1 are deep enough
RAMP = 125  # blocks in which the nodes start evenly: so many lie between two confirmations of a node
POW_SHARE = 0.75  # of the blocks


@dataclass(frozen=True, slots=True)
class Era:
    """How many transactions 100 blocks have, besides their coinbases."""

    pon: bool
    confirms: int
    starts: int
    transfers: int


POW = Era(pon=False, confirms=6000, starts=15, transfers=150)
PON = Era(pon=True, confirms=1340, starts=5, transfers=100)


def era_of(mix: Era, nodes: int) -> Era:
    """What 100 blocks have where so many nodes live."""
    more = max(0, nodes - MIX_NODES) * 100 // MIX_NODES
    starts, transfers = (count * nodes // MIX_NODES for count in (mix.starts, mix.transfers))
    return Era(mix.pon, mix.confirms * nodes // MIX_NODES, starts, transfers + more)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many nodes live at a time, and how many blocks each era has after the ramp, in which they start."""

    nodes: int
    pow_blocks: int
    pon_blocks: int

    @property
    def steady(self) -> int:
        """The first block after the ramp."""
        return FIRST_START + RAMP

    @property
    def pon_height(self) -> int:
        """The first PoN block."""
        return self.steady + self.pow_blocks

    @property
    def height(self) -> int:
        """The last block."""
        return self.pon_height + self.pon_blocks - 1


def plan(nodes: int, blocks: int) -> Plan:
    """A chain of so many blocks after the ramp, three quarters of them PoW."""
    pow_blocks = round(blocks * POW_SHARE)
    return Plan(nodes, pow_blocks, blocks - pow_blocks)


def parameters(plan: Plan, genesis_hash: str) -> str:
    """The parameter file of the network of a chain; ``genesis_hash`` in display order."""
    return TEMPLATE.read_text().format(genesis_hash=genesis_hash, pon=plan.pon_height)


def network_of(text: str) -> Network:
    """The network that a parameter file describes."""
    return network_from_mapping(tomllib.loads(text, parse_float=Decimal), TEMPLATE.name)
