"""A form that hands a signed transaction to the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.body import read_bytes
from explorer.errors import BadRequest, UpstreamUnavailable
from explorer.languages.phrases import Phrase, said
from explorer.pages.render import page
from explorer.services import services

LONGEST_FORM: Final = (1 << 22) + (1 << 10)  # bytes: the hex of the largest transaction and its field name


async def form_fields(request: Request) -> Mapping[str, str]:
    """The fields of an urlencoded form; BadRequest when it is too large."""
    received = await read_bytes(request, LONGEST_FORM, "form")
    try:
        return dict(parse_qsl(received.decode("ascii"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        raise BadRequest(Phrase("the form cannot be read: expected urlencoded fields")) from None


async def show(request: Request) -> Response:
    """The empty form."""
    return page(request, "broadcast.html", hex="", problem="", txid="")


async def send(request: Request) -> Response:
    """Hand over the transaction; its id, or the reason why not above what was typed."""
    text = "".join((await form_fields(request)).get("hex", "").split())
    try:
        txid = await services(request).daemon.broadcast(text)
    except (BadRequest, UpstreamUnavailable) as error:
        return page(request, "broadcast.html", http_status=error.status, hex=text, problem=said(error.message), txid="")
    return page(request, "broadcast.html", hex="", problem="", txid=txid)
