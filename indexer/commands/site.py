"""The site's process: a listening socket and uvicorn on it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from indexer.commands.connections import WatchedHttp, WatchedSocket, allow_files, send_away
from indexer.config import Explorer
from indexer.errors import ConfigError, Unavailable

BACKLOG = 1024
GOODBYE_SECONDS = 5
LOOK_TICKS = 20  # of a tenth of a second: how often connections are looked at
MESSAGE_BYTES = 4_100_000  # over a websocket: a transaction of the greatest size as hex, and what is around it


@contextmanager
def listening(settings: Explorer) -> Iterator[socket.socket]:
    """A socket that listens where the settings say; ConfigError in plain words when it cannot."""
    where = f"{settings.host} port {settings.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise ConfigError(f"explorer.host {settings.host!r} is no address of this machine: {error.strerror}") from error
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError as error:
            raise ConfigError(
                f"the site cannot listen on {where}: {error.strerror}; stop what uses it, or set "
                "explorer.host and explorer.port to others (FLUX_EXPLORER_PORT=0 takes a free one)"
            ) from error
        yield listener


def address(listener: socket.socket) -> str:
    """What to open in a browser."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


class _Server(uvicorn.Server):
    """Lets the application end its streams before connections are waited for; looks after connections."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object], goodbye: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready, self._goodbye = ready, goodbye

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % LOOK_TICKS == 0:
            send_away(self.server_state.connections, self.config.app.state.connections)  # type: ignore[union-attr]
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._goodbye()
        await super().shutdown(sockets)


def serve(app: Any, listener: socket.socket, ready: Callable[[], object] | None = None) -> int:
    """Serve an ASGI application until SIGINT or SIGTERM; the exit code.

    ``app.state.goodbye``, which its lifespan sets, is called when the end has begun; ``app.state.connections`` says
    whom to let in. ``ready`` is called when it serves; without it the address is printed.
    """
    # uvicorn raises the signal that ended it once more when it is done: to us it is a clean end.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    allow_files(app.state.connections.most)
    server = _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="on",
            timeout_graceful_shutdown=GOODBYE_SECONDS,
            loop="uvloop",
            http=WatchedHttp,
            proxy_headers=False,  # the application reads them, and knows whom to believe
            ws=WatchedSocket,
            ws_max_size=MESSAGE_BYTES,
            ws_per_message_deflate=False,  # its memory would be hundreds of kilobytes a socket
        ),
        ready or (lambda: None),
        lambda: app.state.goodbye(),
    )
    if ready is None:
        print(f"Flux Explorer: {address(listener)}", flush=True)
    server.run(sockets=[listener])
    if not server.started:
        raise Unavailable("the site did not start; the lines above say why")
    return 0
