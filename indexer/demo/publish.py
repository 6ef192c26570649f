"""The simulated daemon's ZMQ notifications (``zmq/zmqpublishnotifier.cpp``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import zmq

from indexer.demo.chain import Place
from indexer.errors import ConfigError


class Publisher:
    """Publishes on one address; not thread-safe."""

    def __init__(self, address: str) -> None:
        """ConfigError when the address cannot be bound."""
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.linger = 0
        self._sequence: Counter[str] = Counter()
        try:
            self._socket.bind(address)
        except zmq.ZMQError as error:
            self._context.destroy()
            raise ConfigError(f"daemon.zmq: the demo daemon cannot publish at {address}: {error.strerror}") from None

    def close(self) -> None:
        """Stop publishing."""
        self._context.destroy()

    def _send(self, topic: str, body: bytes) -> None:
        number = self._sequence[topic] & 0xFFFFFFFF
        self._sequence[topic] += 1
        self._socket.send_multipart([topic.encode(), body, number.to_bytes(4, "little")])

    def transactions(self, raws: Iterable[bytes]) -> None:
        """Transactions that came, were mined, or whose block left the chain."""
        for raw in raws:
            self._send("rawtx", raw)

    def new_tip(self, tip: Place) -> None:
        """A new tip; hashes in display order."""
        self._send("hashblock", tip.hash[::-1])
        self._send("hashblockheight", _place(tip))

    def reorganised(self, old_tip: Place, new_tip: Place, fork: Place) -> None:
        """Blocks left the chain; the new tip is told afterwards."""
        self._send("chainreorg", _place(old_tip) + _place(new_tip) + _place(fork))


def _place(place: Place) -> bytes:
    return place.hash[::-1] + place.height.to_bytes(4, "little")
