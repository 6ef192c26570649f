"""Result objects -> HTML: the templates, what every page shows, caching by content."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from explorer.etag import is_known
from explorer.grounds import ages_at, rest_as_page
from explorer.labels import NO_LABELS, Labels
from explorer.languages import LANGUAGES, N_, Marked, install_texts
from explorer.meta import Tip
from explorer.pages import formats, node_words, rule_words, supply_words, words
from explorer.pages.assets import asset
from explorer.pages.hosts import host_of
from explorer.pages.menu import menu
from explorer.pages.script_words import live_words, site_words
from explorer.queries.units import TIERS
from explorer.services import services
from indexer import __version__

THEMES: Final = ("light", "dark")
THEME_NAMES: Final = Marked({"system": N_("System"), "light": N_("Light"), "dark": N_("Dark")})
THEME_COOKIE: Final = "theme"
REVALIDATE: Final = "private, no-cache"  # private: theme and language are the visitor's
TURN_SECONDS: Final = 0.001  # how long a page is written before the other answers get their turn


@dataclass(frozen=True, slots=True)
class Site:
    """What every page shows around its subject."""

    network: str
    simulated: bool
    tip: Tip | None
    behind: int | None  # blocks between the index and the daemon, 0 while it follows
    daemon_reachable: bool
    version: str
    theme: str
    path: str
    now: int
    labels: Labels = NO_LABELS
    parallel: bool = False
    host: str = ""
    accounts: bool = False

    def age(self, seconds: int) -> str:
        """How long ago a moment was; the page is good for as long as this reads so, give or take a twentieth of it."""
        slack = max(formats.JUST_NOW, abs(self.now - seconds) // 20)
        ages_at(max(formats.age_until(seconds, self.now), self.now + slack))
        return formats.age(seconds, self.now)


def site(request: Request) -> Site:
    """The surroundings of a page, from what the last poll found: no query of its own."""
    s = services(request)
    meta = s.db.meta
    rest_as_page(meta)
    theme = request.cookies.get(THEME_COOKIE, "")
    return Site(
        network=s.network.name,
        simulated=s.simulated,
        tip=meta.tip,
        behind=meta.lag,
        daemon_reachable=bool(meta.daemon.get("reachable", False)),
        version=__version__,
        theme=theme if theme in THEMES else "",
        path=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        now=int(time.time()),
        labels=s.labels,
        parallel=meta.parallel is not None,
        host=host_of(request),
        accounts=s.accounts.are_for(request.headers.get("host", "")),
    )


async def page(
    request: Request, template: str, *, http_status: int = 200, headers: Mapping[str, str] | None = None, **shown: Any
) -> Response:
    """A template as an answer; 304 when the browser shows exactly this already."""
    html = await render(request, template, **shown)
    tag = f'W/"{hashlib.sha256(html.encode()).hexdigest()[:20]}"'
    sent = {"Vary": "Accept, Accept-Encoding, Accept-Language, Cookie", **(headers or {})}
    if http_status != 200:
        return HTMLResponse(html, http_status, {"Cache-Control": "no-store", **sent})
    sent |= {"ETag": tag, "Cache-Control": REVALIDATE}
    if is_known(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=sent)
    return HTMLResponse(html, 200, sent)


async def render(request: Request, template: str, **shown: Any) -> str:
    """A template as HTML, written in turns with the other answers: a long page lets the short ones pass."""
    pieces = []
    turn_began = time.perf_counter()
    for piece in ENVIRONMENT.get_template(template).generate(site=site(request), **shown):
        pieces.append(piece)
        if time.perf_counter() - turn_began > TURN_SECONDS:
            await asyncio.sleep(0)
            turn_began = time.perf_counter()
    return "".join(pieces)


def with_query(path: str, **parameters: Any) -> str:
    """A path with the parameters that are not None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    install_texts(environment)
    environment.globals |= {
        "asset": asset,
        "formats": formats,
        "words": words,
        "lives": node_words,
        "coins": supply_words,
        "rulebook": rule_words,
        "with_query": with_query,
        "menu": menu,
        "tiers": TIERS,
        "themes": THEME_NAMES,
        "site_words": site_words,
        "live_words": live_words,
        "languages": LANGUAGES,
    }
    return environment


ENVIRONMENT: Final = _environment()
