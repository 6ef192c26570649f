"""The load that the site is measured under."""

from __future__ import annotations

import os
import time
from pathlib import Path
from shutil import which

import httpx
import pytest

from bench import load
from bench.load import Load, Wrk, middle, table
from bench.page import PAGE, with_part
from bench.questions import Question, script
from indexer.commands.demo import free_port
from tests.conftest import absent

ASKED = [
    Question("GET", "/a?b=1", {"If-None-Match": 'W/"x-1"'}),
    Question("POST", "/b", {}, '{"addresses": ["a"]}'),
    Question("GET", "/c/%d", any_of=7),
]


def test_the_script_asks_every_question_as_it_is() -> None:
    text = script(ASKED, 100)
    assert r'questions[1] = wrk.format("GET", "/a?b=1", {["If-None-Match"] = "W/\"x-1\""}, "")' in text
    assert r'questions[2] = wrk.format("POST", "/b", {}, "{\"addresses\": [\"a\"]}")' in text
    assert r'questions[3] = function() return wrk.format("GET", ("/c/%d"):format(math.random(7)), {}, "") end' in text
    assert "math.random(0, 200)" in text
    assert "function delay" not in script(ASKED)


def test_figures_are_medians_and_failures_are_counted() -> None:
    found = middle([Load(rate, 1.0, 2.0, 1, 100.0) for rate in (1.0, 9.0, 5.0)])
    assert found == Load(5.0, 1.0, 2.0, 3, 100.0)


def test_the_page_has_the_ratio_and_the_budgets() -> None:
    full = Load(6000, 2, 5, 0, 150), Load(8000, 1, 3, 0, 100)
    steady = Load(480, 1, 9.5, 2, 600), Load(490, 1, 4, 1, 200)
    text = table(full, steady, 62)
    for line in (
        "| hot answers, one core | 6,000 requests/s | 3,000 |",
        "| hot answers, in times of the static one | 0.75 |  |",
        "| hot answers that a whole core could give | 6,667 requests/s | 3,000 |",
        "| mixed profile at 480 requests/s | p99 9.5 ms, median 1.00 ms | p99 10 ms |",
        "| requests that failed | 3 | 0 |",
    ):
        assert line in text
    assert text in with_part(PAGE.read_text(), "load", text)


def wait_until_it_answers(client: httpx.Client, url: str) -> None:
    """Until a server listens and is well."""
    deadline = time.monotonic() + 60
    while True:
        try:
            client.get(url, timeout=60).raise_for_status()
            return
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.slow
def test_the_site_is_measured_beside_a_static_answer(
    mongod: str, database_name: str, tmp_path: Path
) -> None:
    if which("wrk") is None:
        absent("wrk", "apt-get install wrk")
    if len(os.sched_getaffinity(0)) < 2:
        absent("a second core", "the site is measured on one, asked from another")
    environ = {
        **os.environ, "FLUX_NETWORK_NAME": "demo", "FLUX_DATABASE_URI": mongod, "FLUX_DATABASE_NAME": database_name,
        "FLUX_GUARD_RATE": "0",
    }  # fmt: skip
    port, cores = free_port(), os.sched_getaffinity(0)
    with (
        load.free_core() as core,
        load.measured(environ, port, core) as pid,
        httpx.Client(trust_env=False) as client,
    ):
        assert os.sched_getaffinity(0) == cores - {core}
        wait_until_it_answers(client, f"http://127.0.0.1:{port}/healthz")
        wrk = Wrk(tmp_path, port, pid)
        asked = [Question("GET", "/healthz"), Question("GET", "/healthz?n=%d", any_of=3)]
        ours, static = load.pairs(wrk, asked, 1, 2, 1)
    assert (ours.failed, static.failed) == (0, 0)
    for found in (ours, static):
        assert found.rate > 0
        assert 0 < found.median <= found.p99
        assert found.processor > 0
