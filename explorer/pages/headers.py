"""Security headers on every answer of the site: nothing is loaded from elsewhere, nothing inline runs."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
FRAMED: Final = "/embed/"  # what other sites may show in a frame: it has no forms
COMMON: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
HEADERS: Final = ((b"content-security-policy", POLICY.encode()), (b"x-frame-options", b"DENY"), *COMMON)
FRAMEABLE: Final = (
    (b"content-security-policy", POLICY.replace("frame-ancestors 'none'", "frame-ancestors *").encode()), *COMMON,
)  # fmt: skip


class SecurityHeaders:
    """Adds the headers to whatever the application answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with the headers."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                framed = scope["path"].startswith(FRAMED) and message["status"] in (200, 304)
                message["headers"] = [*message.get("headers", ()), *(FRAMEABLE if framed else HEADERS)]
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)
