"""On the demo chain too a node that stays confirmed is paid no later than ``pays_by_height`` said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexer.demo.builder import DEEPEST_REORG, Builder
from indexer.demo.chain import DemoChain, Place, load
from indexer.demo.files import FILE_NAME, BlockFile
from indexer.demo.network import demo_network
from indexer.parse.columns import ParsedBlock
from tests.chain.bounds import Bounds
from tests.demo.chains import begin, copy_of

NETWORK = demo_network()


@pytest.fixture
def bounds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bounds]:
    """The bounds told on every demo chain of the test; asserted as its blocks are connected."""
    bounds, connect = Bounds(NETWORK.nodes.payments_from), DemoChain.connect

    def watched(self: DemoChain, place: Place, block: ParsedBlock) -> None:
        paid = [node.outpoint for _, node in self.queue.payees(place.height)]
        connect(self, place, block)
        bounds.connect(self.queue, paid)

    monkeypatch.setattr(DemoChain, "connect", watched)
    yield bounds


def grow(builder: Builder, end: int) -> int:
    """Extend the chain to a height, every seventh block through a reorganisation; how many there were."""
    random, reorgs, time = builder.random("grow"), 0, max(builder.chain.tip.time, NETWORK.genesis_time)
    while builder.chain.height < end:
        time += random.randint(3, 7)
        builder.fill(time, random, random.randint(0, 2))
        builder.extend(time)
        if builder.chain.height > 10 and random.random() < 1 / 7:
            builder.reorganise(random.randint(1, DEEPEST_REORG), time + 2)
            reorgs += 1
    return reorgs


def test_the_bound_holds_on_the_first_chain_and_through_reorganisations(
    bounds: Bounds, first_chain: Path, tmp_path: Path
) -> None:
    with closing(BlockFile(copy_of(first_chain, tmp_path) / FILE_NAME, NETWORK.magic)) as file:
        chain = load(NETWORK, file)
        assert (bounds.kept > 8000, bounds.told > 500_000) == (True, True)
        assert grow(Builder(chain, 1), chain.height + 150) > 15


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_the_bound_holds_from_genesis_on(bounds: Bounds, tmp_path: Path, seed: int) -> None:
    builder = begin(tmp_path, seed)
    with closing(builder.chain.file):
        assert grow(builder, 6000) > 600
    assert (bounds.kept > 16_000, bounds.told > 1_500_000) == (True, True)
