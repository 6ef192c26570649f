"""Batches: what ends one, whichever limit comes first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from indexer.config import load_config
from indexer.session import Batch
from tests.indexed import chain, parsed

HEIGHTS = range(100, 130)  # block 106 has a transaction of many outputs


@pytest.mark.parametrize(
    ("limits", "blocks"),
    [
        ({"batch_blocks": 4, "batch_transactions": 1000}, 4),
        ({"batch_blocks": 1000, "batch_transactions": 5}, 5),  # one coinbase a block, until then
        ({"batch_blocks": 1000, "batch_transactions": 40}, 7),  # by the outputs of block 106
    ],
)
def test_a_batch_is_full_by_blocks_transactions_or_coins(limits: dict[str, int], blocks: int) -> None:
    batch = Batch(replace(load_config(environ={}).indexer, **limits))
    for height in HEIGHTS:
        batch.add(parsed(chain()[height]))
        if batch.full:
            break
    assert len(batch.take()) == blocks
    assert (batch.blocks, batch.transactions, batch.coins, batch.full) == ([], 0, 0, False)
