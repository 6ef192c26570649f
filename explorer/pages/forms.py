"""Forms of pages: their fields, and where one goes on after them."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from explorer.api.body import read_bytes
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase


async def read_form(request: Request, most_bytes: int, most_fields: int) -> list[tuple[str, str]]:
    """The fields of an urlencoded form as they came, names several times too; BadRequest when they are too many."""
    received = await read_bytes(request, most_bytes, "form")
    try:
        return parse_qsl(received.decode("ascii"), keep_blank_values=True, max_num_fields=most_fields)
    except ValueError:
        raise BadRequest(Phrase("the form cannot be read: expected urlencoded fields")) from None


def is_own_path(text: str) -> bool:
    """Whether a text is a path of this site: browsers read ``//`` and ``/\\`` as the start of another host."""
    return text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
