"""HTTP servers on loopback that tests give a behaviour: documented answers, and everything that can go wrong."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any


@dataclass
class Answer:
    """What a server sends; a body that is no bytes is sent piece by piece until the client goes."""

    body: bytes | Iterable[bytes]
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """What a server was asked."""

    method: str
    path: str
    body: Any
    headers: Mapping[str, str]


Behaviour = Callable[[Asked], Any]


class Server:
    """A running server; ``behaviour`` may be changed while it runs, ``asked`` is all that was asked."""

    def __init__(self, behaviour: Behaviour, port: int = 0) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self._http = _Http(("127.0.0.1", port), _Handler)
        self._http.owner = self
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._http.server_address[1])

    def stop(self) -> None:
        """Stop listening; who is connected is cut off."""
        self._http.ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: Server

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ended = Event()
        self.connections: list[socket.socket] = []

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def server_close(self) -> None:
        super().server_close()
        for connection in self.connections:
            connection.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes in the middle of an answer is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""

    def _answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, json.loads(raw) if raw else None, dict(self.headers))
        self.server.owner.asked.append(asked)
        found = self.server.owner.behaviour(asked)
        self._send(found if isinstance(found, Answer) else Answer(as_json(found)))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        if isinstance(answer.body, bytes):
            self.send_header("Content-Length", str(len(answer.body)))
        else:
            self.close_connection = True
        self.end_headers()
        for piece in [answer.body] if isinstance(answer.body, bytes) else answer.body:
            if self.server.ended.is_set():
                return
            self.wfile.write(piece)
            self.wfile.flush()


def as_json(value: Any) -> bytes:
    """JSON in which a Decimal is a number with all of its digits."""
    numbers: dict[str, str] = {}

    def placed(number: Any) -> str:
        assert isinstance(number, Decimal)
        mark = f"@{len(numbers)}@"
        numbers[f'"{mark}"'] = f"{number:f}"
        return mark

    text = json.dumps(value, default=placed)
    for mark, digits in numbers.items():
        text = text.replace(mark, digits)
    return text.encode()


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[Server]:
    """A server for as long as the context lasts."""
    server = Server(behaviour)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def hanging() -> Iterator[str]:
    """The URL of a socket that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
