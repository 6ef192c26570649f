"""Pages about what went wrong: what it was, what to do now, and the search box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.pages.render import page

RETRY_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class Advice:
    """The headline of an error page and what to do now."""

    title: str
    advice: str


ADVICE: Final = {
    400: Advice("That cannot be read", "Check the address, hash or number, or paste it into the search."),
    404: Advice("Nothing here", "Check for a lost or doubled character, or search for something else."),
    405: Advice("Not this way", "This page does not take that kind of request."),
    409: Advice("Not there yet", "The index has not reached it, or the chain has moved. Begin at the newest block."),
    413: Advice("Too large", "Send less at once."),
    429: Advice("Too much at once", "Much has been asked from your network address. Wait a little, then ask again."),
    500: Advice("A fault of ours", "It has been logged. Trying again may help; nothing that is indexed is affected."),
    503: Advice("Not ready yet", "This page asks again by itself every few seconds."),
}
OTHER: Final = Advice("That did not work", "Try again, or start from the newest block.")


async def error_page(request: Request, status: int, message: str, again: str | None = None) -> Response:
    """The page about an error, by its HTTP status and message; ``again``: the seconds after which to ask again."""
    retry = RETRY_SECONDS if status == 503 and request.method in ("GET", "HEAD") else None
    again = str(RETRY_SECONDS) if status == 503 else again
    headers = {} if again is None else {"Retry-After": again}
    shown = {"code": status, "shown": ADVICE.get(status, OTHER), "message": message, "retry": retry}
    return page(request, "error.html", http_status=status, headers=headers, **shown)
