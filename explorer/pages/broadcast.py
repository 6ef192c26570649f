"""A form that hands a signed transaction to the daemon."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.errors import BadRequest, UpstreamUnavailable
from explorer.languages.phrases import said
from explorer.pages.forms import read_form
from explorer.pages.render import page
from explorer.services import services

LONGEST_FORM: Final = (1 << 22) + (1 << 10)  # bytes: the hex of the largest transaction and its field name
MOST_FIELDS: Final = 10


async def show(request: Request) -> Response:
    """The empty form."""
    return await page(request, "broadcast.html", hex="", problem="", txid="")


async def send(request: Request) -> Response:
    """Hand over the transaction; its id, or the reason why not above what was typed."""
    fields = dict(await read_form(request, LONGEST_FORM, MOST_FIELDS))
    text = "".join(fields.get("hex", "").split())
    try:
        txid = await services(request).daemon.broadcast(text)
    except (BadRequest, UpstreamUnavailable) as error:
        return await page(
            request, "broadcast.html", http_status=error.status, hex=text, problem=said(error.message), txid=""
        )
    return await page(request, "broadcast.html", hex="", problem="", txid=txid)
