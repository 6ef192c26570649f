"""How soon what is new at the daemon is in the API: ``python -m bench.follow``.

The demo network as ``flux-explorer`` runs it, with ZMQ and by polling alone. The clock starts when the daemon
publishes a block or a transaction, and stops when the API first answers with it; it is asked every few milliseconds.
"""

from __future__ import annotations

import argparse
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.page import measured_on, publish
from indexer.chain.keys import hash_text
from indexer.commands.demo import free_port
from indexer.errors import ParseError
from indexer.parse import parse_transaction
from indexer.source.zmq import Notifications

SAMPLES = 40
ASK_SECONDS = 0.003
PATIENCE = 10.0  # seconds for one thing to show; a block may also be lost to a reorganisation
START_SECONDS = 120.0
BLOCK_SECONDS = 1.0
WITH_ZMQ = "with ZMQ"
BUDGETS = ("500 ms", "1 s")  # of a block
LOGIN = {"FLUX_DAEMON_USER": "bench", "FLUX_DAEMON_PASSWORD": "bench"}

Told = tuple[float, bytes]  # when, and the body


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds: median, nineteen of twenty, the longest."""

    median: float
    most: float
    longest: float


def delays(seconds: list[float]) -> Delays:
    """What so many delays come to; at least two."""
    found = sorted(1000 * second for second in seconds)
    return Delays(statistics.median(found), found[int(0.95 * (len(found) - 1))], found[-1])


@contextmanager
def process(environ: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A flux-explorer that is stopped at the end."""
    command = [sys.executable, "-m", "indexer.cli", *arguments]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield child
        finally:
            child.terminate()


def settings(folder: Path) -> dict[str, str]:
    """What daemon, indexer and site of the demo network have in common."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    return inherited | LOGIN | {
        "FLUX_NETWORK_NAME": "demo",
        "FLUX_DATA_DIR": str(folder),
        "FLUX_DATABASE_CACHE_MIB": "256",
        "FLUX_DAEMON_URL": f"http://127.0.0.1:{free_port()}",
        "FLUX_DEMO_BLOCK_SECONDS": str(BLOCK_SECONDS),
    }  # fmt: skip


def wait_for_tip(client: httpx.Client) -> None:
    """Until the site shows the daemon's newest block and needs nothing more."""
    wait_for(client, "/api/v1/status", lambda status: bool(status["index"]["state"] == "following"))


def wait_for(client: httpx.Client, path: str, is_so: Callable[[Any], bool] = lambda answer: True) -> None:
    """Until a path is answered, and that is so of the answer."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = client.get(path)
            if answer.status_code == 200 and is_so(answer.json()):
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.2)
    raise TimeoutError(f"the demo network does not answer {path} as expected after {START_SECONDS:.0f} seconds")


def shows(client: httpx.Client, path: str, since: float) -> float | None:
    """Seconds from ``since`` until the path is answered; None when it is not, or was answered at once."""
    first = True
    while time.perf_counter() - since < PATIENCE:
        if client.get(path).status_code == 200:
            return None if first else time.perf_counter() - since
        first = False
        time.sleep(ASK_SECONDS)
    return None


def measured(client: httpx.Client, told: queue.Queue[Told], path: Callable[[bytes], str | None], count: int) -> Delays:
    """The delays of so many of what the daemon tells, one at a time; what it tells meanwhile is passed over."""
    found: list[float] = []
    deadline = time.monotonic() + START_SECONDS + 5 * count * BLOCK_SECONDS
    while len(found) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"only {len(found)} of {count} things showed in time")
        while not told.empty():
            path(told.get()[1])
        since, body = told.get(timeout=START_SECONDS)
        where = path(body)
        seconds = None if where is None else shows(client, where, since)
        if seconds is not None:
            found.append(seconds)
    return delays(found)


def block_path(body: bytes) -> str:
    """Where a block shows; ``hashblock`` has its hash in display order."""
    return f"/api/v1/blocks/{body.hex()}"


class NewTransactions:
    """Where a transaction shows; None for one that was told before: it is told again when it is mined."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def __call__(self, raw: bytes) -> str | None:
        """The path of a transaction."""
        try:
            txid = parse_transaction(raw).txid
        except ParseError:
            return None  # a coinbase stands only in its block
        known = txid in self._seen
        self._seen.add(txid)
        return None if known else f"/api/v1/transactions/{hash_text(txid)}"


def run(zmq: bool, count: int) -> tuple[Delays, Delays]:
    """The delays of blocks and of transactions, with ZMQ or by polling alone."""
    address = f"tcp://127.0.0.1:{free_port()}"
    port = free_port()
    blocks: queue.Queue[Told] = queue.Queue()
    transactions: queue.Queue[Told] = queue.Queue()
    callbacks = {
        "hashblock": lambda body: blocks.put((time.perf_counter(), body)) if len(body) == 32 else None,
        "rawtx": lambda body: transactions.put((time.perf_counter(), body)),
    }
    with tempfile.TemporaryDirectory(prefix="flux-bench-follow-") as folder:
        environ = settings(Path(folder))
        explorer = environ | {"FLUX_EXPLORER_PORT": str(port), "FLUX_DAEMON_ZMQ": address if zmq else ""}
        with (
            process(environ | {"FLUX_DAEMON_ZMQ": address}, "demo", "--daemon-only"),
            process(explorer, "run"),
            closing(Notifications(address, callbacks)),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
        ):
            wait_for_tip(client)
            return (
                measured(client, blocks, block_path, count),
                measured(client, transactions, NewTransactions(), count),
            )


def table(found: dict[str, tuple[Delays, Delays]]) -> str:
    """The table of docs/measurements.md: of each way, the delays of blocks and of transactions."""
    lines = ["| what is new | median | 95 of 100 within | longest | budget |", "| --- | --- | --- | --- | --- |"]
    for (how, pair), budget in zip(found.items(), BUDGETS, strict=True):
        for what, delays, most in (("block", pair[0], budget), ("transaction", pair[1], "1 s")):
            cells = (f"{ms:.0f} ms" for ms in (delays.median, delays.most, delays.longest))
            lines.append(f"| {what}, {how} | {' | '.join(cells)} | {most} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure both ways; some three minutes."""
    parser = argparse.ArgumentParser(prog="python -m bench.follow", description=__doc__)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="blocks, and transactions, of each way")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/measurements.md")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    found = table({how: run(how == WITH_ZMQ, given.samples) for how in (WITH_ZMQ, "by polling")})
    publish("follow", f"{found}\n{measured_on(load, f'{given.samples} of each.')}", write=given.write)


if __name__ == "__main__":
    main()
