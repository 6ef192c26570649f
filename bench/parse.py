"""How fast the parsers are: ``python -m bench.parse``.

The unit is one ``hashlib.sha256`` pass over the same raw bytes, so that the figures hold on any processor with
SHA instructions. Budget: compiled at most 4 passes, and at least 60 times as fast as the pure twin.
"""

from __future__ import annotations

import hashlib
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from bench.mix import mix
from indexer.parse import compiled, pure

BLOCKS = 400
RUNS = 15
MOST_PASSES, LEAST_TWIN = 4, 60


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


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured on the mix."""

    kernel: str  # which SHA-256 serves
    blocks: int
    transactions: int
    bytes: int
    passes: float  # compiled parse_block, in SHA-256 passes over the same bytes
    twin: float  # time of the pure parser, in times of the compiled one
    transactions_per_second: float
    bytes_per_second: float


def measure(blocks: list[bytes]) -> Figures:
    """Time both parsers on these blocks."""
    size = sum(map(len, blocks))
    transactions = sum(compiled.parse_block(raw).tx_count for raw in blocks)
    best = min(seconds(compiled.parse_block, blocks) for _ in range(RUNS))
    return Figures(
        kernel=compiled.KERNEL,
        blocks=len(blocks),
        transactions=transactions,
        bytes=size,
        passes=ratio(compiled.parse_block, hash_pass, blocks, RUNS),
        twin=ratio(pure.parse_block, compiled.parse_block, blocks, 5),
        transactions_per_second=transactions / best,
        bytes_per_second=size / best,
    )


def main() -> None:
    """Print the figures of this machine beside the budgets."""
    f = measure(mix(BLOCKS))
    print(f"{f.blocks} blocks, {f.transactions} transactions, {f.bytes} bytes; SHA-256: {f.kernel}")
    print(f"compiled parse_block: {f.passes:.2f} SHA-256 passes (budget {MOST_PASSES}, aim 3)")
    print(f"pure parse_block: {f.twin:.0f} times the compiled one's time (budget at least {LEAST_TWIN})")
    print(f"compiled: {f.transactions_per_second:,.0f} transactions/s, {f.bytes_per_second / 1e6:,.0f} MB/s")


if __name__ == "__main__":
    main()
