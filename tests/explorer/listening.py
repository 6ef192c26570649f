"""A listener to the events of an application in this process, on the loop of its client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from explorer.tasks import end
from tests.explorer.client import Client

PATIENCE = 10.0


@dataclass(frozen=True)
class Heard:
    """A message of a stream; ``id`` is empty where it has none."""

    name: str
    id: str
    data: Any


class Ear:
    """An open stream: its status, its headers, and what comes."""

    def __init__(self, client: Client, scope: dict[str, Any]) -> None:
        self._client = client
        self._scope = scope
        self._messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self._leave = asyncio.Event()
        self.task: asyncio.Task[None]
        self.status = 0
        self.headers: dict[str, str] = {}

    async def open(self) -> None:
        """Ask, and read the head of the answer."""

        async def receive() -> dict[str, Any]:
            await self._leave.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            await self.reading.wait()
            self._messages.put_nowait(message)

        async def answer() -> None:
            await self._client.asgi(self._scope, receive, send)

        self.task = asyncio.create_task(answer())
        head = await asyncio.wait_for(self._messages.get(), PATIENCE)
        self.status = head["status"]
        self.headers = {name.decode(): value.decode() for name, value in head["headers"]}

    async def close(self) -> None:
        """Go away, as a browser does."""
        self._leave.set()
        await asyncio.wait((self.task,), timeout=PATIENCE)
        await end(self.task)

    def text(self) -> str:
        """The next piece of the answer; nothing at its end."""
        message = self._client.run(asyncio.wait_for(self._messages.get(), PATIENCE))
        body: bytes = message.get("body", b"")
        return body.decode()

    def next(self) -> Heard:
        """The next message, comments left out."""
        while True:
            lines = [line.partition(": ") for line in self.text().strip().splitlines()]
            fields = {name: value for name, _, value in lines}
            if "event" in fields:
                return Heard(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
            assert "" in fields or "retry" in fields, "the stream has ended"

    def until(self, told: Callable[[Heard], bool]) -> list[Heard]:
        """The messages up to the one that is waited for."""
        heard = [self.next()]
        while not told(heard[-1]):
            heard.append(self.next())
        return heard


@contextmanager
def listening(
    client: Client, query: str = "", *, headers: Mapping[str, str] | None = None, address: str = "192.0.2.1"
) -> Iterator[Ear]:
    """A stream from a client's address, closed at the end."""
    sent = {"host": "explorer", "accept-encoding": "gzip", **(headers or {})}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": "/api/v1/events", "raw_path": b"/api/v1/events", "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": (address, 1), "server": ("explorer", 80),
    }  # fmt: skip
    ear = Ear(client, scope)
    client.run(ear.open())
    try:
        yield ear
    finally:
        client.run(ear.close())
