"""A client of an application in this process: its lifespan and requests run on a loop of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from threading import Thread
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from explorer.services import Services
from indexer.config import Config, load_config
from tests import recorded
from tests.replay_daemon import ReplayDaemon

T = TypeVar("T")


def settings(database: tuple[str, str], *, driver: str = "motor", daemon: ReplayDaemon | None = None) -> Config:
    """The settings of an explorer of a database (URI, name) of the recorded chain."""
    uri, name = database
    environ = {
        "FLUX_NETWORK_PARAMS_FILE": str(recorded.NETWORK_FILE),
        "FLUX_DATABASE_URI": uri,
        "FLUX_DATABASE_NAME": name,
        "FLUX_DATABASE_DRIVER": driver,
        "FLUX_DAEMON_URL": daemon.url if daemon else "",
        "FLUX_DAEMON_USER": daemon.user if daemon else "",
        "FLUX_DAEMON_PASSWORD": daemon.password if daemon else "",
        "FLUX_DAEMON_TIMEOUT_SECONDS": "2",
        "FLUX_ACCOUNTS_HOST": "explorer",
        "FLUX_GUARD_RATE": "0",  # a test asks more in a second than people do in a day
    }
    return load_config(environ=environ)


class Client:
    """Use as a context manager; ``services`` are those of the running application, ``asgi`` is its interface,
    ``http`` a client for coroutines of its loop.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._lifespan = app.router.lifespan_context(app)
        self.services: Services

    def __enter__(self) -> Client:
        self._thread.start()
        self.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine on the application's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def get(self, url: str, **more: Any) -> httpx.Response:
        """The response to GET."""
        return self.request("GET", url, **more)

    def post(self, url: str, **more: Any) -> httpx.Response:
        """The response to POST."""
        return self.request("POST", url, **more)

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        """The response to any request; an exception of the application is raised here."""
        return self.run(self.http.request(method, url, **more))

    def forget_cookies(self) -> None:
        """Keep none of the cookies that were set: whoever wants one sends it."""
        self.http.cookies.clear()

    def json(self, url: str) -> Any:
        """The body of a successful GET."""
        response = self.get(url)
        assert response.status_code == 200, (url, response.status_code, response.text)
        return response.json()

    def pages(self, url: str, limit: int) -> list[Any]:
        """All items of a list, page by page."""
        items: list[Any] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            page = self.get(url, params=query).json()
            assert len(page["items"]) <= limit
            items += page["items"]
            if page["next"] is None:
                return items
            query["cursor"] = page["next"]

    async def _start(self) -> None:
        state = await self._lifespan.__aenter__()
        assert state is not None
        self.services = state["services"]
        self.asgi = _with_state(self._app, dict(state))
        transport = httpx.ASGITransport(self.asgi)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://explorer")

    async def _stop(self) -> None:
        await self.http.aclose()
        await self._lifespan.__aexit__(None, None, None)


def _with_state(app: Starlette, state: dict[str, Any]) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """What a server does with the state of a lifespan: every request gets a copy."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state)}, receive, send)

    return wrapped
