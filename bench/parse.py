"""How fast the parsers are: ``python -m bench.parse``.

The unit is one ``hashlib.sha256`` pass over the same raw bytes, so that the figures hold on any processor with
SHA instructions. Budget: compiled at most 4 passes, and at least 60 times as fast as the pure twin.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
from collections.abc import Callable
from time import perf_counter

from bench.mix import mix
from indexer.parse import compiled, pure

BLOCKS = 400
RUNS = 15


def seconds(action: Callable[[bytes], object], blocks: list[bytes]) -> float:
    """How long ``action`` takes over all blocks."""
    start = perf_counter()
    for raw in blocks:
        action(raw)
    return perf_counter() - start


def hash_pass(raw: bytes) -> bytes:
    """One SHA-256 over a block."""
    return hashlib.sha256(raw).digest()


def ratio(action: Callable[[bytes], object], unit: Callable[[bytes], object], blocks: list[bytes], runs: int) -> float:
    """The median ratio of the time of ``action`` to that of ``unit``, run side by side."""
    return statistics.median(seconds(action, blocks) / seconds(unit, blocks) for _ in range(runs))


def main() -> None:
    """Print the two ratios and the absolute figures of this machine."""
    blocks = mix(BLOCKS)
    size = sum(map(len, blocks))
    transactions = sum(compiled.parse_block(raw).tx_count for raw in blocks)
    passes = ratio(compiled.parse_block, hash_pass, blocks, RUNS)
    twin = ratio(pure.parse_block, compiled.parse_block, blocks, 3)
    best = min(seconds(compiled.parse_block, blocks) for _ in range(RUNS))
    print(f"{len(blocks)} blocks, {transactions} transactions, {size} bytes; SHA-256: {compiled.KERNEL}")
    print(f"compiled parse_block: {passes:.2f} SHA-256 passes (budget 4, aim 3)")
    print(f"pure parse_block: {twin:.0f} times the compiled one's time (budget at least 60)")
    print(f"compiled: {transactions / best:,.0f} transactions/s, {size / best / 1e6:,.0f} MB/s")
    if passes > 4 or twin < 60:
        sys.exit("a budget is missed")


if __name__ == "__main__":
    main()
