"""One end of a websocket of an application in this process, on the loop of its client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from explorer.tasks import end
from tests.explorer.client import Client

PATIENCE = 10.0


class Mouth:
    """An open socket: what is said, and what comes back; ``code`` is that of the close, or the
    status of a refusal; 0 while it is open."""

    def __init__(self, client: Client, scope: dict[str, Any]) -> None:
        self._client, self._scope = client, scope
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._ids = count(1)
        self.reading = asyncio.Event()
        self.reading.set()
        self.code = 0
        self.task: asyncio.Task[None]

    async def open(self) -> None:
        """Knock, and hear whether the door opens."""

        async def send(message: Any) -> None:
            await self.reading.wait()
            self._heard.put_nowait(message)

        async def talk() -> None:
            await self._client.asgi(self._scope, self._said.get, send)

        self._said.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.create_task(talk())
        self._note(await asyncio.wait_for(self._heard.get(), PATIENCE))

    async def close(self) -> None:
        """Go away, as a client does."""
        self.reading.set()
        self._said.put_nowait({"type": "websocket.disconnect", "code": 1001})
        await asyncio.wait((self.task,), timeout=PATIENCE)
        assert self.task.done()
        await end(self.task)

    def say(self, text: str | bytes) -> None:
        """Send a message as it is."""
        kind = "text" if isinstance(text, str) else "bytes"
        self._client.run(self._said.put({"type": "websocket.receive", kind: text}))

    def ask(self, method: str, **given: Any) -> str:
        """Ask, without waiting for the answer; the id."""
        id = str(next(self._ids))
        self.say(json.dumps({"id": id, "method": method, "params": given}))
        return id

    def hear(self, patience: float = PATIENCE) -> tuple[str, Any]:
        """Id and data of the next frame; ("", code) when the socket is closed."""
        message = self._client.run(asyncio.wait_for(self._heard.get(), patience))
        self._note(message)
        if self.code:
            return "", self.code
        frame = json.loads(message["text"])
        assert frame.keys() == {"id", "data"}
        assert frame["data"] is not None
        return frame["id"], frame["data"]

    def answer(self, method: str, **given: Any) -> Any:
        """What is answered to a question; nothing else may come before."""
        id = self.ask(method, **given)
        told, data = self.hear()
        assert told == id
        return data

    def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing is said for a while."""
        try:
            self.hear(seconds)
        except TimeoutError:
            return True
        return False

    def _note(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.code = message["code"]
        elif message["type"] == "websocket.http.response.start":
            self.code = message["status"]


@contextmanager
def talking(client: Client, address: str = "192.0.2.1") -> Iterator[Mouth]:
    """A socket from a client's address, closed at the end; its Origin is a stranger's."""
    scope = {
        "type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "ws", "path": "/websocket",
        "raw_path": b"/websocket", "query_string": b"", "root_path": "", "subprotocols": [],
        "headers": [(b"host", b"explorer"), (b"origin", b"https://node.trezor.io")],
        "client": (address, 1), "server": ("explorer", 80), "extensions": {"websocket.http.response": {}},
    }  # fmt: skip
    mouth = Mouth(client, scope)
    client.run(mouth.open())
    try:
        yield mouth
    finally:
        client.run(mouth.close())
