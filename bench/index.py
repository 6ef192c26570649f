"""How fast the indexer is, end to end, and what a transaction costs on disk: ``python -m bench.index``.

The loop of the indexer, whole, with an embedded MongoDB on the same machine; only the daemon is left out: its blocks
are in a file that the kernel has in memory. Each run is a process of its own with an empty database. What
the ramp of a chain takes, in which the nodes start, is measured apart and taken off.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from bench.chain import SIZE, cached, network
from bench.mix import PON, POW
from indexer.config import load_config
from indexer.parse import parse_block
from indexer.session import Job, Progress, Session
from indexer.source.base import DaemonStatus, RawBlock
from indexer.store import embedded
from indexer.store.lease import new_owner
from indexer.store.mongo import MongoStore
from indexer.store.schema import CHAIN_DERIVED, late_indexes
from indexer.store.setup import create_index, prepare

ERAS = {"pow": (POW, 6_000), "pon": (PON, 2_000)}
RUNS = 3
LEAST_RATE = 40_000  # budget: transactions a second
MOST_BYTES = 120  # budget: a transaction
WINDOW = 100  # blocks in one answer, as of the daemon
BEYOND = 1_000  # the daemon's tip is so far above: blocks are committed in batches up to the end
TICKS = os.sysconf("SC_CLK_TCK")


class FileSource:
    """The blocks of a file as a daemon would give them."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._places: list[tuple[int, int]] = []
        self._hashes: list[bytes] = []
        self.transactions = 0
        at, end = 0, path.stat().st_size
        while at < end:
            (size,) = SIZE.unpack(os.pread(self._file.fileno(), SIZE.size, at))
            self._places.append((at + SIZE.size, size))
            block = parse_block(self._raw(-1))
            self._hashes.append(block.hash)
            self.transactions += block.tx_count
            at += SIZE.size + size

    @property
    def height(self) -> int:
        """The height of the last block."""
        return len(self._places) - 1

    def _raw(self, height: int) -> bytes:
        at, size = self._places[height]
        return os.pread(self._file.fileno(), size, at)

    def status(self) -> DaemonStatus:
        """A daemon that is far ahead of the file."""
        top = self.height + BEYOND
        return DaemonStatus(top, top, bytes(32), "bench", 1, "/bench/", 0, "file")

    def hashes(self, heights: Sequence[int]) -> list[bytes | None]:
        """The hashes of the file."""
        return [self._hashes[height] if height <= self.height else None for height in heights]

    def blocks(self, first: int, last: int) -> list[RawBlock]:
        """At most a window of blocks."""
        end = min(last, first + WINDOW - 1, self.height)
        return [RawBlock(height, self._hashes[height], self._raw(height)) for height in range(first, end + 1)]


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def sizes(database: Any) -> dict[str, dict[str, int]]:
    """Of each collection, after a checkpoint: rows, bytes of data and of each index."""
    database.client.admin.command("fsync")
    found = {}
    for collection in CHAIN_DERIVED:
        stats = database.command("collStats", collection.name)
        found[collection.name] = {
            "rows": stats["count"],
            "data": stats["storageSize"],
            "indexes": stats["totalIndexSize"],
            "by_index": dict(stats["indexSizes"]),
        }
    return found


def run(era: str, blocks: int, memory_mib: int, cache_mib: int) -> dict[str, Any]:
    """Index a chain into an empty database; what it took."""
    shape, _ = ERAS[era]
    source = FileSource(cached(shape, blocks))
    params = network(shape.pon)
    folder = Path(tempfile.mkdtemp(prefix="flux-bench-db-"))
    settings = load_config(environ={"FLUX_INDEXER_MEMORY_MIB": str(memory_mib)}).indexer
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    stop = Event()

    def report(progress: Progress) -> None:
        if progress.height >= source.height:
            stop.set()

    try:
        with embedded.start(folder, cache_mib=cache_mib) as server:
            with closing(MongoStore(server.uri, "bench")) as store:
                prepare(store, params)
                job = Job(params, store, source, new_owner(), settings, stop, report)
                begun, own, theirs = time.perf_counter(), time.process_time(), cpu_seconds(server.pid)
                Session(job).run()
                seconds = time.perf_counter() - begun
                own, theirs = time.process_time() - own, cpu_seconds(server.pid) - theirs
                tip = store.meta("tip")
                assert tip is not None and tip["height"] == source.height, tip
                before = sizes(store.database)
                begun = time.perf_counter()
                for collection, index in late_indexes():
                    create_index(store.database, collection, index)
                late = time.perf_counter() - begun
                (last,) = store.scan("blocks", source.height)
                after = sizes(store.database)
    finally:
        shutil.rmtree(folder)
    assert last["payouts_mismatched"] == 0
    return {
        "transactions": source.transactions,
        "blocks": source.height + 1,
        "seconds": seconds,
        "own_cpu": own,
        "mongod_cpu": theirs,
        "late": late,
        "rss_before_mib": rss >> 10,
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "before": before,
        "after": after,
    }


def in_process(era: str, blocks: int, memory_mib: int, cache_mib: int) -> dict[str, Any]:
    """``run`` in a process of its own."""
    arguments = ["--era", era, "--blocks", str(blocks), "--memory-mib", str(memory_mib), "--cache-mib", str(cache_mib)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.index", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


@dataclass(frozen=True, slots=True)
class Figures:
    """Both eras together, without their ramps; medians over the runs."""

    transactions: int
    blocks: int
    rate: float  # transactions a second, late indexes not built yet
    rate_with_late: float
    mongod_share: float  # of all processor time
    own_us: float  # processor time a transaction
    mongod_us: float
    bytes_per_transaction: float
    rss_mib: int
    rows: dict[str, tuple[int, float, float]]  # by collection: rows, bytes of data and of indexes a row


Measured = dict[str, Any]


def figures(runs: Sequence[Sequence[tuple[Measured, Measured]]]) -> Figures:
    """What several runs of both eras say; each comes with a run of its ramp alone, which is taken off."""

    def median(name: str) -> float:
        return float(statistics.median(sum(whole[name] - ramp[name] for whole, ramp in run) for run in runs))

    def gained(collection: str, kind: str) -> float:
        return float(sum(w["after"][collection][kind] - r["after"][collection][kind] for w, r in runs[-1]))

    transactions, seconds = int(median("transactions")), median("seconds")
    own, mongod = median("own_cpu"), median("mongod_cpu")
    rows = {}
    for name in (collection.name for collection in CHAIN_DERIVED):
        count = int(gained(name, "rows"))
        rows[name] = (count, gained(name, "data") / max(count, 1), gained(name, "indexes") / max(count, 1))
    stored = sum(gained(collection.name, kind) for collection in CHAIN_DERIVED for kind in ("data", "indexes"))
    return Figures(
        transactions=transactions,
        blocks=int(median("blocks")),
        rate=transactions / seconds,
        rate_with_late=transactions / (seconds + median("late")),
        mongod_share=mongod / (own + mongod),
        own_us=own / transactions * 1e6,
        mongod_us=mongod / transactions * 1e6,
        bytes_per_transaction=stored / transactions,
        rss_mib=max(measured["rss_mib"] for run in runs for pair in run for measured in pair),
        rows=rows,
    )


def tell(found: Figures) -> str:
    """The figures in words."""
    lines = [
        f"{found.blocks:,} blocks, {found.transactions:,} transactions",
        f"{found.rate:,.0f} transactions/s; with the late indexes {found.rate_with_late:,.0f}",
        f"a transaction: {found.own_us:.1f} µs of the indexer, {found.mongod_us:.1f} of mongod "
        f"({found.mongod_share:.0%} of the processor time), {found.bytes_per_transaction:.1f} bytes",
        f"indexer: at most {found.rss_mib:,} MiB",
    ]
    for name, (count, data, index) in found.rows.items():
        share = f"{count * (data + index) / found.transactions:5.1f} a transaction"
        lines.append(f"  {name:<15} {count:>9,} rows, {data:7.1f} + {index:6.1f} bytes a row, {share}")
    return "\n".join(lines)


def measure(runs: int = RUNS, memory_mib: int = 2048, cache_mib: int = 1024, scale: float = 1.0) -> Figures:
    """Run both eras ``runs`` times."""

    def pair(era: str, count: int) -> tuple[Measured, Measured]:
        return in_process(era, int(count * scale), memory_mib, cache_mib), in_process(era, 0, memory_mib, cache_mib)

    return figures([[pair(era, count) for era, (_, count) in ERAS.items()] for _ in range(runs)])


def main() -> None:
    """Measure both eras, or run one of them and print what it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--era", choices=ERAS)
    parser.add_argument("--blocks", type=int, default=0, help="after the ramp")
    parser.add_argument("--memory-mib", type=int, default=2048)
    parser.add_argument("--cache-mib", type=int, default=1024)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of blocks")
    given = parser.parse_args()
    if given.era:
        print(json.dumps(run(given.era, given.blocks, given.memory_mib, given.cache_mib)))
    else:
        print(tell(measure(given.runs, given.memory_mib, given.cache_mib, given.scale)))


if __name__ == "__main__":
    main()
