"""How fast a first catch-up from block files is, and what a transaction costs on disk: ``python -m bench.catchup``.

``flux-explorer index`` as an operator runs it, with an embedded MongoDB and a daemon on the same machine, from an empty
database to the daemon's tip. Then the questions of ``bench.answers`` are asked of what was indexed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import answers, daemon
from bench.answers import Answered
from bench.clocked import LISTS, PAYOUTS, ROWS
from bench.files import PARAMETERS, cached, places
from indexer.config import Config, load_config
from indexer.sample.shape import Plan, plan
from indexer.store import embedded
from indexer.store.mongo import MongoStore
from indexer.store.schema import CHAIN_DERIVED, late_indexes

NODES = 15_000
BLOCKS = 40_000  # after the ramp: 4 million transactions of so many nodes
LEAST_RATE = 40_000  # budget: transactions a second
MOST_BYTES = 120  # budget: a transaction
CACHE_MIB = 1024  # of MongoDB
PATIENCE = 1800.0  # seconds
LOOK_SECONDS = 0.1
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def most_memory_mib(pid: int) -> int:
    """The most memory that a process ever held."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) >> 10


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a collection, after a checkpoint: rows, bytes of data and of indexes."""

    rows: int
    data: int
    indexes: int


def sizes(database: Any) -> dict[str, Sizes]:
    """Of each collection."""
    database.client.admin.command("fsync")
    found = {}
    for collection in CHAIN_DERIVED:
        stats = database.command("collStats", collection.name)
        found[collection.name] = Sizes(stats["count"], stats["storageSize"], stats["totalIndexSize"])
    return found


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds since the start, and processor seconds of the three processes."""

    seconds: float
    indexer: float
    mongod: float
    daemon: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a catch-up took."""

    nodes: int
    blocks: int
    transactions: int
    file_bytes: int
    caught_up: Used  # when the last block was durable
    indexed: Used  # when the late indexes were built too
    memory_mib: int  # most of the indexer
    parts: dict[str, float]  # processor seconds of the indexer's node part
    sizes: dict[str, Sizes]
    answered: Answered

    @property
    def rate(self) -> float:
        """Transactions a second, until the last block was durable."""
        return self.transactions / self.caught_up.seconds

    @property
    def rate_with_late(self) -> float:
        """Transactions a second, until the late indexes were built."""
        return self.transactions / self.indexed.seconds

    @property
    def own_us(self) -> float:
        """Processor time of the indexer, in µs a transaction."""
        return self.caught_up.indexer / self.transactions * 1e6

    @property
    def mongod_us(self) -> float:
        """Processor time of mongod, in µs a transaction."""
        return self.caught_up.mongod / self.transactions * 1e6

    @property
    def daemon_us(self) -> float:
        """Processor time of the daemon, in µs a transaction."""
        return self.caught_up.daemon / self.transactions * 1e6

    @property
    def node_us(self) -> float:
        """Processor time of the indexer's node part, in µs a transaction."""
        return sum(self.parts.values()) / self.transactions * 1e6

    @property
    def node_share(self) -> float:
        """The node part's share of the indexer's processor time."""
        return sum(self.parts.values()) / self.caught_up.indexer

    @property
    def bytes_per_transaction(self) -> float:
        """Bytes on disk, late indexes included."""
        return sum(size.data + size.indexes for size in self.sizes.values()) / self.transactions


def environment(folder: Path, uri: str, url: str, memory_mib: int) -> dict[str, str]:
    """The settings of an operator who has this folder of block files, this database and this daemon."""
    user, password = daemon.LOGIN
    settings = {
        "NETWORK_PARAMS_FILE": str(folder / PARAMETERS),
        "DATABASE_URI": uri,
        "DAEMON_URL": url,
        "DAEMON_USER": user,
        "DAEMON_PASSWORD": password,
        "DAEMON_BLOCKS_DIR": str(folder),
        "INDEXER_MEMORY_MIB": str(memory_mib),
        "INDEXER_CHECK_BLOCKS": "0",  # this daemon has no lists and no supply to compare with
        "INDEXER_CHECK_SUPPLY_BLOCKS": "0",
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    return inherited | {f"FLUX_{name}": value for name, value in settings.items()}


@contextmanager
def indexing(environ: dict[str, str], clocks: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``flux-explorer index`` in a process of its own."""
    command = [sys.executable, "-m", "bench.clocked", str(clocks)]
    child = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.terminate()
        code = child.wait()
    if code:
        raise RuntimeError(f"the indexer ended with code {code}")


def wait_until(child: subprocess.Popen[bytes], reached: Callable[[], bool]) -> None:
    """Look ten times a second; RuntimeError when the indexer ends before."""
    deadline = time.monotonic() + PATIENCE
    while not reached():
        if child.poll() is not None:
            raise RuntimeError(f"the indexer ended with code {child.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"the indexer is not done after {PATIENCE:.0f} seconds")
        time.sleep(LOOK_SECONDS)


def run(wanted: Plan, memory_mib: int = 2048, cache_mib: int = CACHE_MIB) -> Figures:
    """Catch up with a chain and ask questions of the index."""
    folder = cached(wanted)
    chain = places(folder)
    late = len(late_indexes())
    with tempfile.TemporaryDirectory(prefix="flux-bench-db-") as scratch, daemon.running(folder) as source:
        clocks = Path(scratch) / "clocks.json"
        with embedded.start(Path(scratch), cache_mib=cache_mib) as server:
            environ = environment(folder, server.uri, source.url, memory_mib)
            config = load_config(environ=environ)
            with closing(MongoStore(server.uri, config.database_name)) as store:
                begun = time.perf_counter()
                with indexing(environ, clocks) as child:

                    def used() -> Used:
                        seconds = time.perf_counter() - begun
                        return Used(seconds, *(cpu_seconds(id) for id in (child.pid, server.pid, source.pid)))

                    wait_until(child, lambda: (store.meta("tip") or {"height": -1})["height"] == len(chain) - 1)
                    caught_up = used()
                    wait_until(child, lambda: len((store.meta("indexes") or {"ready": ()})["ready"]) == late)
                    indexed = used()
                    memory = most_memory_mib(child.pid)
                (last,) = store.scan("blocks", len(chain) - 1)
                assert last["payouts_checked"] and not last["payouts_mismatched"], last
                stored = sizes(store.database)
        return Figures(
            nodes=wanted.nodes,
            blocks=len(chain),
            transactions=last["txs_total"],
            file_bytes=sum(place.size for place in chain),
            caught_up=caught_up,
            indexed=indexed,
            memory_mib=memory,
            parts=json.loads(clocks.read_text()),
            sizes=stored,
            answered=ask(Path(scratch), environ, wanted, cache_mib),
        )


def ask(scratch: Path, environ: dict[str, str], wanted: Plan, cache_mib: int) -> Answered:
    """Start the server of the folder anew, so that its cache is empty, and time the answers."""
    with embedded.start(scratch, cache_mib=cache_mib) as server:
        config: Config = load_config(
            environ={**environ, "FLUX_DATABASE_URI": server.uri, "FLUX_DAEMON_URL": "", "FLUX_GUARD_RATE": "0"}
        )
        return answers.measure(config, wanted.steady)


def tell(found: Figures) -> str:
    """The figures in words."""
    parts = ", ".join(f"{part} {found.parts[part] / found.transactions * 1e6:.2f}" for part in (LISTS, PAYOUTS, ROWS))
    lines = [
        f"{found.blocks:,} blocks, {found.transactions:,} transactions, {found.file_bytes / 1e6:,.0f} MB of blocks, "
        f"{found.nodes:,} nodes",
        f"{found.rate:,.0f} transactions/s ({found.caught_up.seconds:.1f} s); with the late indexes "
        f"{found.rate_with_late:,.0f} ({found.indexed.seconds:.1f} s)",
        f"a transaction: {found.own_us:.1f} µs of the indexer, {found.mongod_us:.1f} of mongod, {found.daemon_us:.2f} "
        f"of the daemon, {found.bytes_per_transaction:.1f} bytes",
        f"node part: {found.node_us:.2f} µs a transaction, {found.node_share:.0%} of the indexer ({parts})",
        f"indexer: at most {found.memory_mib:,} MiB",
        *answers.tell(found.answered),
    ]
    for name, size in found.sizes.items():
        share = f"{(size.data + size.indexes) / found.transactions:5.1f} a transaction"
        lines.append(f"  {name:<15} {size.rows:>9,} rows, {size.data:>12,} + {size.indexes:>12,} bytes, {share}")
    return "\n".join(lines)


def main() -> None:
    """Run once and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.catchup", description=__doc__)
    parser.add_argument("--nodes", type=int, default=NODES, help="live at a time; 7500 are those of the mix itself")
    parser.add_argument("--blocks", type=int, default=BLOCKS, help="after the ramp")
    parser.add_argument("--memory-mib", type=int, default=2048)
    parser.add_argument("--cache-mib", type=int, default=CACHE_MIB)
    given = parser.parse_args()
    print(tell(run(plan(given.nodes, given.blocks), given.memory_mib, given.cache_mib)))


if __name__ == "__main__":
    main()
