"""The source of blocks that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from indexer.config import Config
from indexer.source.base import OpenSource, RawBlock
from indexer.source.blkfiles import FilesFirst
from indexer.source.conf import endpoints
from indexer.source.envelope import Gateways
from indexer.source.gateway import GatewaySource
from indexer.source.rpc import DaemonRpc


def open_source(
    config: Config, tip: int, ours: Callable[[int], bytes | None], check: Callable[[RawBlock], object]
) -> OpenSource:
    """The daemon, with its block files when ``daemon.blocks_dir`` is set; else the gateway, when there is one.

    ``tip``, ``ours`` and ``check`` are what ``GatewaySource`` needs. ConfigError when no daemon is set or found, or
    when the folder cannot be right.
    """
    daemon, network = config.daemon, config.network
    if daemon.gateway and not daemon.url:
        genesis = bytes.fromhex(network.genesis_hash)[::-1]
        gateways = Gateways(daemon.gateway, timeout=daemon.timeout_seconds)
        return GatewaySource(gateways, tip=tip, ours=ours, check=check, genesis=genesis)
    rpc = DaemonRpc(endpoints(daemon, network), timeout=daemon.timeout_seconds)
    if not daemon.blocks_dir:
        return rpc
    return FilesFirst(rpc, Path(daemon.blocks_dir).expanduser(), network.magic)
