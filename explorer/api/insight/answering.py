"""How Insight answers: JSON without an envelope, errors in plain text, open to pages of other sites."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from explorer.api.body import read_bytes
from explorer.api.forms.exact import Body, encode
from explorer.api.forms.reply import Passing, refusal, reply
from explorer.api.respond import CORS, PLAIN
from explorer.db import Answer
from explorer.errors import AboveTip, BadRequest, ExplorerError, NotFound, TooLarge

MOST_BYTES: Final = (4 << 20) + 1024
PREFLIGHT: Final = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, Content-Length, X-Requested-With, Cache-Control",
    "Access-Control-Max-Age": "86400",
}
HEIGHT_OUT_OF_RANGE: Final = "Block height out of range. Code:-8"

Handler = Callable[[Request], Awaitable[Answer[Any]]]


@dataclass(frozen=True, slots=True)
class Text:
    """An answer that is a line of text."""

    text: str


class Insight:
    """A collection of answers; its methods are decorators of handlers."""

    def __init__(self) -> None:
        self._declared: list[tuple[str, str, Handler]] = []

    def get(self, *paths: str) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as the answer to GET under these paths."""
        return self._declare("GET", paths)

    def post(self, *paths: str) -> Callable[[Handler], Handler]:
        """Declare the decorated handler as the answer to POST under these paths."""
        return self._declare("POST", paths)

    def routes(self, prefix: str) -> list[Route]:
        """The routes below a prefix; all of them answer OPTIONS."""
        return [
            Route(prefix + path, _endpoint(handler), methods=[verb, "OPTIONS"])
            for verb, path, handler in self._declared
        ]

    def _declare(self, verb: str, paths: tuple[str, ...]) -> Callable[[Handler], Handler]:
        def declare(handler: Handler) -> Handler:
            self._declared += [(verb, path, handler) for path in paths]
            return handler

        return declare


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=PREFLIGHT)
        try:
            found = await handler(request)
        except ExplorerError as error:
            return _refused(error)
        if isinstance(found.value, Text):
            return reply(request, found, found.value.text.encode("ascii", "replace"), media_type=PLAIN)
        if isinstance(found.value, Passing):
            return reply(request, found, encode(found.value.value), lasting=False)
        return reply(request, found, found.value if isinstance(found.value, Body) else encode(found.value))

    endpoint.__name__ = f"insight_{handler.__name__}"
    return endpoint


def _refused(error: ExplorerError) -> Response:
    """An error in Insight's words where a client may look for them, else in ours."""
    if isinstance(error, AboveTip):
        return refusal(HEIGHT_OUT_OF_RANGE.encode(), 400, media_type=PLAIN)
    if isinstance(error, NotFound):
        return refusal(b"Not found", 404, media_type=PLAIN)
    text = str(error)
    if isinstance(error, BadRequest) and "Code:" not in text:
        text += ". Code:1"
    status = error.status if isinstance(error, BadRequest | TooLarge) else 503
    return refusal(text.encode("ascii", "replace"), status, media_type=PLAIN)


async def posted(request: Request) -> Mapping[str, Any]:
    """The fields of a body, JSON or urlencoded; BadRequest for anything else."""
    raw = await read_bytes(request, MOST_BYTES, "body")
    if raw.lstrip()[:1] == b"{":
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            raise BadRequest("the body is no JSON object") from None
        return dict(body)
    try:
        fields = parse_qs(raw.decode("ascii"), max_num_fields=20)
    except ValueError:
        raise BadRequest("the body is neither JSON nor urlencoded") from None
    return {name: values[0] for name, values in fields.items()}


def number_of(fields: Mapping[str, Any], name: str, default: int) -> int:
    """A whole number among fields or parameters."""
    value = fields.get(name)
    if value is None or value == "":
        return default
    text = str(value)
    if not text.isascii() or not text.isdecimal() or len(text) > 15:
        raise BadRequest(f"{name} is {text[:20]!r}: expected a whole number")
    return int(text)
