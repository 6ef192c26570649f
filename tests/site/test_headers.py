"""Every route, whatever it answers, sends the security headers and says how long the answer may be kept."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from explorer.app import create_app
from explorer.pages.headers import FRAMEABLE, FRAMED, HEADERS
from indexer.config import load_config
from tests.explorer.client import Client

ENDLESS = {"/api/v1/events"}  # a stream of events has tests of its own
READ = [
    route.path for route in create_app(load_config(environ={})).routes
    if isinstance(route, Route) and "GET" in (route.methods or ()) and route.path not in ENDLESS
]  # fmt: skip
ACCOUNTS = "/account"  # nobody keeps what is somebody's own
PLACE = re.compile(r"{\w+(?::\w+)?}")


@pytest.mark.parametrize("path", READ)
def test_headers_of_every_route(site: Client, path: str) -> None:
    filled, wanted = PLACE.sub("0", path), {"Accept": "text/html"}
    response = site.get(filled, headers=wanted)
    kept, status = response.headers.get("cache-control", ""), response.status_code
    expected = FRAMEABLE if path.startswith(FRAMED) and status == 200 else HEADERS
    sent = {name.decode(): response.headers.get_list(name.decode()) for name, _ in HEADERS}
    assert sent == {name.decode(): [] for name, _ in HEADERS} | {n.decode(): [value.decode()] for n, value in expected}
    assert "unsafe" not in response.headers["content-security-policy"]
    if status >= 400:
        assert kept == "no-store"
    elif path.startswith(ACCOUNTS):
        assert (kept, "etag" in response.headers) == ("private, no-store", False)
    elif status == 200 and response.headers["content-type"].startswith("text/html"):
        assert kept == "private, no-cache"
        again = site.get(filled, headers={"If-None-Match": response.headers["etag"], **wanted})
        assert (again.status_code, again.content) == (304, b"")
    elif status == 200:
        assert re.fullmatch(r"(public, )?(max-age=\d+(, immutable)?|no-cache)|no-store", kept), kept
    else:
        assert status in (301, 302, 307), status
