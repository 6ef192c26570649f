"""The pages there are: what the application declares, and an example of each kind, found by following links."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, unquote, urldefrag, urljoin, urlsplit

import httpx
from starlette.routing import BaseRoute, Match, Route

from explorer.app import create_app
from explorer.pages import routes as page_routes
from indexer.config import load_config
from tests.site.markup import Markup

ROUTES: list[BaseRoute] = create_app(load_config(environ={})).routes
ENDLESS = {"/api/v1/events"}  # answers that do not end by themselves
HTML = {"Accept": "text/html", "Accept-Encoding": "gzip"}
VIEWS = ("view", "tier", "status")  # parameters whose values are kinds of pages of their own


def pattern(path: str) -> str:
    """The declared path of the first route that answers GET at a path; empty when there is none."""
    scope = {"type": "http", "method": "GET", "path": unquote(urlsplit(path).path), "headers": []}
    for route in ROUTES:
        match, _ = route.matches(scope)
        if match is Match.FULL:
            return str(getattr(route, "path", ""))
    return ""


def declared() -> set[str]:
    """The declared paths of what the site answers to GET, the API aside."""
    return {route.path for route in page_routes if isinstance(route, Route) and "GET" in (route.methods or ())}


def views(path: str) -> tuple[str, ...]:
    """What parameters say about the view that a path shows."""
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    return tuple(f"{name}={query[name][0]}" for name in VIEWS if name in query)


def kind(path: str) -> tuple[Any, ...]:
    """What makes paths alike: their route, the names of their parameters, and the view they show."""
    return pattern(path), tuple(sorted(parse_qs(urlsplit(path).query, keep_blank_values=True))), views(path)


def _preview(attributes: dict[str, str]) -> str:
    """The address of the image that a page offers to who links to it; empty for other elements."""
    return attributes["content"] if attributes.get("property") == "og:image" else ""


@dataclass
class Visit:
    """An answer of the site to a browser, redirects followed."""

    path: str
    response: httpx.Response

    @cached_property
    def is_page(self) -> bool:
        """Whether it is HTML."""
        content_type: str = self.response.headers.get("content-type", "")
        return content_type.startswith("text/html")

    @cached_property
    def markup(self) -> Markup:
        """Its elements."""
        return Markup(self.response.text)

    def links(self) -> set[str]:
        """The paths that it links to or loads, fragments included."""
        here = str(self.response.url)
        named = (attributes.get("href") or attributes.get("src") or _preview(attributes)
                 for attributes in (e.attributes for e in self.markup.elements))  # fmt: skip
        found = {urljoin(here, name) for name in named if name}
        inside = (urlsplit(url) for url in found if url.startswith(here[: here.index("/", 8)]))
        return {url._replace(scheme="", netloc="").geturl() for url in inside}


@dataclass
class Crawl:
    """What following links has found: ``visits`` by path, and what is wrong with links."""

    http: httpx.Client
    visits: dict[str, Visit] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    seeds: set[str] = field(default_factory=set)
    counted: Counter[tuple[Any, ...]] = field(default_factory=Counter)

    def follow(self, seeds: Iterable[str], each: int) -> None:
        """Visit the seeds, and of every kind of page they lead to ``each``; the shallowest first."""
        waiting = deque((seed, "") for seed in seeds)
        self.seeds.update(seed for seed, _ in waiting)
        while waiting:
            link, source = waiting.popleft()
            path, fragment = urldefrag(link)
            if path not in self.visits:
                if pattern(path) in ENDLESS or (source and self.counted[kind(path)] >= each):
                    continue
                self.counted[kind(path)] += 1
                waiting.extend((further, path) for further in sorted(self._visit(path, source)))
            self._check_fragment(path, fragment, source)

    def _visit(self, path: str, source: str) -> set[str]:
        visit = self.visits[path] = Visit(path, self.http.get(path, headers=HTML, follow_redirects=True))
        if source and not visit.response.is_success:
            self.broken.append(f"{source} links to {path}: {visit.response.status_code}")
        return visit.links() if visit.is_page else set()

    def _check_fragment(self, path: str, fragment: str, source: str) -> None:
        visit = self.visits[path]
        if fragment and visit.is_page and unquote(fragment) not in visit.markup.ids():
            self.broken.append(f"{source} links to {path}#{fragment}: no such place there")

    def one_each(self, examples: bool = True) -> list[str]:
        """The pages to look at: one of each route, view and status, and all ``examples`` that the crawl began from."""
        found: dict[tuple[Any, ...], str] = {}
        for path, visit in self.visits.items():
            seen = (visit.response.status_code, pattern(str(visit.response.url)), views(path))
            if visit.is_page and (seen not in found or (examples and path in self.seeds)):
                found[(*seen, path) if seen in found else seen] = path
        return list(found.values())


def patterns(paths: Iterable[str]) -> set[str]:
    """The declared paths of the routes of some paths."""
    return {pattern(path) for path in paths}
