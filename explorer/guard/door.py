"""The door: who has asked too much, or sends too much, is told so before anything is looked up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.errors import TooLarge
from explorer.guard.allowance import Allowance
from explorer.guard.clients import Clients
from explorer.guard.costs import HOT
from explorer.guard.refusals import TOO_LARGE, TOO_MUCH, Refused, refuse, seconds_of
from explorer.languages.phrases import Phrase

MOST_BODY: Final = (1 << 22) + (1 << 16)  # bytes: a transaction of the greatest size as hex, and what is around it
LINGER_BYTES: Final = 1 << 23
LINGER_SECONDS: Final = 5.0
HOLD_SECONDS: Final = 1.0
ALLOWANCE_KEY: Final = "explorer.allowance"
REFUSED_KEY: Final = "explorer.refused"
CLOSE: Final = (b"connection", b"close")


class Door:
    """Stands before the application; ``hold_seconds`` is how long a flooding client waits for each refusal.

    Who waits does not ask again meanwhile, and its connections are counted. Proxies are not kept waiting: their
    connections are everybody's.
    """

    def __init__(
        self, app: ASGIApp, clients: Clients, allowance: Allowance, refused: Refused, hold_seconds: float = HOLD_SECONDS
    ) -> None:
        self._app = app
        self._clients, self._allowance, self._refused = clients, allowance, refused
        self._hold_seconds = hold_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        peer = scope["client"]
        client = self._clients.of(scope)
        if not client.is_free:
            scope[ALLOWANCE_KEY], scope[REFUSED_KEY] = self._allowance, self._refused
            if wait := self._allowance.spend(client.name, HOT):
                self._refused["rate"] += 1
                if peer is scope["client"]:
                    await asyncio.sleep(self._hold_seconds)
                seconds = seconds_of(wait)
                retry = (b"retry-after", str(seconds).encode())
                await refuse(scope, send, 429, Phrase(TOO_MUCH, seconds=seconds), retry)
                return
        length = _body_length(scope)
        if length == 0:
            await self._app(scope, receive, send)
            return
        body = _Body(receive, send, self._refused)
        if length > MOST_BODY:
            self._refused["body"] += 1
            await refuse(scope, body.send, 413, Phrase(TOO_LARGE, most=MOST_BODY))
        else:
            await self._app(scope, body.receive, body.send)
        await body.linger()


class _Body:
    """A body on its way in: counted, and of no use any more once the answer is given."""

    def __init__(self, receive: Receive, send: Send, refused: Refused) -> None:
        self._receive, self._send, self._refused = receive, send, refused
        self._bytes = 0
        self._is_read = self._is_held = False

    async def receive(self) -> Message:
        """The next piece; TooLarge when there have been more bytes than any route takes."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._bytes += len(message.get("body", b""))
            self._is_read = not message.get("more_body", False)
            if self._bytes > MOST_BODY:
                self._refused["body"] += 1
                raise TooLarge(Phrase(TOO_LARGE, most=MOST_BODY))
        return message

    async def send(self, message: Message) -> None:
        """Pass a message on; an answer before the end of the body closes the connection, and is not ended yet."""
        if message["type"] == "http.response.start" and not self._is_read:
            self._is_held = True
            message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
        elif message["type"] == "http.response.body" and self._is_held:
            message = {**message, "more_body": True}
        await self._send(message)

    async def linger(self) -> None:
        """End such an answer once the client has stopped sending, or has sent for long enough.

        A connection that is closed while bytes come in is reset, and with it goes what the client has not read yet.
        """
        if not self._is_held:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await self._drain(LINGER_BYTES)
        await self._send({"type": "http.response.body", "body": b""})

    async def _drain(self, most: int) -> None:
        more = True
        while more and most > 0:
            message = await self._receive()
            most -= len(message.get("body", b""))
            more = message.get("more_body", False)


def _body_length(scope: Scope) -> int:
    """How many bytes are announced: 1 where it will show, 0 where there are none."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 19 else MOST_BODY + 1
        if name == b"transfer-encoding":
            return 1
    return 0
