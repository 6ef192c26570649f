"""Paths that lead elsewhere, forms, headers, caching."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from explorer.app import create_app
from explorer.charts.qr import qr_svg
from explorer.pages.assets import asset, names
from explorer.pages.headers import HEADERS
from indexer.chain.hashes import sha256d
from tests import recorded
from tests.explorer.client import Client, settings
from tests.replay_daemon import ReplayDaemon
from tests.site.markup import Markup
from tests.site.test_pages import ADDRESS, CONFIRMED, MANY_OUTPUTS, ODD_SCRIPTS, OPERATOR, ZEROS, txid

BLOCK = recorded.blocks()[2000]["hash"]
SPENT = recorded.blocks()[114]["block"]["tx"][1]["vin"][0]

MOVED = [
    ("/b/2000", 301, "/block/2000"),
    ("/block-index/2000", 301, "/block/2000"),
    ("/block-height/2000", 301, "/block/2000"),
    (f"/addr/{ADDRESS}", 301, f"/address/{ADDRESS}"),
    (f"/tx/{ODD_SCRIPTS}/%3E/4", 301, f"/tx/{ODD_SCRIPTS}#out-4"),
    (f"/tx/{ODD_SCRIPTS}/%3C/0", 301, f"/tx/{ODD_SCRIPTS}#in-0"),
    (f"/tx/{MANY_OUTPUTS}/out/250", 301, f"/tx/{MANY_OUTPUTS}?out=200#out-250"),
    ("/fluxnodes", 301, "/nodes"),
    ("/fluxnodes/nimbus", 301, "/nodes/nimbus"),
    ("/masternodes", 301, "/nodes"),
    ("/node/ip/1.2.3.4", 301, "/nodes?ip=1.2.3.4"),
    ("/node/ip/1.2.3.4:16127", 301, "/nodes?ip=1.2.3.4%3A16127"),
    ("/node/ip/2001:db8::1", 301, "/nodes?ip=2001%3Adb8%3A%3A1"),
    (f"/node/{CONFIRMED.replace(':', '-')}", 301, f"/node/{CONFIRMED}"),
    (f"/node/{CONFIRMED.upper()}?at=2350", 301, f"/node/{CONFIRMED}?at=2350"),
    (f"/node/COutPoint({CONFIRMED[:64]}, 0)", 301, f"/node/{CONFIRMED}"),
    (f"/nodes?outpoint={CONFIRMED}", 302, f"/node/{CONFIRMED}"),
    (f"/nodes?of={CONFIRMED.replace(':', '-')}", 302, f"/node/{CONFIRMED}"),
    (f"/nodes?of={OPERATOR}&tier=cumulus&status=", 302, f"/nodes?address={OPERATOR}&tier=cumulus"),
    ("/nodes?of=+1.2.3.4+&tier=&status=confirmed", 302, "/nodes?ip=1.2.3.4&status=confirmed"),
    (f"/nodes?of={'02' * 33}", 302, f"/nodes?pubkey={'02' * 33}"),
    ("/tx/send", 301, "/broadcast"),
    ("/sendtx", 301, "/broadcast"),
    ("/pushtx", 301, "/broadcast"),
    ("/q/2000", 301, "/search?q=2000"),
    ("/q/a/b?c", 301, "/search?q=a%2Fb"),
    (f"/spending/{SPENT['txid']}/{SPENT['vout']}", 302, f"/tx/{txid(114, 1)}#in-0"),
    ("/search?q=2000", 302, "/block/2000"),
    ("/search?q=%202%2C000%20", 302, "/block/2000"),
    ("/search?q=tip", 302, "/block/2400"),
    (f"/search?q={BLOCK}", 302, f"/block/{BLOCK}"),
    (f"/search?q={ODD_SCRIPTS}", 302, f"/tx/{ODD_SCRIPTS}"),
    ("/search?q=Stratus", 302, "/nodes/stratus"),
    ("/search?q=100.35.7.26", 302, f"/node/{CONFIRMED}"),
    ("/search?q=100.35.7.26:16127", 302, f"/node/{CONFIRMED}"),
    (f"/search?q={ADDRESS}", 302, f"/address/{ADDRESS}"),
    ("/blocks-date/2026-11-30", 302, "/blocks"),
]


@pytest.mark.parametrize(("path", "status", "target"), MOVED)
def test_paths_of_other_explorers_and_single_hits_lead_to_ours(
    site: Client, path: str, status: int, target: str
) -> None:
    response = site.get(path)
    assert (response.status_code, response.headers["location"]) == (status, target)


def test_a_redirect_never_leaves_the_site(site: Client) -> None:
    for path in ("/b/%2F%2Fevil.example", "/addr/%2F%2Fevil.example", "/q/%2F%2Fevil.example", "/b/..%2F..%2F%2Fevil"):
        response = site.get(path)
        assert response.status_code in (301, 404)
        assert response.headers.get("location", "/").startswith(("/block/", "/address/", "/search", "/"))
        assert not response.headers.get("location", "/").startswith("//")


def test_the_blocks_of_a_day_end_with_it(site: Client) -> None:
    day = datetime.fromtimestamp(recorded.blocks()[1000]["block"]["time"], UTC).date().isoformat()
    listed = Markup(site.get(site.get(f"/blocks-date/{day}").headers["location"]).text)
    newest = int(listed.rows()[0][0].replace(",", ""))
    days = [datetime.fromtimestamp(b["block"]["time"], UTC).date().isoformat() for b in recorded.blocks()]
    assert newest == max(height for height, on in enumerate(days) if on <= day)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ZEROS, "form of a block hash or a transaction id"),
        (f"{ZEROS}:0", "form of an output"),
        ("abcdef0123456789", "16 hex digits"),
        ("999999", "newest block here is 2,400"),
        ("10.0.0.1:16127", "IP address"),
        ("zs1" + "q" * 75, "shielded address"),
        (f"{ADDRESS[:-1]}G", "checksum"),
        ("hello", "Read as an address"),
        (f"{ZEROS} 7", "form of an output"),
        ("0x" + "ab" * 20, "address of Ethereum or a chain like it"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "address of Bitcoin"),
        ("5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ", "private key"),
    ],
)
def test_a_search_without_a_hit_says_what_the_text_looks_like(site: Client, text: str, words: str) -> None:
    response = site.get(f"/search?q={quote(text)}")
    assert response.status_code == 404
    assert words in Markup(response.text).one("main").text


def test_the_code_of_an_address_is_an_image_of_it(site: Client) -> None:
    image = site.get(f"/address/{ADDRESS}/qr.svg")
    assert (image.status_code, image.headers["content-type"]) == (200, "image/svg+xml")
    assert image.content == qr_svg(ADDRESS) != qr_svg(OPERATOR)
    assert "immutable" in image.headers["cache-control"]
    assert not re.search(r"style=|<script|https?://(?!www.w3.org/2000/svg)", image.text)
    assert site.get(f"/address/{ADDRESS[:-1]}G/qr.svg").status_code == 400
    assert f"/address/{ADDRESS}/qr.svg" in site.get(f"/address/{ADDRESS}").text


def test_the_theme_is_kept_in_a_cookie(site: Client) -> None:
    chosen = site.post("/theme", data={"theme": "dark", "back": "/block/5?limit=3"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/block/5?limit=3")
    assert "theme=dark" in chosen.headers["set-cookie"]
    dark = Markup(site.get("/", headers={"Cookie": "theme=dark"}).text)
    assert dark.one("html").attributes["data-theme"] == "dark"
    assert [e.attributes["value"] for e in dark.all("button", **{"aria-pressed": "true", "name": "theme"})] == ["dark"]
    back = site.post("/theme", data={"theme": "system", "back": "/"})
    assert "max-age=0" in back.headers["set-cookie"].lower()
    odd = Markup(site.get("/", headers={"Cookie": 'theme="><script>'}).text)
    assert "data-theme" not in odd.one("html").attributes


@pytest.mark.parametrize("back", ["//evil.example", "/\\evil.example", "https://evil.example", "", "/x\r\nX-Y: z"])
def test_the_theme_form_leads_back_to_this_site_only(site: Client, back: str) -> None:
    response = site.post("/theme", data={"theme": "dark", "back": back})
    assert (response.status_code, response.headers["location"]) == (303, "/")


def test_a_broadcast_shows_the_daemons_reason_and_keeps_what_was_typed(site: Client, daemon: ReplayDaemon) -> None:
    daemon.chain.refusal = (-26, "16: bad-txns-inputs-spent")
    try:
        response = site.post("/broadcast", data={"hex": "00 11\n22"})
    finally:
        daemon.chain.refusal = None
    page = Markup(response.text)
    assert response.status_code == 400
    assert "bad-txns-inputs-spent" in page.one("p", role="alert").text
    assert page.one("textarea").text == "001122"


def test_a_broadcast_that_the_daemon_takes(site: Client) -> None:
    wire = recorded.main_transactions()[1]["raw"]
    response = site.post("/broadcast", data={"hex": wire})
    page = Markup(response.text)
    assert response.status_code == 200
    assert [e.attributes["title"] for e in page.all("a", class_="hash")] == [sha256d(bytes.fromhex(wire))[::-1].hex()]
    assert page.one("textarea").text == ""


def test_a_broadcast_without_a_daemon(recorded_index: tuple[str, str]) -> None:
    with Client(create_app(settings(recorded_index))) as client:
        response = client.post("/broadcast", data={"hex": "00"})
    assert response.status_code == 503
    assert Markup(response.text).one("textarea").text == "00"


def test_forms_that_cannot_be_read(site: Client) -> None:
    assert site.post("/broadcast", content=b"hex=\xff").status_code == 400
    assert site.post("/broadcast", content=b"&".join([b"a=1"] * 20)).status_code == 400
    assert site.post("/broadcast", content=b"hex=" + b"0" * (5 << 20)).status_code == 413
    assert site.request("PUT", "/broadcast").status_code == 405


@pytest.mark.parametrize("path", ["/", "/nothing", "/block/zz", "/search?q=tip", asset("site.css"), "/api/v1/status"])
def test_security_headers_are_on_every_answer(site: Client, path: str) -> None:
    headers = site.get(path).headers
    assert {name.decode(): headers.get_list(name.decode()) for name, _ in HEADERS} == {
        name.decode(): [value.decode()] for name, value in HEADERS
    }
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_files_of_the_site_are_kept_for_ever_under_their_digest(site: Client) -> None:
    for name in names():
        versioned = site.get(asset(name))
        assert versioned.status_code == 200
        assert "immutable" in versioned.headers["cache-control"]
        assert "immutable" not in site.get(f"/static/{name}").headers["cache-control"]
        assert "immutable" not in site.get(f"/static/{name}?v=0").headers["cache-control"]
    assert site.get(asset("site.css")).headers["content-type"].startswith("text/css")
    assert site.get("/favicon.ico").headers["content-type"] == "image/svg+xml"
    assert "Disallow: /search" in site.get("/robots.txt").text


def test_a_first_visit_is_light(site: Client) -> None:
    files = sum(len(site.get(asset(name)).content) for name in names())
    assert files + len(site.get("/block/2000").content) < 80_000


def test_a_page_that_has_not_changed_is_not_sent_again(site: Client) -> None:
    light = {"Cookie": "theme=light"}
    first = site.get("/block/0", headers=light)
    assert first.headers["cache-control"] == "private, no-cache"
    again = site.get("/block/0", headers={"If-None-Match": first.headers["etag"], **light})
    assert (again.status_code, again.content) == (304, b"")
    assert site.get("/block/0", headers={"If-None-Match": 'W/"other"'}).status_code == 200
    themed = site.get("/block/0", headers={"If-None-Match": first.headers["etag"], "Cookie": "theme=dark"})
    assert themed.status_code == 200


def test_the_same_path_answers_json_to_who_asks_for_it(site: Client) -> None:
    assert site.get("/block/2000", headers={"Accept": "application/json"}).json()["hash"] == BLOCK
    assert site.get("/block/2000", headers={"Accept": "text/html"}).text.startswith("<!doctype html>")
    assert site.get("/block/zz", headers={"Accept": "application/json"}).json()["error"]["code"] == "bad_request"
