"""The switches at the foot of every page: a choice is kept in a cookie, and the page where it was made comes back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.languages import LANGUAGE_COOKIE, LANGUAGES
from explorer.pages.broadcast import LONGEST_FORM, MOST_FIELDS
from explorer.pages.forms import is_own_path, read_form
from explorer.pages.render import THEME_COOKIE, THEMES

YEAR: Final = 31_536_000  # seconds


async def choose_theme(request: Request) -> Response:
    """Light or dark; any other word leaves it to the system."""
    return _kept(await _fields(request), "theme", THEME_COOKIE, THEMES)


async def choose_language(request: Request) -> Response:
    """One of the languages of the site; any other word leaves it to the browser."""
    return _kept(await _fields(request), "language", LANGUAGE_COOKIE, LANGUAGES)


async def _fields(request: Request) -> Mapping[str, str]:
    return dict(await read_form(request, LONGEST_FORM, MOST_FIELDS))


def _kept(fields: Mapping[str, str], field: str, cookie: str, known: Collection[str]) -> Response:
    choice, back = fields.get(field, ""), fields.get("back", "/")
    response = RedirectResponse(back if is_own_path(back) else "/", 303)
    if choice in known:
        response.set_cookie(cookie, choice, max_age=YEAR, samesite="lax")
    else:
        response.delete_cookie(cookie, samesite="lax")
    return response
