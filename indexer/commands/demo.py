"""The demo network's part in ``run`` and ``demo``: when it is shown, and what its processes are told."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing
from itertools import islice
from pathlib import Path

from indexer.chain.networks import MAIN
from indexer.config import Config
from indexer.demo.files import FILE_NAME
from indexer.demo.network import NAME, demo_network
from indexer.demo.parallel import files as parallel_files
from indexer.errors import WrongDatabase
from indexer.source.blkscan import Scan
from indexer.source.conf import local_endpoint
from indexer.store.embedded import drop_database
from indexer.store.mongo import MongoStore
from indexer.store.setup import prepare

USER = "demo"

# The parallel chains are on this machine and have a block every few seconds; what befalls them is seen soon.
INTERVAL_SECONDS, TIMEOUT_SECONDS, STALE_SECONDS = 5.0, 10.0, 30.0


def stands_in(config: Config) -> bool:
    """Whether ``run`` shows the demo network: no source of blocks is set, and no daemon of this user is found.

    Only where the network is left at its default, or is the demo: whoever asks for another one wants that one.
    """
    daemon = config.daemon
    if daemon.url or daemon.gateway or daemon.blocks_dir or config.network not in (MAIN, demo_network()):
        return False
    return config.network.name == NAME or local_endpoint(config.network) is None


def environment(config: Config) -> dict[str, str]:
    """The settings, as variables, with which daemon, indexer and site of the demo network find each other.

    What the site reads when it starts is written now: where the parallel chains will be served, and whose is what.
    """
    parallel_port = free_port()
    files = parallel_files.write(demo_network(), chain_folder(config), f"http://127.0.0.1:{parallel_port}/")
    return {
        "FLUX_NETWORK_NAME": NAME,
        "FLUX_NETWORK_PARAMS_FILE": "",
        "FLUX_DATABASE_NAME": database_name(config),
        "FLUX_DAEMON_URL": f"http://127.0.0.1:{free_port()}",
        "FLUX_DAEMON_USER": USER,
        "FLUX_DAEMON_PASSWORD": secrets.token_hex(16),
        "FLUX_DAEMON_COOKIE_FILE": "",
        "FLUX_DAEMON_BLOCKS_DIR": "",
        "FLUX_DAEMON_GATEWAY": "",
        "FLUX_DAEMON_ZMQ": f"tcp://127.0.0.1:{free_port()}",
        "FLUX_DEMO_PARALLEL_PORT": str(parallel_port),
        "FLUX_PARALLEL_CHAINS_FILE": str(files.chains),
        "FLUX_PARALLEL_INTERVAL_SECONDS": str(INTERVAL_SECONDS),
        "FLUX_PARALLEL_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        "FLUX_PARALLEL_STALE_SECONDS": str(STALE_SECONDS),
        "FLUX_EXPLORER_LABELS_FILE": str(files.labels),
    }


def database_name(config: Config) -> str:
    """The demo's database: that of the settings only where they are the demo's own."""
    return config.database_name if config.network.name == NAME else f"flux_{NAME}"


def chain_folder(config: Config) -> Path:
    """Where the simulated daemon keeps its chain; each seed has its own."""
    return config.data.path / f"demo-{config.demo.seed}"


def drop_if_useless(config: Config, uri: str) -> str:
    """Drop the demo's database if it is of another chain than the daemon's, or of another version; why, or empty.

    Nothing is lost by it: whatever it held is gone with its chain, or is indexed again within seconds. Only for a
    server that no other indexer can reach.
    """
    name = database_name(config)
    with closing(MongoStore(uri, name)) as store:
        try:
            prepare(store, demo_network())
        except WrongDatabase as error:
            why = str(error).partition(";")[0]
        else:
            why = _strangeness(store, chain_folder(config) / FILE_NAME)
    if why:
        drop_database(uri, name)
    return why


def _strangeness(store: MongoStore, chain: Path) -> str:
    """Why the database cannot go on with a chain, by block 1: block 0 is the same on every demo chain."""
    ours = next((row["hash"] for row in store.scan("blocks", 1, 2)), None)
    if ours is None or ours == first_block(chain):
        return ""
    return f"the database is of another chain than the one in {chain.parent}"


def first_block(chain: Path) -> bytes | None:
    """The hash of block 1 of a chain in a block file; None when the file is not there, or holds less."""
    try:
        with open(chain, "rb") as file:
            records = Scan(demo_network().magic).records(file.fileno())
            return next((record.hash for record in islice(records, 1, None)), None)
    except FileNotFoundError:
        return None


def free_port() -> int:
    """A port of the loopback interface that nothing uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
