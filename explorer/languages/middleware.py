"""Every request gets its language before anything is made for it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from explorer.languages.choice import language_of
from explorer.languages.texts import speak


class LanguageMiddleware:
    """Chooses the language of an answer; ``scope["language"]`` is its code, for caches.

    It stays chosen when the answer is through: a fault is told by what lies around this, and the next request of
    the same task chooses anew.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its language, and a page back with the header that names it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        code = scope["language"] = language_of(scope)
        speak(code)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message["headers"], (b"content-language", code.encode())]
            await send(message)

        await self._app(scope, receive, sending)


def _is_page(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
