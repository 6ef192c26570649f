"""Who sends too much gets his answer all the same: over a real socket, from clients that send before they read."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from ipaddress import ip_network
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from explorer.guard import door
from explorer.guard.allowance import Allowance
from explorer.guard.clients import Clients
from explorer.guard.door import MOST_BODY, Door
from explorer.guard.refusals import none_yet
from indexer.commands.http_bounds import BoundedHttp

PIECE = b" " * (1 << 16)
CHUNK = b"10000\r\n" + PIECE + b"\r\n"
PIECES = 80  # 5 MiB
SENT_ON_THE_WAY = 24 << 20  # what the machine holds between two sockets


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Takes nothing: its answer is there before the body."""
    await send({"type": "http.response.start", "status": 405, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


def head(length: int | None) -> bytes:
    """The head of a request with a body of this length, in chunks where it is None."""
    told = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return f"POST / HTTP/1.1\r\nhost: x\r\n{told}\r\n\r\n".encode()


async def spoken(*sent: bytes) -> tuple[bytes, int]:
    """What a client is answered that reads when it has sent everything, and how many bytes it got rid of."""
    guarded = Door(app, Clients([], [ip_network("127.0.0.0/8")]), Allowance(0, 0), none_yet())
    config = uvicorn.Config(guarded, http=BoundedHttp, lifespan="off", access_log=False, log_level="critical")
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    async with await loop.create_server(lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        gone, answer = 0, b""
        with suppress(ConnectionError):
            for piece in sent:
                writer.write(piece)
                await writer.drain()
                gone += len(piece)
            answer = await asyncio.wait_for(reader.read(), 20)
        writer.transport.abort()
        return answer, gone


@pytest.mark.parametrize(
    ("length", "piece", "end", "status"),
    [
        pytest.param(PIECES * len(PIECE), PIECE, b"", b"413", id="announced"),
        pytest.param(None, CHUNK, b"0\r\n\r\n", b"405", id="in chunks"),
        pytest.param(MOST_BODY // len(PIECE) * len(PIECE), PIECE, b"", b"405", id="not wanted"),
    ],
)
def test_who_sends_all_of_it_reads_the_answer(length: int | None, piece: bytes, end: bytes, status: bytes) -> None:
    pieces = [piece] * ((length or PIECES * len(PIECE)) // len(PIECE))
    answer, gone = asyncio.run(spoken(head(length), *pieces, end))
    assert answer.startswith(b"HTTP/1.1 " + status) and b"connection: close" in answer
    assert gone == len(head(length)) + sum(map(len, pieces)) + len(end)


def test_who_sends_on_is_cut_off() -> None:
    size = 100 << 20
    _, gone = asyncio.run(spoken(head(size), *[PIECE] * (size // len(PIECE))))
    assert gone <= door.LINGER_BYTES + SENT_ON_THE_WAY


def test_who_stops_without_an_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LINGER_SECONDS", 0.2)
    begun = time.monotonic()
    answer, _ = asyncio.run(spoken(head(MOST_BODY), PIECE))
    assert answer.startswith(b"HTTP/1.1 405") and 0.2 <= time.monotonic() - begun < 15
