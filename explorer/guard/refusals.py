"""Answers to those who asked for too much: of few words and without a template, for refusing must cost little."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from html import escape
from typing import Final

from starlette.types import Scope, Send

from explorer.guard.allowance import SECOND
from explorer.languages import N_, _, language
from explorer.languages.choice import language_of
from explorer.languages.texts import speak
from explorer.negotiate import prefers_html, wants_json

KINDS: Final = ("rate", "streams", "connections", "body", "time", "stalled")
TOO_MUCH: Final = N_(
    "more has been asked from this address than it may ask: ask again in %(seconds)s s, and more slowly"
)
TOO_LARGE: Final = N_("a body of more than %(most)s bytes is not read: send less at once")
CODES: Final[Mapping[int, str]] = {413: "too_large", 429: "rate_limited"}
PAGE: Final = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/static/site.css"></head>'
    '<body><main><h1>{title}</h1><p>{advice}</p><p><a href="/">Flux Explorer</a></p></main></body></html>'
)
ADVICE: Final[Mapping[int, tuple[str, str]]] = {
    413: (N_("Too large"), N_("Send less at once.")),
    429: (
        N_("Too much at once"), N_("Much has been asked from your network address. Wait a little, then ask again."),
    ),
}  # fmt: skip
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"access-control-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
    (b"vary", b"Accept, Accept-Language, Cookie"),
)

Refused = Counter[str]  # how often, by kind


def none_yet() -> Refused:
    """Counts of refusals by kind, all zero."""
    return Counter(dict.fromkeys(KINDS, 0))


def seconds_of(wait: int) -> int:
    """Nanoseconds as the whole seconds after which they are over, at least one (RFC 9110, 10.2.3)."""
    return max(1, -(-wait // SECOND))


async def refuse(scope: Scope, send: Send, status: int, message: str, *more: tuple[bytes, bytes]) -> None:
    """Answer with an error in the API's shape, or as a page to a browser, without asking anything."""
    as_page = prefers_html(scope) and not wants_json(scope)
    body = _page(scope, status) if as_page else _json(status, message)
    kind = b"text/html; charset=utf-8" if as_page else b"application/json"
    own = ((b"content-type", kind), (b"content-length", str(len(body)).encode()))
    start = {"status": status, "headers": [*own, *HEADERS, *more]}
    if scope["type"] == "http":
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": body})
    elif "websocket.http.response" in scope.get("extensions", {}):
        await send({"type": "websocket.http.response.start", **start})
        await send({"type": "websocket.http.response.body", "body": body})
    else:
        await send({"type": "websocket.close", "code": 1013, "reason": "too much at once"})


def _json(status: int, message: str) -> bytes:
    return json.dumps({"error": {"code": CODES[status], "message": message}}).encode()


def _page(scope: Scope, status: int) -> bytes:
    speak(language_of(scope))
    title, advice = (escape(_(text)) for text in ADVICE[status])
    return PAGE.format(language=language(), title=title, advice=advice).encode()
