"""The table of contents at the foot of every page: whatever can be opened without knowing anything is in it."""

from __future__ import annotations

from starlette.routing import Route

from explorer.pages import menu, routes
from explorer.pages.aliases import MOVED
from tests.explorer.client import Client
from tests.site.markup import Markup

ELSEWHERE = {"/", "/search", "/parallel", "/supply/fusion"}
"""The brand, the box on every page, and what the recorded network has not."""


def test_every_page_is_in_the_menu_and_the_menu_names_only_pages(site: Client) -> None:
    page = Markup(site.get("/status").text)
    shown = {e.attributes["href"] for e in page.all("a") if "nav" in e.parents and "footer" in e.parents}
    fixed = {r.path for r in routes if isinstance(r, Route) and "GET" in (r.methods or ()) and "{" not in r.path}
    answers = {path: site.get(path, headers={"Accept": "text/html"}) for path in fixed - set(MOVED) - ELSEWHERE}
    pages = {path for path, answer in answers.items()
             if answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")}  # fmt: skip
    assert shown - {"/api/v1/status"} == pages
    assert "/parallel" in dict(entry for _, entries in menu.menu(True, ()) for entry in entries)
    (here,) = (e for e in page.all("a") if e.attributes.get("aria-current") == "page" and "footer" in e.parents)
    assert here.attributes["href"] == "/status"
