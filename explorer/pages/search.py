"""Search: straight to the only hit, a choice of several, or what the text looks like; suggestions while one types."""

from __future__ import annotations

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.api.json import encode
from explorer.languages.phrases import said
from explorer.pages.images import drawn
from explorer.pages.render import page
from explorer.pages.words import described
from explorer.queries.search import Hits, search
from explorer.queries.suggestions import suggestions
from explorer.services import services

SHOWN = 200  # characters of the question that a page repeats


async def show(request: Request) -> Response:
    """What a text names."""
    text = request.query_params.get("q", "").strip()
    if not text:
        return await page(request, "search.html", text="", hits=(), looks_like="")
    s = services(request)
    answer = await s.db.fenced(search, text, s.daemon.full_ids, s.labels)
    hits = answer.value.items
    if len(hits) == 1:
        return RedirectResponse(hits[0].url, 302)
    looks_like = "" if hits else described(text, s.network, answer.tip.height)
    return await page(
        request, "search.html", http_status=200 if hits else 404, text=text[:SHOWN], hits=hits, looks_like=looks_like
    )


async def shortcut(request: Request) -> Response:
    """The search as a path."""
    return RedirectResponse(f"/search?q={quote(request.path_params['text'], safe='')}", 301)


async def suggest(request: Request) -> Response:
    """What a text names or begins, for the list below the search, in the language of ``?lang=``."""
    s = services(request)
    found = await s.db.fenced(suggestions, request.query_params.get("q", ""), s.labels)
    return drawn(request, found, _options, "application/json")


def _options(hits: Hits) -> bytes:
    return encode({"items": [{"label": said(hit.label), "url": hit.url} for hit in hits.items]})
