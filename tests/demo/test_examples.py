"""Every example of the pages about the API, typed into a shell against the demo network: it answers what it shows."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from indexer.demo.builder import FIRST_BLOCKS
from tests.conftest import absent
from tests.demo.chains import copy_of
from tests.demo.examples import DEFAULT_SITE, ENDLESS, Answer, Example, Shell, differs, examples, is_as_shown
from tests.demo.site import Site, running_site
from tests.generated_docs import DOCS

PAGES = [DOCS / "api.md", *sorted((DOCS / "api").glob("*.md"))]
USERS = {
    "node-operators.md", "exchanges.md", "wallets.md", "dashboards.md", "supply.md", "insight.md", "blockbook.md",
    "fluxos.md",
}  # fmt: skip
REFUSED = re.compile(r"\$TOKEN|…|\"hex\": \"00|\"rawtx\": \"00|-d '00'")
"""Lines that ask for what nobody has: an account, a transaction."""


def test_every_kind_of_user_has_a_page_that_begins_with_a_question() -> None:
    assert {page.name for page in PAGES[1:]} == USERS
    for page in PAGES[1:]:
        first = next(examples(page.read_text()))
        assert first.line.startswith(f'curl "{DEFAULT_SITE}/')
        assert f"api/{page.name}" in PAGES[0].read_text()


@pytest.mark.parametrize(
    ("shown", "answered", "wrong"),
    [
        ({"a": 1}, {"a": 2.5}, False),
        ({"a": "1.00000000"}, {"a": "-20.00000001"}, False),
        ({"a": 1, "…": "…"}, {"a": 1, "b": 2}, False),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}, {"b": 3}]}, False),
        ({"a": "x"}, {"a": None}, False),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1, "…": "…"}, {"b": 2}, True),
        ({"a": 1}, {"a": "1"}, True),
        ({"a": "1.00000000"}, {"a": "1.0"}, True),
        ({"a": 1}, {"a": True}, True),
        ({"a": [1]}, {"a": []}, True),
        ([{"a": {"b": 1}}], [{"a": {"b": "x"}}], True),
    ],
)
def test_an_answer_of_another_shape_is_told(shown: Any, answered: Any, wrong: bool) -> None:
    assert bool(list(differs(shown, answered))) == wrong


@pytest.fixture(scope="module")
def site(mongod: str, first_chain: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demo network with everything that a page may ask for."""
    if shutil.which("curl") is None:
        absent("curl", "apt-get install curl")
    folder = copy_of(first_chain, tmp_path_factory.mktemp("examples"))
    with running_site(mongod, folder, f"t_examples_{os.getpid()}", FIRST_BLOCKS) as running:
        for path in ("/richlist", "/distribution"):
            running.until(f"{path} is made", partial(running.json, path))
        running.until("the parallel chains are read", lambda: _read(running.http))
        yield running


def _read(http: httpx.Client) -> bool:
    return http.get("/api/v1/supply/parallel/eth.txt").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_answers_what_it_shows(site: Site, tmp_path: Path, page: Path) -> None:
    shell = Shell(str(site.http.base_url).rstrip("/"), tmp_path)
    wrong = []
    for example in examples(page.read_text()):
        answer = shell.run(example.line)
        if not _is_answered(example, answer):
            wrong.append(f"{example.line}: {answer.status} {answer.body[:300]}")
        wrong += [f"{example.line}: {what}" for what in is_as_shown(example, answer)]
    assert wrong == []


def _is_answered(example: Example, answer: Answer) -> bool:
    if ENDLESS in example.line:
        return answer.body.startswith("retry: ")
    if example.line.startswith("curl") and REFUSED.search(example.line):
        return answer.status in (400, 401, 404)
    return answer.status == 200
