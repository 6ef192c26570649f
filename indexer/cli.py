"""``flux-explorer``: the command line. What the commands do is in ``indexer.commands``."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
from collections.abc import Callable, Sequence

from indexer import __version__
from indexer.commands import (
    bench,
    daemon,
    database,
    demo_daemon,
    export,
    index,
    journal,
    show,
    site,
    supervise,
    verify,
    workers,
)
from indexer.config import Config, load_config
from indexer.demo.network import NAME as DEMO
from indexer.errors import FluxError

FAILED = 2
INTERRUPTED = 130

Command = Callable[[Config, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code: 0, 1 for a finding, 2 for an error told in one line on stderr."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING, stream=sys.stderr)
    logging.getLogger("indexer").setLevel(logging.INFO)
    try:
        command: Command = arguments.command
        return command(load_config(arguments.config), arguments)
    except FluxError as error:
        print(f"flux-explorer: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(config: Config, arguments: argparse.Namespace) -> int:
    return supervise.run(config, arguments.config)


def _demo(config: Config, arguments: argparse.Namespace) -> int:
    if arguments.daemon_only:
        return demo_daemon.run(config)
    return supervise.run(config, arguments.config, simulated=True)


def _index(config: Config, arguments: argparse.Namespace) -> int:
    return index.run(config)


def _serve(config: Config, arguments: argparse.Namespace) -> int:
    if arguments.as_worker:
        return _work(config, *arguments.as_worker)
    count: int = arguments.workers or config.explorer.workers
    with site.listening(config.explorer) as listener, database.readable(config) as uri:
        if count > 1:
            return workers.serve(count, supervise.command_line(arguments.config, "serve"), uri, listener)
        from explorer.app import create_app

        settings = daemon.with_local_daemon(database.with_uri(config, uri))
        return site.serve(create_app(settings, simulated=settings.network.name == DEMO), listener)


def _work(config: Config, number: int, listener: int, tells: int, counts: int) -> int:
    from explorer.app import create_app
    from explorer.tally import Tally

    settings = daemon.with_local_daemon(config)
    tally = Tally(counts, number, config.explorer.workers)
    app = create_app(settings, simulated=settings.network.name == DEMO, tally=tally)
    with socket.socket(fileno=listener) as shared, open(tells, "wb", buffering=0) as told:
        return site.serve(app, shared, lambda: told.write(b"\n"))


def _notify(config: Config, arguments: argparse.Namespace) -> int:
    from explorer.webhooks.notifier import notify

    with database.readable(config) as uri:
        return notify(database.with_uri(config, uri))


def _accounts(config: Config, arguments: argparse.Namespace) -> int:
    from explorer.accounts import commands

    action: str = arguments.action
    with database.readable(config) as uri:
        return commands.run(database.with_uri(config, uri), action, arguments.address)


def _status(config: Config, arguments: argparse.Namespace) -> int:
    return journal.status(config)


def _rewind(config: Config, arguments: argparse.Namespace) -> int:
    return index.rewind_to(config, arguments.height)


def _bench(config: Config, arguments: argparse.Namespace) -> int:
    return bench.run(config)


def _verify(config: Config, arguments: argparse.Namespace) -> int:
    full: bool = arguments.full
    return verify.run(config, None if full else arguments.addresses, None if full else arguments.blocks)


def _show(config: Config, arguments: argparse.Namespace) -> int:
    what: str = arguments.what
    return show.show(config, what, arguments.id)


def _export(config: Config, arguments: argparse.Namespace) -> int:
    what: str = arguments.what
    return export.run(config, what, arguments.at, arguments.output)


def _count(text: str) -> int:
    """A number of things, as argparse wants it: ValueError makes its own sentence."""
    count = int(text)
    if count < 0:
        raise argparse.ArgumentTypeError(f"{count} is below 0")
    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="flux-explorer", description="Indexer and block explorer of the Flux chain.")
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("--config", metavar="FILE", help="settings file (default: $FLUX_CONFIG, else ./config.toml)")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        added.set_defaults(command=command)
        return added

    add("run", _run, "index and serve on this machine, with an embedded MongoDB unless database.uri is set")
    simulated = add("demo", _demo, "run the simulated demo network: a daemon of its own, indexer and site")
    simulated.add_argument("--daemon-only", action="store_true", help="only the daemon, at daemon.url")
    add("index", _index, "index only: follow the daemon")
    served = add("serve", _serve, "serve only: the site and the API")
    served.add_argument("--workers", type=_count, default=0, metavar="N", help="processes (explorer.workers)")
    served.add_argument("--as-worker", type=int, nargs=4, default=None, help=argparse.SUPPRESS)
    add("notify", _notify, "tell the webhooks of webhooks.file of credits and of what happens to nodes")
    managed = add("accounts", _accounts, "list, export, delete, block or unblock accounts of visitors")
    managed.add_argument("action", choices=("list", "export", "delete", "block", "unblock"))
    managed.add_argument("address", nargs="?", help="the address that signs in; list needs none")
    add("status", _status, "say how far the index is and what the daemon says")
    rewind = add("rewind", _rewind, "go back to a height; the next start indexes on from there")
    rewind.add_argument("height", type=int, help="height of the last block that stays; -1 for none")
    proved = add("verify", _verify, "prove that what is stored agrees with itself; 1 when it does not")
    proved.add_argument("--addresses", type=_count, default=50, metavar="N", help="random addresses to derive (50)")
    proved.add_argument("--blocks", type=_count, default=200, metavar="N", help="random blocks to derive (200)")
    proved.add_argument("--full", action="store_true", help="derive all addresses and blocks")
    add("bench", _bench, "measure this machine, and say how long the first catch-up will take")
    shown = add("show", _show, "print a block, a transaction, an address or a node as it is stored")
    shown.add_argument("what", choices=show.KINDS)
    shown.add_argument("id", help="height or hash, txid, address, or outpoint of the collateral")
    written = add("export", _export, "write the balances of all addresses after a block as CSV, and prove their sum")
    written.add_argument("what", choices=export.WHAT)
    written.add_argument("--at", type=_count, metavar="HEIGHT", help="height of the block (the tip)")
    written.add_argument("--output", default="-", metavar="FILE", help="where to write (standard output)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
