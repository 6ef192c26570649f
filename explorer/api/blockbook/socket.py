"""The websocket that wallets keep open: questions with an id, answers with the same, and what they subscribed to."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from explorer.api.blockbook.methods import METHODS
from explorer.api.blockbook.shapes import Json
from explorer.api.blockbook.subscriptions import Subscriptions
from explorer.api.json import encode
from explorer.errors import BadRequest, ExplorerError, NotFound, RateLimited
from explorer.guard.costs import HOT, price_of_method
from explorer.guard.tolls import spend
from explorer.services import Services
from explorer.tasks import end

MOST_PENDING: Final = 48  # questions of one socket that are being answered
ANSWER_SECONDS: Final = 20.0  # then clients hang up
SEND_SECONDS: Final = 30.0  # a client that takes nothing for so long is gone
LONGEST_ID: Final = 64
LONGEST_REASON: Final = 60  # characters: RFC 6455 §5.5 leaves 123 bytes

RETRY_SECONDS: Final = 60
GOING_AWAY, UNREADABLE, REFUSED = 1001, 1007, 1008  # codes of RFC 6455 §7.4.1
DEAF: Final = "answers were not read in time"
FAULT: Final = "this is a fault of the explorer, and it has been logged"

log = logging.getLogger(__name__)


class Unreadable(Exception):
    """A message that is no question: there is no id to answer to."""


async def converse(websocket: WebSocket) -> None:
    """Talk with one client until it goes; too many of one address are not let in."""
    s: Services = websocket.state.services
    try:
        with s.places.place(websocket.scope):
            await websocket.accept()
            await Conversation(websocket, s).run()
    except RateLimited as error:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        await websocket.send_denial_response(PlainTextResponse(str(error), error.status, headers))


class Conversation:
    """One socket: what it has asked and not been told yet, and its subscriptions."""

    def __init__(self, websocket: WebSocket, s: Services) -> None:
        self._websocket, self._s = websocket, s
        self._pending: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._goodbye = (REFUSED, DEAF)
        self._subscriptions = Subscriptions(s, self._push, self._gone)

    async def run(self) -> None:
        """Read until the client goes, says what cannot be read, or does not listen."""
        reading = asyncio.create_task(self._read())
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(over)
            await end(reading)
            for task in tuple(self._pending):
                await end(task)
            await self._subscriptions.end()
        await self._close(*self._goodbye)

    def _gone(self, reason: str) -> None:
        """There will be no more of what it subscribed to."""
        self._goodbye = (GOING_AWAY, reason)
        self._over.set()

    async def _read(self) -> None:
        while True:
            try:
                message = await self._websocket.receive()
                if message["type"] != "websocket.receive":
                    return
                id, method, given = question(message.get("text"))
            except Unreadable as error:
                await self._close(UNREADABLE, str(error))
                return
            if len(self._pending) >= MOST_PENDING:
                await self._push(id, refusal(f"{MOST_PENDING} questions are being answered: wait for some answers"))
                continue
            try:
                spend(self._websocket.scope, HOT + price_of_method(method))
            except RateLimited as error:
                await self._push(id, refusal(str(error)))
                continue
            task = asyncio.create_task(self._answer(id, method, given))
            self._pending.add(task)
            task.add_done_callback(self._pending.discard)

    async def _answer(self, id: str, method: str, given: Mapping[str, Any]) -> None:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                if await self._subscriptions.change(id, method, given):
                    return
                body = await _asked(self._s, method, given)
        except ExplorerError as error:
            body = refusal(str(error))
        except TimeoutError:
            body = refusal("this took too long: ask for less at once")
        except Exception:
            log.exception("%s over the websocket", method[:40])
            body = refusal(FAULT)
        await self._push(id, body)

    async def _push(self, id: str, body: Any) -> None:
        """Send a body under an id; whoever does not take it in time is not talked to any more."""
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.send_text(encode({"id": id, "data": body}).decode())
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            self._over.set()

    async def _close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is not WebSocketState.DISCONNECTED and (
            self._websocket.client_state is WebSocketState.CONNECTED
        ):
            await self._websocket.close(code, reason[:LONGEST_REASON])


def question(text: str | None) -> tuple[str, str, Mapping[str, Any]]:
    """Id, method and parameters of a message; Unreadable when it has no id to answer to."""
    try:
        message = json.loads(text or "")
    except (ValueError, RecursionError):
        raise Unreadable("a message is JSON text") from None
    if not isinstance(message, dict):
        raise Unreadable("a message is a JSON object with id, method and params")
    id, method, given = message.get("id"), message.get("method"), message.get("params")
    if not isinstance(id, str) or len(id) > LONGEST_ID:
        raise Unreadable(f"id: expected a text of up to {LONGEST_ID} characters")
    return id, method if isinstance(method, str) else "", given if isinstance(given, dict) else {}


def refusal(reason: str) -> Json:
    """The body of an answer that is an error."""
    return {"error": {"message": reason}}


async def _asked(s: Services, method: str, given: Mapping[str, Any]) -> Any:
    if not method:
        raise BadRequest("method: expected a text")
    if method not in METHODS:
        raise NotFound(f"{method[:40]!r} is no method: there are {', '.join(sorted(METHODS))}")
    return await METHODS[method](s, given)


def routes() -> list[BaseRoute]:
    """The route of this module."""
    return [WebSocketRoute("/websocket", converse)]
