"""The site's connections, watched: too many are not let in, and who neither asks nor reads is sent away.

What is too much says the application (``app.state.connections``); here is how uvicorn does it.
"""

from __future__ import annotations

import resource
from collections.abc import Iterable
from typing import Any, Final

from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from indexer.commands.http_bounds import BoundedHttp

SPARE_FILES: Final = 256  # for the database, the daemon, the parallel chains and what is read from disk
BUSY: Final = b"too many connections: close some, or come back later\n"
REFUSAL: Final = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: text/plain; charset=utf-8\r\nretry-after: 10\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s"
) % (len(BUSY), BUSY)


class WatchedHttp(BoundedHttp):
    """HTTP/1.1 whose connections are entered."""

    entered: Any = None

    def connection_made(self, transport: Any) -> None:
        """Let it in, or say that there are too many."""
        super().connection_made(transport)
        self.entered = _enter(self)
        if self.entered is None:
            transport.write(REFUSAL)
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Read on, but nothing of a connection that was not let in."""
        if self.entered is not None:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        _leave(self)
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """It goes on as a websocket, which enters itself."""
        _leave(self)
        super().handle_websocket_upgrade()

    def on_headers_complete(self) -> None:
        """A request has been asked."""
        self.entered.waiting_since = None
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """It has been answered; the next one is waited for, unless it has come already."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self.entered.waiting_since = self.loop.time()


class WatchedSocket(WSProtocol):
    """A websocket whose connection is entered."""

    entered: Any = None

    def connection_made(self, transport: Any) -> None:
        """Take the place that the request for it had."""
        super().connection_made(transport)
        self.entered = _enter(self)
        if self.entered is None:
            transport.close()
        else:
            self.entered.waiting_since = None

    def connection_lost(self, exc: Exception | None) -> None:
        """It is closed."""
        _leave(self)
        super().connection_lost(exc)


def send_away(protocols: Iterable[Any], connections: Any) -> None:
    """Close, without waiting for it, what neither asks nor reads, and what keeps too much in memory."""
    transports = {protocol.entered: protocol.transport for protocol in protocols if protocol.entered is not None}
    now = next((protocol.loop.time() for protocol in protocols), 0.0)
    for entered, transport in transports.items():
        entered.note_unsent(transport.get_write_buffer_size(), now)
    for entered in connections.hopeless(now):
        if entered in transports:
            transports[entered].abort()


def allow_files(wanted: int) -> None:
    """Let this process have as many connections open as it may, as far as the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + SPARE_FILES if hard == resource.RLIM_INFINITY else min(wanted + SPARE_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _enter(protocol: Any) -> Any:
    peer = protocol.transport.get_extra_info("peername")
    return protocol.config.app.state.connections.enter(peer[0] if peer else None, protocol.loop.time())


def _leave(protocol: Any) -> None:
    if protocol.entered is not None:
        protocol.config.app.state.connections.leave(protocol.entered)
