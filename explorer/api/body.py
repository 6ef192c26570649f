"""Request bodies and query strings, read strictly: a question that is not understood is refused, not guessed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import ClientDisconnect, Request

from explorer.errors import BadRequest, TooLarge
from explorer.languages.phrases import Phrase
from explorer.queries.text import parse_height


def query_int(request: Request, name: str) -> int | None:
    """A whole number of the query string, or None."""
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        return parse_height(text)
    except BadRequest:
        raise BadRequest(
            Phrase("%(name)s is %(text)s: expected a whole number", name=name, text=repr(text[:20]))
        ) from None


async def read_bytes(request: Request, most_bytes: int, what: str) -> bytes:
    """The body; TooLarge, which calls it ``what``, as soon as it is too large, BadRequest when it ends early."""
    received = bytearray()
    try:
        async for chunk in request.stream():
            received += chunk
            if len(received) > most_bytes:
                raise TooLarge(
                    Phrase("the %(what)s is larger than %(most)s bytes", what=what, most=most_bytes)
                )
    except ClientDisconnect:
        raise BadRequest(Phrase("the %(what)s was cut short", what=what)) from None
    return bytes(received)


async def read_object(request: Request, most_bytes: int, known: tuple[str, ...]) -> Mapping[str, Any]:
    """The JSON object in the body; BadRequest for anything else, and for keys that are not ``known``."""
    try:
        body = json.loads(await read_bytes(request, most_bytes, "body"))
    except (ValueError, RecursionError):
        raise BadRequest("the body is no JSON: expected an object such as " + _example(known)) from None
    if not isinstance(body, dict):
        raise BadRequest("the body is no JSON object: expected one such as " + _example(known))
    if unknown := sorted(set(body) - set(known)):
        raise BadRequest(Phrase(
            "unknown key %(key)s in the body: known are %(known)s",
            key=repr(unknown[0][:40]), known=", ".join(known),
        ))  # fmt: skip
    return body


def body_text(body: Mapping[str, Any], name: str) -> str:
    """A text of the body."""
    value = body.get(name)
    if not isinstance(value, str):
        raise BadRequest(Phrase("%(name)s: expected a text", name=name))
    return value


def body_texts(body: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts of the body."""
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadRequest(Phrase("%(name)s: expected a list of texts", name=name))
    return value


def body_int(body: Mapping[str, Any], name: str) -> int | None:
    """A whole number of the body, at least 0, or None."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise BadRequest(Phrase("%(name)s: expected a whole number", name=name))
    return value


def _example(known: tuple[str, ...]) -> str:
    return '{"' + known[0] + '": …}'
