"""The simulated daemon's notifications, heard by the indexer's own subscriber."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest

from indexer.commands.demo import free_port
from indexer.demo.chain import Place
from indexer.demo.publish import Publisher
from indexer.errors import ConfigError
from indexer.source.zmq import Notifications

PATIENCE = 20.0


def place(number: int) -> Place:
    return Place(bytes([number]) * 31 + b"\0", bytes(32), 0, 0, number, 0, 0)


@contextmanager
def listening(address: str, *topics: str) -> Iterator[queue.Queue[tuple[str, bytes]]]:
    heard: queue.Queue[tuple[str, bytes]] = queue.Queue()

    def note(topic: str, body: bytes) -> None:
        heard.put((topic, body))

    with closing(Notifications(address, {topic: partial(note, topic) for topic in topics})):
        yield heard


def first_heard(publisher: Publisher, heard: queue.Queue[tuple[str, bytes]]) -> None:
    """Publish until the subscriber, who connects in its own time, has heard."""
    until = time.monotonic() + PATIENCE
    while heard.empty() and time.monotonic() < until:
        publisher.transactions([b"hello"])
        time.sleep(0.02)
    while heard.get(timeout=PATIENCE) != ("rawtx", b"hello"):
        pass


def test_bodies_are_the_daemons() -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    topics = ("rawtx", "hashblock", "hashblockheight", "chainreorg")
    with closing(Publisher(address)) as publisher, listening(address, *topics) as heard:
        first_heard(publisher, heard)
        publisher.reorganised(place(9), place(10), place(7))
        publisher.new_tip(place(10))
        messages: list[tuple[str, bytes]] = []
        while len(messages) < 3:
            message = heard.get(timeout=PATIENCE)
            messages += [message] if message[0] != "rawtx" else []
    old, new, fork = (place(n).hash[::-1] + bytes([n, 0, 0, 0]) for n in (9, 10, 7))
    assert messages == [("chainreorg", old + new + fork), ("hashblock", new[:32]), ("hashblockheight", new)]


def test_a_taken_address_is_told() -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    with closing(Publisher(address)), pytest.raises(ConfigError, match="cannot publish at"):
        Publisher(address)
