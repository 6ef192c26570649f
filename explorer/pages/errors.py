"""Pages about what went wrong: what it was, what to do now, and the search box."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.languages import N_, Told, _
from explorer.languages.phrases import said
from explorer.pages.render import page

RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Advice:
    """The headline of an error page and what to do now."""

    title: str
    advice: str


def _translated(advice: Advice) -> Advice:
    return Advice(_(advice.title), _(advice.advice))


ADVICE: Final[Mapping[int, Advice]] = Told({
    400: Advice(N_("That cannot be read"), N_("Check the address, hash or number, or paste it into the search.")),
    401: Advice(N_("Sign in first"), N_("This is for who is signed in: open your watch list to sign in.")),
    403: Advice(N_("Not here"), N_("Who runs this site, or your browser, does not permit it. The message says why.")),
    404: Advice(N_("Nothing here"), N_("Check for a lost or doubled character, or search for something else.")),
    405: Advice(N_("Not this way"), N_("This page does not take that kind of request.")),
    409: Advice(
        N_("Not there yet"), N_("The index has not reached it, or the chain has moved. Begin at the newest block."),
    ),
    413: Advice(N_("Too large"), N_("Send less at once.")),
    429: Advice(
        N_("Too much at once"), N_("Much has been asked from your network address. Wait a little, then ask again."),
    ),
    500: Advice(
        N_("A fault of ours"), N_("It has been logged. Trying again may help; nothing that is indexed is affected."),
    ),
    503: Advice(N_("Not ready yet"), N_("This page asks again by itself every few seconds.")),
}, _translated)  # fmt: skip
OTHER: Final = Advice(N_("That did not work"), N_("Try again, or start from the newest block."))


async def error_page(request: Request, status: int, message: str, again: str | None = None) -> Response:
    """The page about an error, by its HTTP status and message; ``again``: the seconds after which to ask again."""
    retry = RETRY_SECONDS if status == 503 and request.method in ("GET", "HEAD") else None
    again = str(RETRY_SECONDS) if status == 503 else again
    headers = {} if again is None else {"Retry-After": again}
    advice = ADVICE[status] if status in ADVICE else _translated(OTHER)
    shown = {"code": status, "shown": advice, "message": said(message), "retry": retry}
    return await page(request, "error.html", http_status=status, headers=headers, **shown)
