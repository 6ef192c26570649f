"""Every page: its status, its markup, its landmarks, where its links lead."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import pytest

from indexer.chain.address import encode_address
from indexer.chain.keys import P2PKH
from tests import recorded
from tests.explorer.client import Client
from tests.indexed import network
from tests.site.markup import Markup

ADDRESS = "t2GoxS2SRmLQDnTyWePHjKD3izvFsKUAjrH"
UNUSED = encode_address(bytes([P2PKH]) + bytes(20), network())
ZEROS = "0" * 64


def txid(height: int, index: int) -> str:
    """The id of a recorded transaction."""
    found: str = recorded.blocks()[height]["block"]["tx"][index]["txid"]
    return found


MANY_OUTPUTS = txid(151, 1)
MANY_INPUTS = txid(152, 1)
ODD_SCRIPTS = txid(113, 1)
JOINSPLIT = txid(118, 1)
START_WITH_DELEGATES = next(
    t["txid"] for b in recorded.blocks()[1808:1809] for t in b["block"]["tx"] if t["txid"].startswith("5390424d")
)

CONFIRMED = "163562d7ca28cfc4a224efeec6d90716aba1a27001bd7af5e4d1cf2c78fb2c4b:0"
EXPIRED = "72acccb9c2cd482b7de15f2a3292b2a120b7a56b61ed371409f57024c0192178:7"
SPENT_NODE = "72acccb9c2cd482b7de15f2a3292b2a120b7a56b61ed371409f57024c0192178:2"
REMOVED = "145d4484d6a93710270c8fa0435f8480a16298d606cdad69062a096061cc5b4e:0"
RELEASED = "bdc9aceede78aa6f9965228bf30ddef3018090707c4191cf814f2a7b8c7a4cf2:0"
DOS = "0751c23992f877bf3e8ef448f955b6f64cb5ffbac9fdea0ead99620b9fc6879e:0"
NODES = [CONFIRMED, EXPIRED, SPENT_NODE, REMOVED, RELEASED, DOS]
OPERATOR = encode_address(bytes.fromhex("01fdf56f1876c28e6c035d1f7bd0969f695d92acea"), network())
"""The address that most nodes pay."""

GOOD = [
    "/",
    "/blocks",
    "/blocks?before=3&limit=2",
    "/blocks?before=0",
    "/block/0",
    "/block/1",
    "/block/452",
    "/block/830",
    "/block/1800",
    "/block/1844",
    "/block/2000",
    "/block/2400",
    f"/block/{recorded.blocks()[2000]['hash']}",
    f"/block/{recorded.blocks()[2000]['hash'].upper()}",
    "/block/1844?limit=3",
    f"/tx/{ODD_SCRIPTS}",
    f"/tx/{JOINSPLIT}",
    f"/tx/{txid(213, 1)}",
    f"/tx/{txid(222, 1)}",
    f"/tx/{MANY_OUTPUTS}",
    f"/tx/{MANY_OUTPUTS}?out=200",
    f"/tx/{MANY_INPUTS}",
    f"/tx/{MANY_INPUTS}?in=200",
    f"/tx/{txid(0, 0)}",
    f"/tx/{txid(362, 1)}",
    f"/tx/{txid(365, 1)}",
    f"/tx/{txid(1305, 1)}",
    f"/tx/{txid(960, 1)}",
    f"/tx/{START_WITH_DELEGATES}",
    f"/tx/{txid(1673, 1)}",
    f"/address/{ADDRESS}",
    f"/address/{ADDRESS}?limit=5",
    f"/address/{ADDRESS}?at=1900",
    f"/address/{ADDRESS}?at=",
    f"/address/{ADDRESS}?at=0",
    f"/address/{ADDRESS}?view=utxos&limit=5",
    f"/address/{ADDRESS}?view=statement&limit=5",
    f"/address/{ADDRESS}?view=statement&from=1800&to=1850",
    f"/address/{UNUSED}?view=statement&from=&to=2099-12-31",
    f"/address/{UNUSED}",
    f"/address/{UNUSED}?view=utxos",
    "/search",
    "/search?q=",
    "/mempool",
    "/status",
    "/supply",
    "/supply?at=1900",
    "/supply?at=0",
    "/supply/unclaimed",
    "/supply/unclaimed?limit=2",
    "/charts/supply",
    "/charts/supply?points=20",
    "/charts",
    "/charts/fees?points=5",
    "/charts/difficulty?from=2020-01-01",
    "/charts/nodes_stratus",
    "/charts/active_addresses",
    "/reorgs",
    "/broadcast",
    "/operator",
    f"/operator?address={OPERATOR}",
    "/operator?nodes=1.2.3.4+nonsense&order=deadline",
    "/calculator",
    "/calculator?cumulus=2&nimbus=1&stratus=1",
    "/network",
    "/network?at=700",
    "/methodology",
    "/verify",
]

BAD = [
    ("/nothing", 404, "Not Found"),
    ("/block/2401", 409, "the index is at height 2400"),
    ("/block/-1", 400, "expected a height or a hash"),
    ("/block/%3Cscript%3E", 400, "expected a height or a hash"),
    (f"/block/{ZEROS}", 404, "no block"),
    (f"/tx/{ZEROS}", 404, "no transaction"),
    ("/tx/nonsense", 400, "64 hex digits"),
    (f"/tx/{ODD_SCRIPTS}?out=x", 400, "expected a whole number"),
    (f"/address/{ADDRESS[:-1]}G", 400, "checksum"),
    (f"/address/{ADDRESS}?at=2401", 409, "the index is at height 2400"),
    (f"/address/{ADDRESS}?at=x", 400, "expected a whole number"),
    (f"/address/{ADDRESS}?view=statement&from=x", 400, "expected a height, or a date"),
    (f"/address/{ADDRESS}?view=x", 400, "expected one of history, utxos"),
    ("/supply?at=2401", 409, "the index is at height 2400"),
    ("/supply?at=x", 400, "expected a whole number"),
    ("/supply/unclaimed?cursor=x", 400, "cursor"),
    ("/parallel", 404, "no parallel chains"),
    ("/charts/nothing", 404, "active_addresses, parallel"),
    ("/charts/supply?from=5", 400, "drawn whole"),
    ("/charts/fees?from=x", 400, "expected a height, or a date"),
    ("/reorgs?cursor=x", 400, "cursor"),
    ("/charts/parallel", 404, "no parallel chains"),
    ("/charts/supply?points=1", 400, "from 2 to 1000"),
    ("/charts/supply?points=x", 400, "expected a whole number"),
    ("/charts/supply.svg?theme=pink", 400, "expected one of light, dark"),
    ("/charts/nothing.png", 404, "active_addresses"),
    ("/nodes/mega", 400, "no tier"),
    ("/nodes?tier=mega", 400, "no tier"),
    ("/nodes?status=happy", 400, "no status"),
    ("/nodes?view=x", 400, "expected one of list, expiring, started, dos"),
    ("/nodes?address=x", 400, "address"),
    ("/nodes?pubkey=x", 400, "no public key"),
    ("/nodes?outpoint=x", 400, "no outpoint"),
    ("/nodes?cursor=x", 400, "cursor"),
    ("/nodes/cumulus?at=2401", 409, "the index is at height 2400"),
    ("/nodes/cumulus?at=x", 400, "expected a whole number"),
    ("/nodes/cumulus?position=-1", 400, "expected a whole number"),
    ("/nodes/cumulus?address=x", 400, "address"),
    ("/nodes/cumulus?cursor=x", 400, "cursor"),
    ("/node/x", 400, "no outpoint"),
    (f"/node/{ZEROS}:0", 404, "no node was ever started"),
    (f"/node/{ZEROS}:4294967296", 400, "no outpoint"),
    (f"/node/{CONFIRMED}?view=x", 400, "expected one of timeline, payouts"),
    (f"/node/{CONFIRMED}?at=5", 404, "up to block 5"),
    (f"/node/{CONFIRMED}?at=2401", 409, "the index is at height 2400"),
    (f"/node/{CONFIRMED}?cursor=x", 400, "cursor"),
    ("/payouts?before=9999", 409, "the index is at height 2400"),
    ("/payouts?mismatched=yes", 400, "expected 1"),
    ("/payouts?cursor=x", 400, "cursor"),
    ("/producers?cursor=x", 400, "cursor"),
    (f"/address/{ADDRESS}?cursor=x", 400, "cursor"),
    ("/blocks?limit=0", 400, "1 to 1000"),
    ("/blocks?before=x", 400, "expected a whole number"),
    ("/blocks?before=9999", 409, "the index is at height 2400"),
    ("/blocks-date/yesterday", 400, "expected one such as 2026-10-25"),
    ("/blocks-date/9999-12-31", 400, "expected one such as 2026-10-25"),
    ("/static/nothing.css", 404, "Not Found"),
    ("/static/..%2Ferrors.py", 404, "Not Found"),
    (f"/tx/{ZEROS}/sideways/1", 404, "expected < > in out"),
    (f"/spending/{txid(2400, 0)}/0", 404, "is not spent"),
    (f"/spending/{txid(2400, 0)}/99", 404, "no such output"),
]

ALL = GOOD + [path for path, _, _ in BAD]


@pytest.mark.parametrize("path", GOOD)
def test_a_page_is_there(site: Client, path: str) -> None:
    response = site.get(path)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(("path", "status", "words"), BAD)
def test_an_error_is_a_page_that_says_why_and_keeps_the_search(
    site: Client, path: str, status: int, words: str
) -> None:
    response = site.get(path)
    page = Markup(response.text)
    assert response.status_code == status
    assert response.headers["cache-control"] == "no-store"
    assert words.lower() in page.one("main").text.lower()
    assert page.one("input", name="q").parents.count("main") == 1
    assert page.one("meta", name="robots").attributes["content"] == "noindex"


@pytest.mark.parametrize("path", ALL)
def test_markup_is_whole_and_everything_comes_from_files_of_our_own(site: Client, path: str) -> None:
    page = Markup(site.get(path).text)
    assert page.problems == []
    assert len(page.ids()) == len(set(page.ids()))
    assert list(page.all("style")) == []
    assert [e.tag for e in page.elements if {"style", "onclick", "onload"} & set(e.attributes)] == []
    for script in page.all("script"):
        assert script.text == "" and script.attributes["src"].startswith("/static/")
    loaded = [e for e in page.elements if e.tag in ("script", "img", "link") and e.attributes.get("rel") != "canonical"]
    assert [e for e in loaded if not (e.attributes.get("src") or e.attributes["href"]).startswith("/")] == []


@pytest.mark.parametrize("path", ALL)
def test_a_page_can_be_read_without_seeing_it(site: Client, path: str) -> None:
    page = Markup(site.get(path).text)
    assert page.one("html").attributes["lang"] == "en"
    assert len(list(page.all("h1"))) == 1
    (title,) = (e for e in page.all("title") if "head" in e.parents)
    assert title.text.endswith("Flux Explorer")
    assert [len(list(page.all(tag))) for tag in ("header", "main", "footer")][1:] == [1, 1]
    assert page.one("a", class_="skip").attributes["href"] == "#main"
    assert [e for e in page.all("th") if e.attributes.get("scope") != ("col" if "thead" in e.parents else "row")] == []
    labelled = {e.attributes["for"] for e in page.all("label")}
    fields = ("input", "textarea", "select")
    visible = [e for e in page.elements if e.tag in fields and e.attributes.get("type") != "hidden"]
    assert [e.attributes for e in visible if e.attributes.get("id") not in labelled] == []
    assert [e for e in page.all("button") if not (e.text or e.attributes.get("aria-label"))] == []
    assert [e.attributes for e in page.all("nav") if "aria-label" not in e.attributes] == []
    told = {e.attributes["id"] for e in page.elements if e.tag in ("title", "desc") and "id" in e.attributes}
    for drawing in page.all("svg"):
        names = set(drawing.attributes.get("aria-labelledby", "").split())
        assert drawing.attributes.get("aria-hidden") == "true" or (names and names <= told)
    moments = [e.attributes["datetime"] for e in page.all("time")]
    assert [m for m in moments if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", m)] == []


LINKED = [
    "/",
    "/blocks?limit=3",
    "/block/0",
    "/block/2000",
    "/block/1844?limit=2",
    f"/tx/{ODD_SCRIPTS}",
    f"/tx/{txid(1673, 1)}",
    f"/address/{ADDRESS}?limit=2",
    f"/address/{ADDRESS}?view=utxos&limit=2",
    f"/address/{ADDRESS}?at=1900&limit=2",
    "/nodes?limit=3",
    "/nodes?view=dos",
    "/nodes/cumulus?limit=3",
    "/nodes/cumulus?at=1900&limit=3",
    f"/nodes/cumulus?address={OPERATOR}",
    f"/node/{CONFIRMED}?limit=5",
    f"/node/{CONFIRMED}?view=payouts&limit=3",
    f"/node/{EXPIRED}?limit=5",
    "/payouts?limit=2",
    "/producers?limit=2",
    f"/address/{OPERATOR}?view=nodes",
    f"/address/{OPERATOR}?view=payouts&limit=2",
    "/status",
    "/supply?at=1900",
    "/supply",
    "/supply/unclaimed?limit=2",
    "/charts/supply?points=5",
    f"/operator?address={OPERATOR}",
    "/calculator?cumulus=1",
    "/network",
    "/nothing",
    "/search?q=nothing",
]


@pytest.fixture(scope="module")
def led_to() -> set[SplitResult]:
    """The links that were followed already: those of the menu are on every page."""
    return set()


@pytest.mark.parametrize("path", LINKED)
def test_every_link_leads_somewhere(site: Client, led_to: set[SplitResult], path: str) -> None:
    page = Markup(site.get(path).text)
    links = {e.attributes["href"] for e in page.elements if e.tag in ("a", "link")} - {"#main"}
    assert "main" in page.ids()
    assert len(links) > 7
    for link in sorted(links):
        url = urlsplit(urljoin(f"http://explorer{path}", link))
        assert url.hostname == "explorer"
        if url in led_to:
            continue
        led_to.add(url)
        response = site.get(url._replace(fragment="").geturl())
        assert response.status_code == 200, link
        if url.fragment:
            assert unquote(url.fragment) in Markup(response.text).ids(), link


def test_a_list_is_walked_by_its_links(site: Client) -> None:
    path, seen = f"/address/{ADDRESS}?limit=150", []
    while path:
        page = Markup(site.get(path).text)
        seen += [row[2] for row in page.rows()]
        path = next((e.attributes["href"] for e in page.all("a") if e.text.startswith("Older")), "")
        path = path and f"{path}&limit=150"
    assert seen == [move["txid"] for move in site.pages(f"/api/v1/addresses/{ADDRESS}/transactions", 1000)]


def test_transactions_of_a_block_are_walked_by_their_links(site: Client) -> None:
    first = Markup(site.get("/block/1844?limit=4").text)
    second = next(e.attributes["href"] for e in first.all("a") if e.text.startswith("More transactions"))
    rest = Markup(site.get(f"{second}").text)
    ids = [e.attributes["title"] for page in (first, rest) for e in page.all("a", class_="hash")
           if e.attributes["href"] == f"/tx/{e.attributes['title']}" and "ol" in e.parents]  # fmt: skip
    assert ids == [t["txid"] for t in recorded.blocks()[1844]["block"]["tx"]]
