"""The switches at the foot of every page: a choice is kept in a cookie, and the page where it was made comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.languages import LANGUAGE_COOKIE, LANGUAGES
from explorer.pages.broadcast import form_fields
from explorer.pages.render import THEME_COOKIE, THEMES

YEAR: Final = 31_536_000  # seconds


async def choose_theme(request: Request) -> Response:
    """Light or dark; any other word leaves it to the system."""
    return _kept(await form_fields(request), "theme", THEME_COOKIE, THEMES)


async def choose_language(request: Request) -> Response:
    """One of the languages of the site; any other word leaves it to the browser."""
    return _kept(await form_fields(request), "language", LANGUAGE_COOKIE, LANGUAGES)


def _kept(fields: Mapping[str, str], field: str, cookie: str, known: Collection[str]) -> Response:
    choice, back = fields.get(field, ""), fields.get("back", "/")
    # Only a path of our own: browsers read "//" and "/\" as the start of another host.
    inside = back.startswith("/") and not back.startswith(("//", "/\\")) and back.isprintable()
    response = RedirectResponse(back if inside else "/", 303)
    if choice in known:
        response.set_cookie(cookie, choice, max_age=YEAR, samesite="lax")
    else:
        response.delete_cookie(cookie, samesite="lax")
    return response
