"""Text that strangers put into the chain or into a request stays text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from explorer.meta import Tip
from explorer.pages.nodes import STATUSES, Overview, Turn
from explorer.pages.render import ENVIRONMENT, Site
from explorer.pages.transactions import sliced
from explorer.queries.node_results import Eta, LifeEvent, ListCounts, Node, Queue, QueuePlace, Tiers, TierState
from explorer.queries.profiles import Profile
from explorer.queries.results import BlockReference, NodeEvent, Output, Page, Place, Transaction
from explorer.queries.units import ABSENT
from explorer.queries.watch import WatchList
from tests.explorer.client import Client
from tests.site.markup import HOSTILE, Markup

SITE = Site("main", False, None, None, False, "0", "", "/", 1_800_000_000)
HASH = "ab" * 32
TRANSACTION = Transaction(
    HASH, Place(7, HASH, 1_700_000_000, 1), 1, "transfer", 4, 100, 0, 0, 10, None, (), (), None, None, ()
)
TIP = Tip(9, bytes(32), 1_700_000_000, 0, False, 0)
TIER = TierState("nimbus", 1, 1, ListCounts(1, 0, 0), 1, 30, None, None, None, None, None)
LISTED = Node(
    f"{HASH}:0", "nimbus", "confirmed", None, "t1address", "1.2.3.4", 1, "p2pkh", "02" * 33, 5, 7, 7, None,
    0, 10, 10, 30, Eta(1, 2, 3), 508, 648, None, None, None, 1, 0, 0, (),
)  # fmt: skip
NODE = NodeEvent(f"{HASH}:0", "confirm", "nimbus", None, "t1address", 1, 2, "p2pkh", None)


def inert(html: str, text: str) -> Markup:
    """The page, checked to contain nothing but what the templates wrote, and the text as text."""
    page = Markup(html)
    assert page.problems == []
    assert all(script.attributes["src"].startswith("/static/") for script in page.all("script"))
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
        tip=TIP,
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


def written(template: str, **shown: Any) -> str:
    """A page about things that need not exist."""
    return ENVIRONMENT.get_template(template).render(site=SITE, **shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_ip_on_the_page_of_a_node(text: str) -> None:
    events = Page((LifeEvent(8, HASH, "ip_change", text), LifeEvent(7, HASH, "update", text)), None)
    profile = Profile(replace(LISTED, ip=text), 9, TIER, events, None, (), None, {7: 1, 8: 1})
    page = inert(written("node.html", profile=profile, at=None, continued=False, tip=TIP), text)
    assert [e.text for e in page.all("a", class_="ip")] == [" ".join(text.split())] * 3


@pytest.mark.parametrize("text", HOSTILE)
def test_the_ip_in_lists_and_queues(text: str) -> None:
    tiers, node = Tiers(BlockReference(9, HASH), (TIER, TIER, TIER)), replace(LISTED, ip=text)
    watched = WatchList(1, (node,))
    for shown, overview in (
        ("list", Overview(tiers, watched, None, Page((node,), None))),
        ("expiring", Overview(tiers, watched, watched, None)),
    ):
        filters = dict.fromkeys(("tier", "status", "address", "ip", "pubkey"), text)
        inert(
            written(
                "nodes.html", nodes=overview, filters=filters, shown=shown, statuses=STATUSES, asked=True,
                continued=False, tip=TIP,
            ),
            text,
        )
    place = QueuePlace(0, node.node, node.address, text, 7, None, 10, 10, 5, Eta(1, 2, 3))
    turn = Turn(TIER, tiers, Queue(tiers.at, (place,), None), None)
    inert(written("queue.html", turn=turn, at=None, address=None, tip=TIP, continued=False), text)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_filters_of_nodes(site: Client, text: str) -> None:
    listed = site.get(f"/nodes?ip={quote(text)}")
    assert listed.status_code == 200
    page = Markup(listed.text)
    assert page.problems == []
    assert page.one("input", name="of").attributes["value"] == text
    assert len(list(page.all("script"))) == 1 and list(page.all("iframe")) == []
    for path in (f"/nodes?of={quote(text)}", f"/node/ip/{quote(text, safe='')}"):
        target = site.get(path).headers["location"]
        assert target.startswith("/nodes?ip=")
        assert Markup(site.get(target).text).one("input", name="of").attributes["value"] == text


@pytest.mark.parametrize("text", HOSTILE)
def test_the_question_of_a_search(site: Client, text: str) -> None:
    response = site.get(f"/search?q={quote(text)}")
    assert response.status_code == 404
    page = inert(response.text, text)
    assert page.one("input", name="q").attributes["value"] == text


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["/block/", "/tx/", "/address/", "/node/", "/nodes/", "/nothing?x="])
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


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("path", ["/api/v1/search?q=", "/api/v1/nodes?ip=", "/api/tx/", "/api/v2/address/"])
def test_answers_to_programs(site: Client, path: str, text: str) -> None:
    """No browser may take them for a page, whatever they repeat of the question; Insight refuses in plain text."""
    response = site.get(path + quote(text, safe=""))
    assert response.headers["content-type"].partition(";")[0] in ("application/json", "text/plain")
    assert response.headers["x-content-type-options"] == "nosniff"
