"""Text that strangers put into the chain or into a request stays text."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from explorer.pages.render import ENVIRONMENT, Site
from explorer.pages.transactions import sliced
from explorer.queries.results import NodeEvent, Output, Place, Transaction
from explorer.queries.units import ABSENT
from tests.explorer.client import Client
from tests.site.markup import Markup

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</q></li></ul></main><iframe src=//evil.example>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;\u202emirrored",
]
SITE = Site("main", False, None, None, False, "0", "", "/", 1_800_000_000)
HASH = "ab" * 32
TRANSACTION = Transaction(
    HASH, Place(7, HASH, 1_700_000_000, 1), 1, "transfer", 4, 100, 0, 0, 10, None, (), (), None, None, ()
)
NODE = NodeEvent(f"{HASH}:0", "confirm", "nimbus", None, "t1address", 1, 2, "p2pkh", None)


def inert(html: str, text: str) -> Markup:
    """The page, checked to contain nothing but what the templates wrote, and the text as text."""
    page = Markup(html)
    assert page.problems == []
    assert page.one("script").attributes["src"].startswith("/static/site.js")
    assert [e for e in page.elements if e.tag in ("img", "iframe")] == []
    assert [name for e in page.elements for name in e.attributes if name.startswith("on")] == []
    assert [e for e in page.all("a") if e.attributes["href"][0] not in "/#"] == []
    assert " ".join(text.split()) in page.one("main").text
    return page


def shown(transaction: Transaction) -> str:
    """The page of a transaction that need not exist."""
    return ENVIRONMENT.get_template("transaction.html").render(
        site=SITE,
        tx=transaction,
        inputs=sliced(transaction.inputs, 0),
        outputs=sliced(transaction.outputs, 0),
        nodes={},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_data_outputs(text: str) -> None:
    output = Output(0, 5, None, "nulldata", text, None, None)
    inert(shown(replace(TRANSACTION, outputs=(output,))), text)
    line = ENVIRONMENT.from_string("{% import 'transaction_parts.html' as p with context %}{{ p.output_line(o) }}")
    listed = Markup(line.render(site=SITE, o=replace(output, spent_by=ABSENT)))
    assert listed.problems == []
    assert {e.tag for e in listed.elements} == {"li", "span", "b", "q"}
    assert listed.one("q").text == " ".join(text.split())


@pytest.mark.parametrize("text", HOSTILE)
def test_the_ip_of_a_node(text: str) -> None:
    inert(shown(replace(TRANSACTION, type="node_confirm", node=replace(NODE, ip=text))), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_question_of_a_search(site: Client, text: str) -> None:
    response = site.get(f"/search?q={quote(text)}")
    assert response.status_code == 404
    page = inert(response.text, text)
    assert page.one("input", name="q").attributes["value"] == text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["/block/", "/tx/", "/address/", "/nothing?x="])
def test_paths(site: Client, path: str, text: str) -> None:
    response = site.get(path + quote(text, safe=""))
    assert response.status_code in (400, 404)
    page = Markup(response.text)
    assert page.problems == []
    assert [e for e in page.elements if e.tag in ("img", "iframe")] == []
    assert len(list(page.all("script"))) == 1
    assert [name for e in page.elements for name in e.attributes if name.startswith("on")] == []


@pytest.mark.parametrize("text", HOSTILE)
def test_a_broadcast(site: Client, text: str) -> None:
    response = site.post("/broadcast", data={"hex": text})
    assert response.status_code == 400
    page = Markup(response.text)
    assert page.problems == []
    assert page.one("textarea").text == "".join(text.split())
    assert len(list(page.all("script"))) == 1
