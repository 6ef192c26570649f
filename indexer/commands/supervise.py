"""``run``: the embedded MongoDB, the indexer and the site, started together and stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from threading import Event

from indexer.children import start_child, stop_child
from indexer.commands import demo
from indexer.commands.daemon import require_daemon
from indexer.commands.database import start_embedded
from indexer.commands.site import listening
from indexer.config import Config
from indexer.store.embedded import EmbeddedServer

LOOK_SECONDS = 0.2
STOP_SECONDS = 60.0  # the batch in hand is committed first
FAILED = 1


def stop_on_signals() -> Event:
    """An event that SIGINT and SIGTERM set."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def command_line(config_file: str | None, *command: str) -> list[str]:
    """How this program is started once more, with the same settings file."""
    options = ["--config", config_file] if config_file else []
    return [sys.executable, "-m", "indexer.cli", *options, *command]


def run(config: Config, config_file: str | None, *, simulated: bool = False) -> int:
    """Run everything until told to stop, or until one part ends; the exit code.

    ``simulated`` runs the demo network with a daemon of its own, as does a machine on which no daemon is set up.
    """
    if not simulated and demo.stands_in(config):
        print("No daemon is set (daemon.url): this is the demo network. Everything it shows is simulated.", flush=True)
        simulated = True
    if not simulated:
        require_daemon(config)
    with listening(config.explorer):
        pass  # a taken port is told before anything is started
    stop = stop_on_signals()
    with ExitStack() as stack:
        server = None if config.database.uri else stack.enter_context(start_embedded(config))
        environ = os.environ | {"FLUX_DATABASE_URI": config.database.uri if server is None else server.uri}
        commands = {"indexer": ["index"], "site": ["serve"]}
        if config.webhooks.file or config.accounts.are_told:
            commands["notifier"] = ["notify"]
        if simulated:
            environ |= demo.environment(config)
            if server is not None and (why := demo.drop_if_useless(config, server.uri)):
                print(f"The demo network begins with an empty database: {why}.", flush=True)
            commands = {"demo daemon": ["demo", "--daemon-only"], **commands}
        children: dict[str, subprocess.Popen[bytes]] = {}
        for name, command in commands.items():
            child = start_child(command_line(config_file, *command), environ=environ)
            stack.callback(stop_child, child, STOP_SECONDS)
            children[name] = child
        try:
            return _watch(children, server, stop)
        finally:
            # Both at once: the site says goodbye while the indexer commits.
            for child in children.values():
                if child.poll() is None:
                    child.terminate()


def _watch(children: dict[str, subprocess.Popen[bytes]], server: EmbeddedServer | None, stop: Event) -> int:
    while not stop.wait(LOOK_SECONDS):
        if server is not None:
            server.check()
        for name, child in children.items():
            code = child.poll()
            if code is not None:
                how = f"by signal {-code}" if code < 0 else f"with code {code}"
                print(f"flux-explorer: the {name} ended {how}; everything is stopped", file=sys.stderr)
                return code if code > 0 else FAILED
    return 0
