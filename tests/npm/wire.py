"""A websocket without a library of its own between the test and the wire: frames by wsproto, bytes by a socket."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import Event, RejectConnection, Request, TextMessage

PATIENCE = 10.0


class RawSocket:
    """A socket to ``/websocket`` of a site; ``status`` is that of a refusal, 101 otherwise."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self._socket = socket.create_connection((at.hostname, at.port), PATIENCE)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._socket.sendall(self._connection.send(Request(host=at.netloc, target="/websocket")))
        first = self.hear()
        self.status = first.status_code if isinstance(first, RejectConnection) else 101

    def hear(self) -> Event:
        """The next event."""
        while True:
            for event in self._connection.events():
                return event
            self._connection.receive_data(self._socket.recv(1 << 16) or None)

    def say(self, text: str) -> None:
        """Send a message."""
        self._socket.sendall(self._connection.send(TextMessage(text)))

    def hang_up(self) -> None:
        """Go without a word."""
        self._socket.close()
