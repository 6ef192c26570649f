"""Every coin made is somewhere, after every block: transparent, shielded, or in an output that nobody can spend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.errors import ChainError
from indexer.state.apply import ChainState, require_identity
from indexer.state.delta import Totals
from indexer.store.read import StoreReader
from indexer.verify import Extent, verify
from tests.indexed import MEMORY, Index, chain, network, parsed
from tests.memory_store import MemoryStore

HEIGHT = 400
WHOLE = Totals(issued=100, transparent=60, sprout=20, sapling=15, unspendable=5)


@pytest.mark.parametrize("name", ["issued", "transparent", "sprout", "sapling", "unspendable"])
@pytest.mark.parametrize("wrong", [1, -1])
def test_a_zatoshi_too_many_or_too_few_is_an_error(name: str, wrong: int) -> None:
    require_identity(WHOLE, 7)
    broken = replace(WHOLE, **{name: getattr(WHOLE, name) + wrong})
    with pytest.raises(ChainError, match=rf"after block 7 the coinbases have made {broken.issued} zatoshi"):
        require_identity(broken, 7)


@pytest.mark.parametrize("name", ["issued", "transparent", "sprout", "sapling", "unspendable"])
def test_a_wrong_running_total_stops_the_indexer_at_the_next_block_and_is_found_by_verify(name: str) -> None:
    store = MemoryStore()
    Index(store).catch_up(chain()[: HEIGHT + 1], 100)
    assert all(outcome.good for outcome in verify(store, network(), Extent(0, 0), lambda report: None))
    store.rows["blocks"][HEIGHT][name] += 1
    state = ChainState(network(), StoreReader(store), MEMORY)
    with pytest.raises(ChainError, match=f"after block {HEIGHT + 1} .*the running totals of this index are wrong"):
        state.apply([parsed(chain()[HEIGHT + 1])])
    totals = next(o for o in verify(store, network(), Extent(0, 0), lambda report: None) if o.name == "running totals")
    assert {finding.height for finding in totals.findings} == {HEIGHT}
    assert any("transparent + sprout + sapling + unspendable" in finding.what for finding in totals.findings)
