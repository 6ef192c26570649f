"""The source of blocks that the settings ask for."""

from __future__ import annotations

from pathlib import Path

from indexer.config import Config
from indexer.source.base import OpenSource
from indexer.source.blkfiles import FilesFirst
from indexer.source.conf import endpoints
from indexer.source.rpc import DaemonRpc


def open_source(config: Config) -> OpenSource:
    """A daemon's RPC, with its block files for the first catch-up when ``daemon.blocks_dir`` is set.

    ConfigError when no daemon is set or found, or when the folder cannot be right.
    """
    daemon = config.daemon
    rpc = DaemonRpc(endpoints(daemon, config.network), timeout=daemon.timeout_seconds)
    if not daemon.blocks_dir:
        return rpc
    return FilesFirst(rpc, Path(daemon.blocks_dir).expanduser(), config.network.magic)
