"""Files that other sites show: images and numbers, kept for as long as the tip that they are true for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.etag import etag, is_known
from explorer.languages import LANGUAGES, N_, _, named
from explorer.languages.phrases import Phrase
from explorer.pages.render import THEMES
from explorer.services import services

T = TypeVar("T")

SIMULATED: Final = N_("Simulated: the demo network, not the Flux chain")
ANYWHERE: Final = {"Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*", "Vary": "Accept-Encoding"}


def theme_of(request: Request) -> str:
    """``?theme=``, light by default; BadRequest for another word."""
    theme = request.query_params.get("theme", THEMES[0])
    if theme not in THEMES:
        raise BadRequest(
            Phrase("theme is %(theme)s: expected one of %(known)s", theme=repr(theme[:20]), known=", ".join(THEMES))
        )
    return theme


def simulated(request: Request) -> str:
    """What images of the demo network say about themselves; nothing on others."""
    return _(SIMULATED) if services(request).simulated else ""


def drawn(request: Request, found: Answer[T], write: Callable[[T], bytes], kind: str) -> Response:
    """What ``write`` makes of an answer, as a file of a media type; 304 when the client has it."""
    return unchanged(request, found) or Response(write(found.value), headers=_headers(found), media_type=kind)


def language_of_url(request: Request) -> str | None:
    """``?lang=``; None when the URL names none, BadRequest for one that is unknown."""
    language = named(request.scope)
    if language and language not in LANGUAGES:
        raise BadRequest(Phrase(
            "lang is %(language)s: expected one of %(known)s",
            language=repr(language[:20]), known=", ".join(LANGUAGES),
        ))  # fmt: skip
    return language or None


def unchanged(request: Request, found: Answer[T]) -> Response | None:
    """304 for a client that has what is made of an answer already, else None; BadRequest for ``?lang=`` unknown."""
    language_of_url(request)
    headers = _headers(found)
    known = is_known(request.headers.get("if-none-match", ""), headers["ETag"])
    return Response(status_code=304, headers=headers) if known else None


def _headers(found: Answer[T]) -> dict[str, str]:
    return {"ETag": etag(found.tip, found.shown), **ANYWHERE}
