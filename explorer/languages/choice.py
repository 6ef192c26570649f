"""Which language an answer is in.

A page is in that of the visitor: the one chosen by the switch and kept in a cookie, else the browser's. What other
sites show (cards with their oEmbed, badges, images) and suggestions are in the one that their URL names, ``?lang=``:
they are kept by caches that know nothing of the visitor. What programs read is English.
"""

from __future__ import annotations

from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.types import Scope

from explorer.languages.catalogue import ENGLISH, LANGUAGES
from explorer.negotiate import wants_json

LANGUAGE_COOKIE: Final = "language"
PARAMETER: Final = "lang"
SHOWN_ELSEWHERE: Final = (".svg", ".png")
NAMED: Final = ("/embed/", "/oembed", "/suggestions")
FOR_PROGRAMS: Final = (".csv", ".ics", ".txt")


def language_of(scope: Scope) -> str:
    """The code of the language that a request is answered in."""
    path: str = scope["path"]
    if path.endswith(SHOWN_ELSEWHERE) or path.startswith(NAMED):
        return _known(named(scope)) or ENGLISH
    if path.endswith(FOR_PROGRAMS) or wants_json(scope):
        return ENGLISH
    headers = dict(scope["headers"])
    chosen = _of_cookie(headers[b"cookie"].decode("latin-1")) if b"cookie" in headers else ""
    return chosen or preferred(headers.get(b"accept-language", b"").decode("latin-1"))


def named(scope: Scope) -> str:
    """The language that the URL of a request names, known or not; empty when it names none."""
    query: bytes = scope["query_string"]
    if PARAMETER.encode() not in query:
        return ""
    return parse_qs(query.decode("latin-1"), keep_blank_values=True).get(PARAMETER, [""])[-1]


@lru_cache(maxsize=256)
def preferred(accept_language: str) -> str:
    """The language of the site that Accept-Language likes best (RFC 9110 §12.5.4); English when it names none."""
    best, most = ENGLISH, 0.0
    for part in accept_language.lower().split(","):
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        code = _known(tag.partition("-")[0])
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if code and quality > most:
            best, most = code, quality
    return best


@lru_cache(maxsize=256)
def _of_cookie(header: str) -> str:
    if LANGUAGE_COOKIE not in header:
        return ""
    try:
        morsel = SimpleCookie(header).get(LANGUAGE_COOKIE)
    except CookieError:
        return ""
    return _known(morsel.value) if morsel else ""


def _known(code: str) -> str:
    return code if code in LANGUAGES else ""


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
