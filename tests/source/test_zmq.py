"""Notifications over real sockets: a publisher sends what the recorded daemon sent."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from threading import Event, Timer
from typing import Any

import pytest
import zmq

from indexer.errors import ConfigError
from indexer.source.zmq import NEW_TIP, Notifications, Wake, waking
from tests import recorded

PATIENCE = 10.0


@cache
def messages() -> tuple[dict[str, Any], ...]:
    """The recorded daemon's messages around its first reorganisation and around a restart."""
    return tuple(recorded.read_jsonl(recorded.CHAIN / "zmq.jsonl.xz"))


class Publisher:
    """A daemon's publishing socket on a free port."""

    def __init__(self) -> None:
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.XPUB)
        self._socket.sndhwm = 0
        self.address = f"tcp://127.0.0.1:{self._socket.bind_to_random_port('tcp://127.0.0.1')}"

    def await_subscriptions(self, count: int) -> None:
        for _ in range(count):
            assert self._socket.poll(int(PATIENCE * 1000))
            self._socket.recv()

    def send(self, topic: str, body: bytes, number: int) -> None:
        self._socket.send_multipart([topic.encode(), body, number.to_bytes(4, "little")])

    def send_frames(self, *frames: bytes) -> None:
        self._socket.send_multipart(frames)

    def close(self) -> None:
        self._context.destroy(linger=0)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """A publisher nobody has subscribed to yet."""
    running = Publisher()
    yield running
    running.close()


def until(done: Callable[[], object]) -> None:
    limit = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_recorded_messages_reach_the_callback_of_their_topic_only(publisher: Publisher) -> None:
    seen: dict[str, list[bytes]] = defaultdict(list)
    missed: list[str] = []
    topics = ("hashblock", "chainreorg", "rawtx")
    listener = Notifications(publisher.address, {topic: seen[topic].append for topic in topics}, missed.append)
    publisher.await_subscriptions(len(topics))
    for message in messages():
        publisher.send(message["topic"], bytes.fromhex(message["body"]), message["seq"])
    expected = {t: [bytes.fromhex(m["body"]) for m in messages() if m["topic"] == t] for t in topics}
    until(lambda: [len(seen[topic]) for topic in topics] == [len(expected[topic]) for topic in topics])
    listener.close()
    assert seen == expected
    assert all(len(body) == 32 for body in seen["hashblock"])  # hashblockheight has the same prefix, and 36 bytes
    assert all(len(body) == 108 for body in seen["chainreorg"])
    assert {"hashblock", "rawtx"} <= set(missed)  # the excerpt has a gap, and the daemon was restarted in it


def test_a_message_of_another_form_is_passed_over(publisher: Publisher) -> None:
    bodies: list[bytes] = []
    listener = Notifications(publisher.address, {"hashblock": bodies.append})
    publisher.await_subscriptions(1)
    publisher.send_frames(b"hashblock")
    publisher.send_frames(b"hashblock", b"body", b"123")
    publisher.send_frames(b"hashblock\xff", b"body", bytes(4))
    publisher.send_frames(b"hashblock", b"body", bytes(4), b"more")
    publisher.send("hashblock", b"right", 0xFFFFFFFF)
    publisher.send("hashblock", b"next", 0)
    until(lambda: len(bodies) == 2)
    listener.close()
    assert bodies == [b"right", b"next"]


def test_lost_messages_are_told(publisher: Publisher) -> None:
    bodies: list[bytes] = []
    missed: list[str] = []
    listener = Notifications(publisher.address, {"hashblock": bodies.append}, missed.append)
    publisher.await_subscriptions(1)
    for number, count in ((7, 0), (8, 0), (10, 1), (11, 1), (0, 2), (1, 2), (0xFFFFFFFF, 3), (0, 3)):
        publisher.send("hashblock", bytes([count]), number)
    until(lambda: len(bodies) == 8)
    listener.close()
    assert missed == ["hashblock"] * 3


def test_several_addresses(publisher: Publisher) -> None:
    other = Publisher()
    bodies: list[bytes] = []
    listener = Notifications(f"{publisher.address}, {other.address}", {"hashblock": bodies.append})
    publisher.await_subscriptions(1)
    other.await_subscriptions(1)
    publisher.send("hashblock", b"a", 1)
    other.send("hashblock", b"b", 2)
    until(lambda: len(bodies) == 2)
    listener.close()
    other.close()


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "udp://127.0.0.1:1", "tcp://127.0.0.1:port"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ConfigError, match="daemon.zmq: .* cannot be used"):
        Notifications(address, {})


def test_silence_is_harmless() -> None:
    listener = Notifications("tcp://127.0.0.1:9", {"hashblock": lambda body: None})
    listener.close()


@pytest.mark.parametrize("topic", NEW_TIP)
def test_a_new_tip_wakes(publisher: Publisher, topic: str) -> None:
    wake = Wake(Event())
    listener = waking(publisher.address, wake)
    publisher.await_subscriptions(len(NEW_TIP))
    message = next(m for m in messages() if m["topic"] == topic)
    publisher.send(topic, bytes.fromhex(message["body"]), message["seq"])
    started = time.monotonic()
    wake.wait(PATIENCE)
    assert time.monotonic() - started < PATIENCE / 2
    listener.close()


def test_a_call_ends_the_pause_under_way_or_the_next_one() -> None:
    stop = Event()
    wake = Wake(stop)
    started = time.monotonic()
    wake.call()
    wake.wait(PATIENCE)
    Timer(0.02, wake.call).start()
    wake.wait(PATIENCE)
    Timer(0.02, stop.set).start()
    wake.wait(PATIENCE)
    assert time.monotonic() - started < PATIENCE / 2
    wake = Wake(Event())
    started = time.monotonic()
    wake.wait(0.05)
    assert 0.04 < time.monotonic() - started < PATIENCE / 2
