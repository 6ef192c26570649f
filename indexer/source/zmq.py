"""The daemon's ZMQ notifications: why wait for the next poll. Losing them costs time and nothing else.

Frames: topic, body, u32 number that counts up per topic (``zmq/zmqpublishnotifier.cpp:SendMessage``). The daemon
neither repeats nor keeps a message, so that a follower must go on polling; polling is what makes it right.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from time import monotonic

import zmq

from indexer.errors import ConfigError

NEW_TIP = ("hashblock", "hashblockheight", "chainreorg")
"""The topics after which a daemon's tip is another one; any of them may be left out of its settings."""
NEW_TRANSACTION = ("hashtx", "rawtx")
"""The topics after which a daemon's mempool may be another one: a transaction came, or its block did or left."""

_LOOK_MS = 100
_SEQUENCE_SPAN = 1 << 32

log = logging.getLogger(__name__)


class Notifications:
    """Calls ``callbacks[topic](body)`` from a thread of its own for every message of these topics.

    ``addresses`` are separated by commas. ``missed(topic)`` is called when the numbers of a topic do not follow each
    other: messages were lost, or the daemon was started anew. ConfigError for an address that is none.
    """

    def __init__(
        self,
        addresses: str,
        callbacks: Mapping[str, Callable[[bytes], object]],
        missed: Callable[[str], object] = lambda topic: None,
    ) -> None:
        self._callbacks, self._missed = dict(callbacks), missed
        self._expected: dict[str, int] = {}
        self._ended = Event()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        self._socket.linger = 0
        self._socket.tcp_keepalive = 1
        for topic in self._callbacks:
            self._socket.subscribe(topic)
        try:
            self._connect(addresses)
        except ConfigError:
            self._context.destroy()
            raise
        self._thread = Thread(target=self._listen, name="notifications", daemon=True)
        self._thread.start()

    def _connect(self, addresses: str) -> None:
        for address in filter(None, map(str.strip, addresses.split(","))):
            try:
                self._socket.connect(address)
            except zmq.ZMQError as error:
                raise ConfigError(
                    f"daemon.zmq: {address} cannot be used ({error.strerror}): write tcp://host:port, as after "
                    "zmqpubhashblock= in flux.conf"
                ) from None

    def close(self) -> None:
        """End the thread and the connections."""
        self._ended.set()
        self._thread.join()
        self._context.destroy()

    def _listen(self) -> None:
        while not self._ended.is_set():
            if self._socket.poll(_LOOK_MS):
                self._take(self._socket.recv_multipart())

    def _take(self, frames: list[bytes]) -> None:
        topic = frames[0].decode("latin-1")
        callback = self._callbacks.get(topic)  # a subscription is to a prefix and brings other topics too
        if callback is None or len(frames) != 3 or len(frames[2]) != 4:
            return
        number = int.from_bytes(frames[2], "little")
        if number != self._expected.get(topic, number):
            log.debug("%s: expected message %d, got %d", topic, self._expected[topic], number)
            self._missed(topic)
        self._expected[topic] = (number + 1) % _SEQUENCE_SPAN
        callback(frames[1])


class Wake:
    """A pause between two polls that a notification cuts short."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._called = Event()

    def call(self, *_: object) -> None:
        """End the pause under way, or else the next one at once."""
        self._called.set()

    def wait(self, seconds: float) -> None:
        """Sleep for at most so many seconds: until called, or until told to stop."""
        until = monotonic() + seconds
        while not self._stop.is_set() and (left := until - monotonic()) > 0:
            if self._called.wait(min(left, _LOOK_MS / 1000)):
                break
        self._called.clear()


def waking(addresses: str, wake: Wake, transaction: Callable[..., object] | None = None) -> Notifications:
    """Notifications of these addresses that wake at a new tip and when any were lost, and tell of transactions."""
    callbacks = dict.fromkeys(NEW_TRANSACTION, transaction) if transaction is not None else {}
    return Notifications(addresses, callbacks | dict.fromkeys(NEW_TIP, wake.call), wake.call)
