"""Who gets JSON and who gets a page, by path and Accept header."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.routing import Match, Route
from starlette.types import Scope

JSON_TYPES = ("application/json",)
HTML_TYPES = ("text/html", "application/xhtml+xml")
JSON_PATHS = (
    "/api/", "/insight-api/", "/daemon/", "/explorer/", "/healthz", "/metrics", "/openapi.json", "/oembed",
    "/suggestions",
)  # fmt: skip


def prefers_json(accept: str) -> bool:
    """Whether an Accept header names JSON and likes it better than HTML; wildcards count for neither."""
    qualities = dict(_qualities(accept))
    json, html = (max((qualities.get(name, 0.0) for name in names), default=0.0) for names in (JSON_TYPES, HTML_TYPES))
    return json > html


def likes(accept: str) -> tuple[bool, bool]:
    """All that an Accept header decides: whether it prefers JSON, and whether it names HTML at least as high."""
    json = prefers_json(accept)
    return json, not json and any(name in accept.lower() for name in HTML_TYPES)


def prefers_html(scope: Scope) -> bool:
    """Whether the client of a request names HTML and likes it at least as well as JSON: a browser."""
    return likes(_header(scope, b"accept"))[1]


def wants_json(scope: Scope) -> bool:
    """Whether the client of a request asked for JSON: an API path, a name ending in .json, or its Accept header."""
    path: str = scope["path"]
    return path.startswith(JSON_PATHS) or path.endswith(".json") or prefers_json(_header(scope, b"accept"))


class JsonRoute(Route):
    """A route that exists only for clients that prefer JSON; others find the page behind the same path."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """No match for a client that does not prefer JSON."""
        if scope["type"] == "http" and not prefers_json(_header(scope, b"accept")):
            return Match.NONE, {}
        return super().matches(scope)


def _header(scope: Scope, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


def _qualities(accept: str) -> Iterator[tuple[str, float]]:
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        yield name, next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
