"""``demo --daemon-only``: the simulated daemon of the demo network, listening where ``daemon.url`` says."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from urllib.parse import urlsplit

from indexer.commands.demo import USER, chain_folder
from indexer.commands.supervise import stop_on_signals
from indexer.config import Config
from indexer.demo.daemon import DemoDaemon, Settings
from indexer.demo.network import demo_network
from indexer.demo.parallel import files as parallel_files
from indexer.demo.publish import Publisher
from indexer.errors import ConfigError


def run(config: Config) -> int:
    """Serve and extend the demo chain until told to stop; the exit code."""
    stop = stop_on_signals()
    settings = daemon_settings(config)
    with ExitStack() as stack:
        publisher = None
        if config.daemon.zmq:
            publisher = Publisher(config.daemon.zmq)
            stack.callback(publisher.close)
        try:
            daemon = stack.enter_context(DemoDaemon(settings, publisher))
        except OSError as error:
            raise ConfigError(
                f"the demo daemon cannot listen on {settings.host} port {settings.port}, or for the parallel chains on "
                f"port {settings.parallel_port}: {error.strerror}; "
                "set daemon.url and demo.parallel_port to free ports of this machine"
            ) from error
        files = parallel_files.write(settings.network, settings.folder, daemon.parallel.url)
        if not config.daemon.url:
            print(f"demo daemon: {daemon.url} user {settings.user} password {settings.password}", flush=True)
            print(f"parallel chains: {daemon.parallel.url}, see {files.chains}", flush=True)
        if daemon.load(stop):
            daemon.live(stop)
    return 0


def daemon_settings(config: Config) -> Settings:
    """Where the daemon listens: at ``daemon.url`` with its login, else on a free port with a password made up now."""
    parts = urlsplit(config.daemon.url)
    return Settings(
        network=demo_network(),
        folder=chain_folder(config),
        seed=config.demo.seed,
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 0,
        user=config.daemon.user or USER,
        password=config.daemon.password or secrets.token_hex(16),
        block_seconds=config.demo.block_seconds,
        parallel_port=config.demo.parallel_port,
    )
