"""How many answers a second the site gives, and how late they are under a steady load: ``python -m bench.load``.

The demo network as ``flux-explorer`` runs it, and one more process of the site, alone on a processor core, in which a
static answer of Starlette stands beside the explorer: what that costs is what server and framework cost. The demo
network, its database and wrk, which asks, are on the other cores.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bench.follow import process, settings, wait_for, wait_for_tip
from bench.page import measured_on, publish
from bench.questions import Question, hot, mixed, script
from explorer.app import create_app
from indexer.commands import database, site
from indexer.commands.demo import free_port
from indexer.config import load_config

STATIC = "/static-answer"
ROUNDS = 5
HOT_SECONDS, WARM_SECONDS = 4, 2
HOT_CONNECTIONS = 16
STEADY_CONNECTIONS, PAUSE_MS = 50, 100  # 500 a second, less what an answer takes
BLOCK_SECONDS = 30  # as on the main net
STEADY_ROUNDS = 3  # of one block each: what is asked after a block is late


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw, latencies in milliseconds, and the processor time of the server in microseconds an answer."""

    rate: float
    median: float
    p99: float
    failed: int
    processor: float


async def static_answer(request: Request) -> PlainTextResponse:
    """As much text as an answer of the API."""
    return PlainTextResponse("x" * 1000)


class Beside:
    """The explorer with another application beside it."""

    def __init__(self, app: Starlette) -> None:
        self._app, self._static = app, Starlette(routes=[Route(STATIC, static_answer)])
        self.state = app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """To the one or the other, by path."""
        static = scope["type"] == "http" and scope["path"] == STATIC
        await (self._static if static else self._app)(scope, receive, send)


def serve(port: int) -> int:
    """Serve both until told to stop."""
    config = load_config()
    with site.listening(replace(config.explorer, port=port)) as listener, database.readable(config) as uri:
        return site.serve(Beside(create_app(database.with_uri(config, uri), simulated=True)), listener)


@contextmanager
def measured(environ: dict[str, str], port: int, core: int) -> Iterator[int]:
    """The measured process on a core of its own; its process id."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "bench.load", "--serve", str(port)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as child:
        try:
            yield child.pid
        finally:
            child.terminate()


def processor_seconds(pid: int) -> float:
    """The processor time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def free_core() -> Iterator[int]:
    """A processor core that this process keeps off, and so does what it starts, unless told otherwise."""
    all_cores = os.sched_getaffinity(0)
    core = max(all_cores)
    os.sched_setaffinity(0, all_cores - {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, all_cores)


class Wrk:
    """wrk asking a server at a port; ``pid`` is the server's."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self._folder, self._url, self._pid = folder, f"http://127.0.0.1:{port}", pid

    def ask(self, questions: list[Question], connections: int, seconds: int, pause_ms: int = 0) -> Load:
        """Ask these questions in turn, each connection for itself, with a pause after every answer."""
        lua = self._folder / "questions.lua"
        lua.write_text(script(questions, pause_ms))
        before = processor_seconds(self._pid)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(lua), self._url]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        count, micros, failed, median, p99 = map(int, told.rpartition("RESULT ")[2].split())
        processor = 1e6 * (processor_seconds(self._pid) - before) / max(count, 1)
        return Load(1e6 * count / micros, median / 1000, p99 / 1000, failed, processor)


def middle(loads: list[Load]) -> Load:
    """The median of each figure, and all that failed."""
    fields = (statistics.median(getattr(load, name) for load in loads) for name in ("rate", "median", "p99"))
    rate, median, p99 = fields
    return Load(
        rate, median, p99, sum(load.failed for load in loads), statistics.median(load.processor for load in loads)
    )


def pairs(
    wrk: Wrk, questions: list[Question], rounds: int, connections: int, seconds: int, pause: int = 0
) -> tuple[Load, Load]:
    """What these questions and the static answer come to, asked in turn."""
    static = [Question("GET", STATIC)]
    wrk.ask(questions, connections, WARM_SECONDS, pause)
    found = [
        (wrk.ask(questions, connections, seconds, pause), wrk.ask(static, connections, seconds, pause))
        for _ in range(rounds)
    ]
    return middle([ours for ours, _ in found]), middle([theirs for _, theirs in found])


def table(full: tuple[Load, Load], steady: tuple[Load, Load], count: int) -> str:
    """The figures of docs/measurements.md."""
    (memory, static), (mix, quiet) = full, steady
    failed = sum(load.failed for load in (*full, *steady))
    rows = [
        ("hot answers, one core", f"{memory.rate:,.0f} requests/s", "3,000"),
        ("a static answer of Starlette in the same process", f"{static.rate:,.0f} requests/s", ""),
        ("hot answers, in times of the static one", f"{memory.rate / static.rate:.2f}", ""),
        ("processor time of a hot answer", _of(memory, static), ""),
        ("hot answers that a whole core could give", f"{1e6 / memory.processor:,.0f} requests/s", "3,000"),
        (f"mixed profile at {mix.rate:.0f} requests/s", _late(mix), "p99 10 ms"),
        (f"the static answer at {quiet.rate:.0f} requests/s", _late(quiet), ""),
        ("processor time of an answer of the mixed profile", _of(mix, quiet), ""),
        ("requests that failed", f"{failed}", "0"),
    ]
    lines = ["| what | figure | budget |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines) + f"\n\nThe mixed profile has {count} different questions.\n"


def _of(load: Load, static: Load) -> str:
    return f"{load.processor:.0f} µs, of the static one {static.processor:.0f} µs"


def _late(load: Load) -> str:
    return f"p99 {load.p99:.1f} ms, median {load.median:.2f} ms"


def run(rounds: int, seconds: int, steady_rounds: int) -> str:
    """Measure; the table."""
    port, shown = free_port(), free_port()
    with free_core() as core, tempfile.TemporaryDirectory(prefix="flux-bench-load-") as folder:
        common = settings(Path(folder)) | {"FLUX_GUARD_RATE": "0", "FLUX_DEMO_BLOCK_SECONDS": str(BLOCK_SECONDS)}
        with (
            process(common, "demo", "--daemon-only"),
            process(common | {"FLUX_EXPLORER_PORT": str(shown)}, "run"),
            httpx.Client(base_url=f"http://127.0.0.1:{shown}", trust_env=False, timeout=30) as first,
        ):
            wait_for_tip(first)
            with (
                measured(common, port, core) as pid,
                httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client,
            ):
                wait_for_tip(client)
                wait_for(client, "/api/v1/richlist")  # which is made a while after the first block
                wrk = Wrk(Path(folder), port, pid)
                full = pairs(wrk, hot(client), rounds, HOT_CONNECTIONS, seconds)
                questions = mixed(client)
                steady = pairs(wrk, questions, steady_rounds, STEADY_CONNECTIONS, BLOCK_SECONDS, PAUSE_MS)
                return table(full, steady, len(questions))


def main() -> None:
    """Measure; five minutes."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of hot answers and static ones, in turn")
    parser.add_argument("--seconds", type=int, default=HOT_SECONDS, help="of a round")
    parser.add_argument("--blocks", type=int, default=STEADY_ROUNDS, help="rounds of the steady load, in turn too")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/measurements.md")
    parser.add_argument("--serve", type=int, metavar="PORT", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        sys.exit(serve(given.serve))
    if which("wrk") is None or len(os.sched_getaffinity(0)) < 2:
        sys.exit("wrk and a machine with two cores are needed: apt-get install wrk")
    load = os.getloadavg()[0]
    found = run(given.rounds, given.seconds, given.blocks)
    publish("load", f"{found}\n{measured_on(load)}", write=given.write)


if __name__ == "__main__":
    main()
