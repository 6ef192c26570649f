"""The demo network's part in ``run`` and ``demo``: when it is shown, and what its processes are told."""

from __future__ import annotations

import secrets
import socket

from indexer.chain.networks import MAIN
from indexer.config import Config
from indexer.demo.network import NAME, demo_network
from indexer.source.conf import local_endpoint

USER = "demo"


def stands_in(config: Config) -> bool:
    """Whether ``run`` shows the demo network: no source of blocks is set, and no daemon of this user is found.

    Only where the network is left at its default, or is the demo: whoever asks for another one wants that one.
    """
    daemon = config.daemon
    if daemon.url or daemon.gateway or daemon.blocks_dir or config.network not in (MAIN, demo_network()):
        return False
    return config.network.name == NAME or local_endpoint(config.network) is None


def environment(config: Config) -> dict[str, str]:
    """The settings, as variables, with which daemon, indexer and site of the demo network find each other."""
    return {
        "FLUX_NETWORK_NAME": NAME,
        "FLUX_NETWORK_PARAMS_FILE": "",
        "FLUX_DATABASE_NAME": config.database.name if config.network.name == NAME else f"flux_{NAME}",
        "FLUX_DAEMON_URL": f"http://127.0.0.1:{free_port()}",
        "FLUX_DAEMON_USER": USER,
        "FLUX_DAEMON_PASSWORD": secrets.token_hex(16),
        "FLUX_DAEMON_COOKIE_FILE": "",
        "FLUX_DAEMON_BLOCKS_DIR": "",
        "FLUX_DAEMON_GATEWAY": "",
        "FLUX_DAEMON_ZMQ": f"tcp://127.0.0.1:{free_port()}",
    }


def free_port() -> int:
    """A port of the loopback interface that nothing uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
