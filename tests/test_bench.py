"""The chain that the indexer is measured with obeys the rules and has the shape of the mix; the figures add up."""

from __future__ import annotations

from typing import Any

import pytest

from bench.__main__ import PART, tables
from bench.chain import EVEN, FIRST_START, Chain
from bench.index import figures, tell
from bench.mix import PON, POW, Era
from bench.parse import Figures as Parsed
from indexer.parse import parse_block
from indexer.parse.columns import TRANSFER
from indexer.state.apply import ChainState
from indexer.store.commit import commit
from indexer.store.read import StoreReader
from indexer.store.rewind import recover
from indexer.store.schema import CHAIN_DERIVED
from indexer.verify import Extent, verify
from tests.indexed import MEMORY, OWNER
from tests.memory_store import MemoryStore

STEADY = 100


@pytest.mark.parametrize("era", [POW, PON], ids=["PoW", "PoN"])
def test_the_chain_obeys_the_rules_and_has_the_shape_of_the_mix(era: Era) -> None:
    chain = Chain(era)
    blocks = [parse_block(raw, full_ids=True) for raw in chain.blocks(STEADY)]
    assert len(blocks) == FIRST_START + EVEN[era.pon] + STEADY
    steady = blocks[-STEADY:]
    assert sum(len(block.starts) for block in steady) == era.starts
    assert sum(len(block.confirm_updates) for block in steady) == era.confirms
    assert sum(block.kinds.count(TRANSFER) for block in steady) == era.transfers
    assert {block.pon for block in steady} == {era.pon}
    assert {int.from_bytes(block.output_start[4:8], "little") for block in steady} == {4}

    store = MemoryStore()
    tip = recover(store, OWNER)
    state = ChainState(chain.network, StoreReader(store), MEMORY)
    commit(store, state.apply(blocks), tip, 0)
    assert (state.totals.payouts_checked, state.totals.payouts_mismatched) == (_due(store), 0)
    outcomes = verify(store, chain.network, Extent(20, 20), lambda report: None)
    assert [str(finding) for outcome in outcomes for finding in outcome.findings] == []


def _due(store: MemoryStore) -> int:
    return sum(len(row["tiers"]) for row in store.rows["payouts"].values())


def test_the_same_seed_makes_the_same_chain() -> None:
    first, again, other = (list(Chain(POW, seed).blocks(0)) for seed in (1, 1, 2))
    assert first == again
    assert first[1:] != other[1:]


def measured(transactions: int, seconds: float, rows: int) -> dict[str, Any]:
    """What a run might report."""
    sizes = {"rows": rows, "data": 10 * rows, "indexes": 2 * rows}
    return {
        "transactions": transactions, "blocks": transactions // 10, "seconds": seconds, "own_cpu": seconds,
        "mongod_cpu": seconds / 2, "late": 1.0, "rss_mib": rows, "after": {c.name: sizes for c in CHAIN_DERIVED},
    }  # fmt: skip


def test_figures_are_medians_without_the_ramp() -> None:
    ramp = measured(100, 1.0, 50)
    runs = [[(measured(1100, 1.0 + seconds, 150), ramp)] * 2 for seconds in (2.0, 9.0, 4.0)]
    found = figures(runs)
    assert (found.transactions, found.blocks, found.rss_mib) == (2000, 200, 150)
    assert found.rate == pytest.approx(2000 / 8)
    assert found.mongod_share == pytest.approx(1 / 3)
    assert found.bytes_per_transaction == pytest.approx(len(CHAIN_DERIVED) * 200 * 12 / 2000)
    assert found.rows["ledger"] == (200, 10.0, 2.0)
    assert "2,000 transactions" in tell(found)
    page = tables(Parsed("sha", 1, 1, 1, 2.0, 64.0, 3e6, 7e8), found, 0.5)
    assert "| end to end | 250 transactions/s | 40,000 |" in page
    assert "| `ledger` | 200 | 10.0 | 2.0 | 1.2 |" in page
    assert PART.sub("new", "a <!-- bench -->\nold\n<!-- bench end --> z") == "a new z"
