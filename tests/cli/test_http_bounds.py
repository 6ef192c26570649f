"""What the site's protocol refuses: heads, trailers and lines of chunks without an end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from indexer.commands.http_bounds import MOST_UNFINISHED, BoundedHttp

POST = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n"
ENDLESS = b"x" * MOST_UNFINISHED  # what is left unread would reset the connection
MANY = (b"GET / HTTP/1.1\r\na: " + b"x" * 4000 + b"\r\n\r\n") * (MOST_UNFINISHED // 2000)
ALMOST = b"x" * (MOST_UNFINISHED - 1000)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body."""
    length, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d bytes" % length})


async def answered(request: bytes) -> bytes:
    """All that the protocol says to a connection that says no more than this."""
    config = uvicorn.Config(app, http=BoundedHttp, lifespan="off", access_log=False, log_level="critical")
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: BoundedHttp(config, state, {}), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        writer.write(request)
        try:
            return await asyncio.wait_for(reader.read(), 20)
        except ConnectionResetError:  # it was not read to the end
            return b""
        finally:
            writer.close()


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nhost: x\r\na: " + ENDLESS, b"431", id="header"),
        pytest.param(b"GET /" + ENDLESS, b"431", id="url"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (MOST_UNFINISHED // 6), b"431", id="many headers"),
        pytest.param(POST + b"1;" + ENDLESS * 8, b"", id="chunk extension"),
        pytest.param(POST + b"0\r\na: " + ENDLESS * 8, b"", id="trailer"),
        pytest.param(b"GET / HTTP/1.1\r\na: " + ALMOST + b"\r\nconnection: close\r\n\r\n", b"0 bytes", id="almost"),
        pytest.param(
            b"POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (8 * len(ENDLESS)) + ENDLESS * 8,
            b"%d bytes" % (8 * len(ENDLESS)),
            id="body",
        ),
        pytest.param(MANY + b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n", b"200", id="many"),
    ],
)
def test_what_does_not_end_is_refused_and_nothing_else(request_bytes: bytes, said: bytes) -> None:
    answer = asyncio.run(answered(request_bytes))
    assert said in answer
    assert (b"200 OK" in answer) == (said[-5:] == b"bytes" or said == b"200")
