"""A form that hands a signed transaction to the daemon; and the switch of the theme, the site's other form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.api.body import read_bytes
from explorer.errors import BadRequest, UpstreamUnavailable
from explorer.pages.render import THEME_COOKIE, THEMES, page
from explorer.services import services

LONGEST_FORM: Final = (1 << 22) + (1 << 10)  # bytes: the hex of the largest transaction and its field name
YEAR: Final = 31_536_000


async def form_fields(request: Request) -> Mapping[str, str]:
    """The fields of an urlencoded form; BadRequest when it is too large."""
    received = await read_bytes(request, LONGEST_FORM, "form")
    try:
        return dict(parse_qsl(received.decode("ascii"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        raise BadRequest("the form cannot be read: expected urlencoded fields") from None


async def show(request: Request) -> Response:
    """The empty form."""
    return page(request, "broadcast.html", hex="", problem="", txid="")


async def send(request: Request) -> Response:
    """Hand over the transaction; its id, or the reason why not above what was typed."""
    text = "".join((await form_fields(request)).get("hex", "").split())
    try:
        txid = await services(request).daemon.broadcast(text)
    except (BadRequest, UpstreamUnavailable) as error:
        return page(request, "broadcast.html", http_status=error.status, hex=text, problem=str(error), txid="")
    return page(request, "broadcast.html", hex="", problem="", txid=txid)


async def choose_theme(request: Request) -> Response:
    """Keep the choice of light, dark or the system's in a cookie and go back to where it was made."""
    fields = await form_fields(request)
    theme, back = fields.get("theme", ""), fields.get("back", "/")
    # Only a path of our own: browsers read "//" and "/\" as the start of another host.
    inside = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    response = RedirectResponse(back if inside else "/", 303)
    if theme in THEMES:
        response.set_cookie(THEME_COOKIE, theme, max_age=YEAR, samesite="lax")
    else:
        response.delete_cookie(THEME_COOKIE, samesite="lax")
    return response
