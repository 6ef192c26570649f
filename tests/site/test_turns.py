"""A page is written in turns with the other answers, and comes out the same as at one go."""

from __future__ import annotations

import asyncio
import math

import pytest
from starlette.requests import Request

from explorer.pages import render
from tests.explorer.client import Client

TYPED = {"address": "", "signature": "", "message": ""}


async def written(request: Request) -> tuple[str, int]:
    """A page, and how often something else had its turn meanwhile."""
    writing = asyncio.create_task(render.render(request, "verify.html", typed=TYPED, problem="", verdict=None, most=9))
    turns = 0
    while not writing.done():
        await asyncio.sleep(0)
        turns += 1
    return writing.result(), turns


def test_others_have_their_turn_while_a_page_is_written(site: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.pages.render.time.time", lambda: 1_700_000_000)
    scope = {"type": "http", "method": "GET", "scheme": "http", "server": ("explorer", 80), "path": "/verify",
             "query_string": b"", "headers": [], "state": {"services": site.services}}  # fmt: skip
    monkeypatch.setattr(render, "TURN_SECONDS", math.inf)
    at_one_go, turns = site.run(written(Request(scope)))
    assert turns == 1
    monkeypatch.setattr(render, "TURN_SECONDS", 0)
    in_turns, turns = site.run(written(Request(scope)))
    assert turns > 10
    assert in_turns == at_one_go and in_turns.rstrip().endswith("</html>")
