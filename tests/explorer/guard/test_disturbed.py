"""Whoever floods, dawdles, or sends without an end disturbs himself: a site in a process of its own, and the others.

Every client has an address of its own on this machine. How fast the others are answered is compared with how fast
they are answered when they are alone, generously: it is the order of magnitude that counts.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, cast

import pytest

from explorer.guard.door import LINGER_BYTES, MOST_BODY
from explorer.tasks import end
from indexer.children import stop_child
from indexer.commands.demo import free_port
from tests import recorded

pytestmark = pytest.mark.slow

PROXY = "127.0.0.1"
PER_CLIENT, BURST, STREAMS = 300, 700, 2000
DEAF = 12
PATIENCE = 60.0
SAMPLES = 60
TRIES = 3
SLOWER = 25.0  # times: what would tell of a site that is held up, and not of a busy machine
SMALL = "/api/v1/blocks/1850"
LARGE = "/api/v1/blocks?limit=1000"
# The site, less patient than it is.
COMMAND = (
    "import sys; from explorer.guard import connections; from indexer.cli import main;"
    "connections.HEAD_SECONDS = connections.STALLED_SECONDS = 2.0; sys.exit(main(['serve']))"
)

Disturbing = Callable[[], Coroutine[Any, Any, None]]


class Site:
    """Where the site is, and how to speak with it from an address."""

    def __init__(self, port: int, process: int) -> None:
        self.port, self.process = port, process

    async def open(self, address: str, holds: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from an address of this machine, which holds so many bytes that nobody reads."""
        return await asyncio.open_connection(sock=await self.connect(address, holds))

    async def connect(self, address: str, holds: int = 0) -> socket.socket:
        """The same as a bare socket."""
        speaking = socket.socket()
        speaking.setblocking(False)
        if holds:
            speaking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, holds)
        try:
            speaking.bind((address, 0))
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().sock_connect(speaking, ("127.0.0.1", self.port))
        except BaseException:
            speaking.close()
            raise
        return speaking

    def memory(self) -> int:
        """What the process has in memory, in bytes."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * resource.getpagesize()


def head(path: str = SMALL, method: str = "GET", **headers: str) -> bytes:
    """The head of a request."""
    told = {"host": "explorer", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in told.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer, whose length is told."""
    async with asyncio.timeout(PATIENCE):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
        return int(lines[0].split()[1]), await reader.readexactly(length)


async def polite(site: Site, address: str, forwarded: str = "") -> float:
    """The median of the seconds that answers take to a client who asks now and then; every one is an answer."""
    reader, writer = await site.open(PROXY if forwarded else address)
    took = []
    request = head(x_forwarded_for=forwarded) if forwarded else head()
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        writer.write(request)
        status, _ = await answer(reader)
        assert status == 200
        took.append(time.perf_counter() - begun)
        await asyncio.sleep(0.01)
    writer.transport.abort()
    return median(took)


async def undisturbed(
    site: Site, number: int, disturbing: Disturbing, forwarded: str = "", done: Callable[[], bool] = lambda: True
) -> None:
    """Whether others are answered while somebody disturbs; ``number`` makes an address of its own for them.

    It is disturbed until ``done``.
    """
    alone = await polite(site, f"127.7.{number}.1", forwarded)
    disturbance = asyncio.create_task(disturbing())
    try:
        await asyncio.sleep(1.0)
        await as_before(site, number, alone, forwarded)
        async with asyncio.timeout(PATIENCE):
            while not done():
                await asyncio.sleep(0.05)
    finally:
        await end(disturbance)


async def as_before(site: Site, number: int, alone: float, forwarded: str = "") -> None:
    """Whether others are answered about as fast as when they were alone, in one of a few tries."""
    ratios: list[float] = []
    while len(ratios) < TRIES and min(ratios, default=SLOWER) >= SLOWER:
        own = f"{forwarded}{len(ratios)}" if forwarded else ""
        ratios.append(await polite(site, f"127.7.{number}.{len(ratios) + 2}", own) / alone)
    assert min(ratios) < SLOWER, ratios


@pytest.fixture(scope="module")
def site(recorded_index: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site of the recorded chain as it is served, behind a proxy whose address is ``PROXY``."""
    uri, name = recorded_index
    port = free_port()
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    environ = bare | {
        "HOME": str(tmp_path_factory.mktemp("guard")),
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DATABASE_URI": uri,
        "FLUX_DATABASE_NAME": name,
        "FLUX_EXPLORER_HOST": "0.0.0.0",
        "FLUX_EXPLORER_PORT": str(port),
        "FLUX_EXPLORER_STREAMS_PER_CLIENT": "100",
        "FLUX_GUARD_BURST": str(BURST),
        "FLUX_GUARD_TRUSTED_PROXIES": PROXY,
        "FLUX_GUARD_CONNECTIONS_PER_CLIENT": str(PER_CLIENT),
    }
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * STREAMS)), hard))
    child = subprocess.Popen([sys.executable, "-c", COMMAND], env=environ, stdout=subprocess.DEVNULL)
    try:
        running = Site(port, child.pid)
        asyncio.run(listens(running))
        yield running
    finally:
        assert stop_child(child, PATIENCE) == 0
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def listens(site: Site) -> None:
    """Wait until the site answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(OSError):
            reader, writer = await site.open(PROXY)
            writer.write(head())
            status, _ = await answer(reader)
            writer.transport.abort()
            if status == 200:
                return
        await asyncio.sleep(0.1)
    raise AssertionError("the site does not listen")


async def flood(site: Site, address: str, told: Counter[int], connections: int, **headers: str) -> None:
    """Ask as fast as answers come."""

    async def one() -> None:
        reader, writer = await site.open(address)
        try:
            while True:
                writer.write(head(**headers))
                status, _ = await answer(reader)
                told[status] += 1
        finally:
            writer.transport.abort()

    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())


def test_a_flood_from_one_address(site: Site) -> None:
    told: Counter[int] = Counter()
    asyncio.run(undisturbed(site, 1, lambda: flood(site, "127.0.0.9", told, 100), done=lambda: told[429] > 0))
    assert told[200] >= BURST and told.keys() == {200, 429}


def test_a_flood_through_the_proxy(site: Site) -> None:
    """The others come through the same proxy; the flood says that it is one of them, and somebody else each time."""
    told: Counter[int] = Counter()

    def flooding() -> Coroutine[Any, Any, None]:
        return flood(site, PROXY, told, 30, x_forwarded_for="203.0.113.10, 203.0.113.9")

    asyncio.run(undisturbed(site, 2, flooding, "203.0.113.1", lambda: told[429] > 0))
    assert told[200] >= BURST and told.keys() == {200, 429}


def test_clients_that_never_read(site: Site) -> None:
    """What waits for them is bounded, and they are sent away."""

    async def test() -> None:
        before = site.memory()
        open_ = []

        async def disturbing() -> None:
            for n in range(DEAF):
                _, writer = await site.open(f"127.2.{n}.1", holds=4096)
                cast(asyncio.Transport, writer.transport).pause_reading()
                writer.write(head(LARGE) * 10)
                open_.append(writer)
            await asyncio.Event().wait()

        await undisturbed(site, 3, disturbing)
        assert site.memory() - before < 256 << 20
        await until_refused(site, "stalled", DEAF)
        for writer in open_:
            writer.transport.abort()

    asyncio.run(test())


async def until_refused(site: Site, kind: str, count: int) -> None:
    """Wait until there have been so many refusals of a kind."""
    deadline = time.monotonic() + PATIENCE
    while True:
        reader, writer = await site.open(PROXY)
        writer.write(head("/metrics", x_forwarded_for="203.0.113.99"))
        _, body = await answer(reader)
        writer.transport.abort()
        line = next(line for line in body.decode().splitlines() if f'refused_total{{kind="{kind}"}}' in line)
        if int(line.split()[-1]) >= count:
            return
        assert time.monotonic() < deadline, line
        await asyncio.sleep(0.5)


def test_clients_that_never_finish_their_question(site: Site) -> None:
    async def test() -> None:
        async def dawdling(first: bytes) -> float:
            reader, writer = await site.open("127.0.0.11")
            writer.write(first)
            begun = time.monotonic()
            with suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(b"x")
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0.2):
                            await reader.read(1 << 16)
                    assert time.monotonic() - begun < PATIENCE
            writer.transport.abort()
            return time.monotonic() - begun

        began = (b"GET / HTTP/1.1\r\na: ", b"", head() + b"GET /", b"POST / HTTP/1.1\r\ncontent-length: 99\r\na:")
        await asyncio.gather(*(dawdling(first) for first in began * 10))

    asyncio.run(test())


def test_two_thousand_streams_that_say_nothing(site: Site) -> None:
    @asynccontextmanager
    async def stream(n: int) -> AsyncIterator[bytes]:
        reader, writer = await site.open(f"127.1.{n // 100}.1")
        writer.write(head("/api/v1/events"))
        try:
            async with asyncio.timeout(PATIENCE):
                first = await reader.readuntil(b"\r\n")
            yield first
        finally:
            writer.transport.abort()

    async def test() -> None:
        ready, over, began = asyncio.Semaphore(0), asyncio.Event(), Counter[bytes]()
        alone = await polite(site, "127.7.5.1")

        async def listen(n: int) -> None:
            async with stream(n) as first:
                began[first] += 1
                ready.release()
                await over.wait()

        async with asyncio.TaskGroup() as group:
            for n in range(STREAMS):
                group.create_task(listen(n))
                if n % 50 == 49:  # not more at once than a machine takes that does something else too
                    for _ in range(50):
                        await ready.acquire()
            assert began == {b"HTTP/1.1 200 OK\r\n": STREAMS}
            await as_before(site, 5, alone)
            async with stream(0) as one_more:
                assert b" 429 " in one_more
            async with stream(STREAMS) as of_another:
                assert b" 200 " in of_another
            over.set()

    asyncio.run(test())


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
def test_a_body_of_a_hundred_megabytes_is_not_read_to_its_end(site: Site, announced: bool) -> None:
    size = 100 << 20

    async def send() -> tuple[bytes, int]:
        """What was answered, and how much was sent until the connection was closed."""
        loop, speaking = asyncio.get_running_loop(), await site.connect("127.0.0.12")
        length = {"content_length": str(size)} if announced else {"transfer_encoding": "chunked"}
        piece = b" " * (1 << 16)
        sent, told = 0, b""
        with speaking:
            await loop.sock_sendall(speaking, head("/api/v1/transactions", "POST", **length))
            with suppress(ConnectionError):
                while sent < size:
                    await loop.sock_sendall(speaking, piece if announced else b"10000\r\n" + piece + b"\r\n")
                    sent += len(piece)
            with suppress(ConnectionError):  # what came before the end can still be read
                while more := await loop.sock_recv(speaking, 1 << 16):
                    told += more
        return told, sent

    async def test() -> None:
        async def disturbing() -> None:
            while True:
                await send()

        told, sent = await send()
        assert told.startswith(b"HTTP/1.1 413 ") and b"too_large" in told
        assert sent <= MOST_BODY + LINGER_BYTES + (24 << 20)  # what the machine holds on the way
        await undisturbed(site, 6 + announced, disturbing)

    asyncio.run(test())


def test_too_many_connections_of_one_client(site: Site) -> None:
    async def test() -> None:
        open_ = [await site.open("127.0.0.13") for _ in range(PER_CLIENT)]
        reader, writer = await site.open("127.0.0.13")
        assert (await answer(reader))[0] == 429
        await polite(site, "127.0.0.14")
        for _, one in (*open_, (reader, writer)):
            one.transport.abort()

    asyncio.run(test())
