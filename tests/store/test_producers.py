"""What the indexer stores of a producer: the node, and the list that it was on before the block."""

from __future__ import annotations

import pytest

from indexer.chain.nodes import Status
from indexer.chain.pon import EMERGENCY_PRODUCER
from indexer.parse import parse_block
from indexer.state.apply import ChainState
from indexer.store.encode import block_document
from indexer.store.read import StoreReader
from tests.indexed import MEMORY, Index, chain, network, parsed
from tests.memory_store import MemoryStore

HEIGHT = 1850  # all three lists have nodes
PREVIOUS, PRODUCER = slice(4, 36), slice(108, 144)  # in the bytes of a PoN block


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """An index of the recorded chain up to ``HEIGHT``."""
    store = MemoryStore()
    Index(store).catch_up(chain()[: HEIGHT + 1], 220)
    return store


def produced_by(store: MemoryStore, outpoint: bytes) -> dict[str, object]:
    """What the row of the next block, nothing but a coinbase, says of its producer."""
    state = ChainState(network(), StoreReader(store), MEMORY)
    raw = bytearray(next(parsed(name).raw for name in reversed(chain()) if parsed(name).tx_count == 1))
    raw[PREVIOUS] = state.tip.hash
    raw[PRODUCER] = outpoint[:32] + outpoint[:31:-1]
    (block,) = state.apply([parse_block(bytes(raw))]).blocks
    assert (block.height, block.parsed.producer) == (HEIGHT + 1, outpoint)
    return {name: value for name, value in block_document(block).items() if name.startswith("producer_")}


@pytest.mark.parametrize("status", [Status.STARTED, Status.CONFIRMED, Status.DOS])
def test_a_producer_is_looked_up_in_all_three_lists(store: MemoryStore, status: Status) -> None:
    node = ChainState(network(), StoreReader(store), MEMORY).nodes.queue.with_status(status)[0]
    assert produced_by(store, node.outpoint) == {"producer_node": node.id, "producer_status": int(status)}


def test_the_emergency_keys_are_no_node(store: MemoryStore) -> None:
    assert produced_by(store, EMERGENCY_PRODUCER) == {}
