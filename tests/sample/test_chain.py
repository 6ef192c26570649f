"""The sample chain obeys the rules, keeps its nodes alive through the fork, and has the shape of the mix."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from indexer.chain.params import pon_active
from indexer.parse import parse_block
from indexer.parse.columns import TRANSFER, ParsedBlock
from indexer.sample.chain import Chain
from indexer.sample.shape import PON, POW, Era, Plan, era_of, network_of, plan
from indexer.state.apply import ChainState
from indexer.store.commit import commit
from indexer.store.read import StoreReader
from indexer.store.rewind import recover
from indexer.verify import Extent, verify
from tests.indexed import MEMORY, OWNER
from tests.memory_store import MemoryStore

STEADY = 100
SPREAD = 1_700  # blocks after the fork until the confirmations are spread evenly again
PLAN = Plan(nodes=600, pow_blocks=STEADY, pon_blocks=SPREAD + STEADY)


def shape(blocks: Sequence[ParsedBlock], pon: bool) -> Era:
    """What these blocks have."""
    return Era(
        pon=pon,
        confirms=sum(len(block.confirm_updates) for block in blocks),
        starts=sum(len(block.starts) for block in blocks),
        transfers=sum(block.kinds.count(TRANSFER) for block in blocks),
    )


def test_the_chain_obeys_the_rules_and_has_the_shape_of_the_mix() -> None:
    chain = Chain(PLAN)
    blocks = [parse_block(raw, full_ids=True) for raw in chain.blocks()]
    assert (len(blocks) - 1, chain.height, chain.tip) == (PLAN.height, PLAN.height, blocks[-1].hash)
    assert [block.pon for block in blocks] == [pon_active(chain.network, height) for height in range(len(blocks))]
    assert shape(blocks[PLAN.steady : PLAN.pon_height], False) == era_of(POW, PLAN.nodes)
    assert shape(blocks[-STEADY:], True) == era_of(PON, PLAN.nodes)
    assert {int.from_bytes(block.output_start[4:8], "little") for block in blocks[-STEADY:]} == {4}

    store = MemoryStore()
    tip = recover(store, OWNER)
    state = ChainState(chain.network, StoreReader(store), MEMORY)
    commit(store, state.apply(blocks), tip, 0)
    assert (state.totals.payouts_checked, state.totals.payouts_mismatched) == (_due(store), 0)
    gave_up = shape(blocks[PLAN.steady :], True).starts
    assert PLAN.nodes <= len(state.nodes.queue) <= PLAN.nodes + gave_up
    assert sum(node.lives > 1 for node in state.nodes.queue) == 0
    outcomes = verify(store, chain.network, Extent(20, 20), lambda report: None)
    assert [str(finding) for outcome in outcomes for finding in outcome.findings] == []


def _due(store: MemoryStore) -> int:
    return sum(len(row["tiers"]) for row in store.rows["payouts"].values())


@pytest.mark.parametrize("mix", [POW, PON], ids=["PoW", "PoN"])
def test_a_block_of_15_000_nodes_is_two_of_the_mix(mix: Era) -> None:
    both = era_of(mix, 15_000)
    assert era_of(mix, 7_500) == mix
    assert (both.confirms, both.starts) == (2 * mix.confirms, 2 * mix.starts)
    assert 100 + both.transfers == 2 * (100 + mix.transfers)  # with the coinbases


def test_the_same_seed_makes_the_same_chain() -> None:
    small = plan(40, 20)
    first, again, other = (list(Chain(small, seed).blocks()) for seed in (1, 1, 2))
    assert first == again
    assert first[1:] != other[1:]


def test_the_parameters_are_those_of_the_network() -> None:
    chain = Chain(plan(40, 20))
    assert network_of(chain.parameters) == chain.network
    assert chain.network.upgrades.pon == chain.plan.pon_height == 226 + 15
