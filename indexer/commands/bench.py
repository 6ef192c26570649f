"""``bench``: how fast this machine indexes, and how long a first catch-up with the operator's chain will take."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from indexer.commands.own_blocks import Sampled, from_daemon, from_files
from indexer.commands.speed import Indexing, indexing, parsing, sample_blocks, writing
from indexer.config import Config
from indexer.errors import ConfigError, FluxError
from indexer.parse import PARSER
from indexer.progress import duration
from indexer.sample.shape import MIX_NODES, Plan, plan
from indexer.store import embedded
from indexer.store.mongo import MongoStore

WANTED = plan(MIX_NODES, 8_000)  # 400,000 transactions
PARSED = 1_000


def run(config: Config, wanted: Plan = WANTED) -> int:
    """Measure and print; the sample chain of the plan is indexed into a database of its own.

    That database is dropped at the end; the one of the index is not touched.
    """
    print("measuring: this takes about a minute", flush=True)
    sampled = _sampled(config)
    own = _own_blocks(config, sampled)
    network, chain = sample_blocks(wanted)
    _tell_parsing(own or chain[-PARSED:], f"blocks of {_where(config)}" if own else "blocks of the sample chain")
    with scratch(config) as store:
        written = writing(store)
        _line("database", f"{written.rows_per_second:,.0f} rows/s; a durable write takes {written.durable_ms:.1f} ms")
        found = indexing(store, network, chain, wanted.steady, config.indexer)
    rate, with_late = found.transactions / found.seconds, found.transactions / found.seconds_for(found.transactions)
    _line(
        "indexing",
        f"{rate:,.0f} transactions/s of a sample chain in the shape of the main net, {with_late:,.0f} with the late "
        "indexes",
    )
    _line("your chain", _outlook(config, sampled, found))
    return 0


@contextmanager
def scratch(config: Config) -> Iterator[MongoStore]:
    """An empty database where the index would be, dropped afterwards: on the configured server, or one of our own."""
    name = f"flux_bench_{os.getpid()}"
    if config.database.uri:
        with closing(MongoStore(config.database.uri, name)) as store:
            try:
                yield store
            finally:
                embedded.drop_database(config.database.uri, name)
        return
    folder = config.data.path
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = tempfile.TemporaryDirectory(prefix="bench-", dir=folder)
    except OSError as error:
        raise ConfigError(f"data folder {folder} cannot be used: {error.strerror}; set data.dir to another") from error
    settings = config.database
    with own, embedded.start(Path(own.name), cache_mib=settings.cache_mib, program=settings.mongod) as server:
        with closing(MongoStore(server.uri, name)) as store:
            yield store


def _sampled(config: Config) -> Sampled | FluxError:
    """What the daemon's chain is like, or why that is not known."""
    try:
        return from_daemon(config)
    except FluxError as error:
        return error


def _own_blocks(config: Config, sampled: Sampled | FluxError) -> list[bytes]:
    if config.daemon.blocks_dir:
        return from_files(Path(config.daemon.blocks_dir).expanduser(), config.network.magic)
    return [] if isinstance(sampled, FluxError) else sampled.blocks


def _where(config: Config) -> str:
    return config.daemon.blocks_dir or "the daemon"


def _tell_parsing(blocks: list[bytes], what: str) -> None:
    found = parsing(blocks)
    _line("SHA-256", f"{found.hash_bytes_per_second / 1e6:,.0f} MB/s")
    _line(
        "parser",
        f"{PARSER}, {found.transactions_per_second:,.0f} transactions/s, {found.bytes_per_second / 1e6:,.0f} MB/s on "
        f"{found.blocks:,} {what}: {found.passes:.1f} SHA-256 passes",
    )


def _outlook(config: Config, sampled: Sampled | FluxError, found: Indexing) -> str:
    if isinstance(sampled, FluxError):
        return f"not known, for the daemon cannot be asked: {sampled}"
    seconds = found.seconds_for(sampled.transactions)
    chain = f"{sampled.height + 1:,} blocks with about {sampled.transactions:,} transactions"
    if config.daemon.blocks_dir:
        return f"{chain}: the first catch-up takes about {duration(seconds)} from its block files"
    asking = (sampled.height + 1) / sampled.blocks_per_second
    return (
        f"{chain}: the first catch-up takes about {duration(max(seconds, asking))} by RPC (the daemon gave "
        f"{sampled.blocks_per_second:,.0f} blocks/s), {duration(seconds)} from block files (daemon.blocks_dir)"
    )


def _line(name: str, value: str) -> None:
    print(f"{name + ':':<11} {value}", flush=True)
