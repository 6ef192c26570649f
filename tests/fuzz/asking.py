"""Questions to an application in this process, over ASGI: an answer that does not end is left after its first part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
SECONDS = 60.0
EVENTS = (b"content-type", b"text/event-stream; charset=utf-8")


class Transport(httpx.AsyncBaseTransport):
    """Hands requests of httpx to an application, as a server does."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; of a stream of events what comes first."""
        body = await request.aread()
        head: Message = {}
        parts: list[bytes] = []
        asked, left = False, asyncio.Event()

        async def receive() -> Message:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": body, "more_body": False}
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
                return
            parts.append(message.get("body", b""))
            if not message.get("more_body") or EVENTS in head["headers"]:
                left.set()

        async with asyncio.timeout(SECONDS):
            await self._app(_scope(request), receive, send)
        stream = httpx.ByteStream(b"".join(parts))
        return httpx.Response(head["status"], headers=head["headers"], stream=stream, request=request)


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 123),
        "root_path": "",
    }
