"""Request bodies and query strings, read strictly: a question that is not understood is refused, not guessed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.requests import ClientDisconnect, Request

from explorer.errors import BadRequest, TooLarge
from explorer.languages import N_
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


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_whole(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << 53


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


TYPES: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "string": (_is_text, N_("%(name)s: expected a text")),
    "array": (_is_texts, N_("%(name)s: expected a list of texts")),
    "integer": (_is_whole, N_("%(name)s: expected a whole number")),
    "boolean": (_is_flag, N_("%(name)s: expected true or false")),
}


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


class Body:
    """A JSON object that a question is asked with: its fields by JSON Schema, in at most so many bytes.

    A field that is not ``required`` may be left away, or be null. Of a schema only the type is checked here: what a
    value means is known to those who use it.
    """

    def __init__(self, most_bytes: int, *required: str, **fields: Mapping[str, Any]) -> None:
        self.most_bytes, self.required, self.fields = most_bytes, required, fields

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the whole."""
        return {
            "type": "object", "required": list(self.required), "additionalProperties": False, "properties": self.fields,
        }  # fmt: skip

    async def read(self, request: Request) -> dict[str, Any]:
        """All fields by name, None for those that did not come; BadRequest says what was expected."""
        sent = await _read_object(request, self.most_bytes, tuple(self.fields))
        for name, schema in self.fields.items():
            is_right, problem = TYPES[schema["type"]]
            if not is_right(value := sent.get(name)) and (value is not None or name in self.required):
                raise BadRequest(Phrase(problem, name=name))
        return {name: sent.get(name) for name in self.fields}


async def _read_object(request: Request, most_bytes: int, known: tuple[str, ...]) -> Mapping[str, Any]:
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


def _example(known: tuple[str, ...]) -> str:
    return '{"' + known[0] + '": …}'
