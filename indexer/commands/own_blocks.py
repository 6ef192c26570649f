"""Some of the operator's own blocks, from all over the chain: of the daemon's files, or of the daemon itself."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from indexer.config import Config
from indexer.errors import SourceError
from indexer.parse import parse_block
from indexer.source.blkfiles import block_files, refuse_wrong_folder
from indexer.source.blkscan import Scan
from indexer.source.conf import endpoints
from indexer.source.rpc import DaemonRpc

FILES = 16  # of which blocks are taken
BLOCKS_OF_A_FILE = 50
PLACES = 40  # in the chain, at which the daemon is asked for blocks
BLOCKS_OF_A_PLACE = 10


class Sampled(NamedTuple):
    """What a daemon's chain is like: its height, transactions of a mean block, and blocks it gives in a second."""

    height: int
    transactions_per_block: float
    blocks_per_second: float
    blocks: list[bytes]

    @property
    def transactions(self) -> int:
        """About how many transactions the chain has."""
        return round((self.height + 1) * self.transactions_per_block)


def evenly(count: int, most: int) -> list[int]:
    """At most so many of the numbers below ``count``, the last among them."""
    wanted = min(count, most)
    return [(n + 1) * count // wanted - 1 for n in range(wanted)]


def from_files(folder: Path, magic: bytes) -> list[bytes]:
    """Blocks of files from all over the folder; ConfigError when it cannot be right."""
    refuse_wrong_folder(folder, magic)
    files = block_files(folder)
    return [raw for n in evenly(len(files), FILES) for raw in _first_blocks(files[n], magic)]


def _first_blocks(path: Path, magic: bytes) -> Iterator[bytes]:
    with path.open("rb") as file:
        for record in islice(Scan(magic).records(file.fileno()), BLOCKS_OF_A_FILE):
            yield os.pread(file.fileno(), record.size, record.offset)


def from_daemon(config: Config) -> Sampled:
    """Blocks from places all over the daemon's chain; FluxError when no daemon is set, or it does not give them."""
    with closing(DaemonRpc(endpoints(config.daemon, config.network), timeout=config.daemon.timeout_seconds)) as rpc:
        height = rpc.status().height
        begun = time.perf_counter()
        blocks = [
            block.raw
            for top in evenly(height + 1, PLACES)
            for block in rpc.blocks(max(0, top - BLOCKS_OF_A_PLACE + 1), top)
        ]
        rate = len(blocks) / (time.perf_counter() - begun)
    if not blocks:
        raise SourceError(f"the daemon at {rpc.url} gives none of its blocks: is it pruned?")
    transactions = sum(parse_block(raw).tx_count for raw in blocks)
    return Sampled(height, transactions / len(blocks), rate, blocks)
