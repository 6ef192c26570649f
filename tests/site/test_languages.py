"""The site in another language: which one an answer is in, and that nothing on a page is left in English."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from explorer.languages.catalogue import CATALOGUES
from tests.explorer.client import Client
from tests.languages.pseudo import Heard, Pseudo
from tests.site.markup import Markup
from tests.site.test_pages import (
    ADDRESS,
    CONFIRMED,
    DOS,
    EXPIRED,
    JOINSPLIT,
    ODD_SCRIPTS,
    OPERATOR,
    START_WITH_DELEGATES,
    UNUSED,
    txid,
)

GERMAN = {"Cookie": "language=de", "Accept": "text/html"}
PAGES = [
    "/", "/blocks?limit=3", "/block/0", "/block/452?limit=3", "/block/2000?limit=3", "/mempool", "/status", "/reorgs",
    f"/tx/{ODD_SCRIPTS}", f"/tx/{JOINSPLIT}", f"/tx/{txid(0, 0)}", f"/tx/{txid(1305, 1)}", f"/tx/{txid(1673, 1)}",
    f"/tx/{START_WITH_DELEGATES}", f"/address/{ADDRESS}?limit=2", f"/address/{ADDRESS}?at=1900&limit=2",
    f"/address/{ADDRESS}?view=utxos&limit=2", f"/address/{ADDRESS}?view=statement&limit=2", f"/address/{UNUSED}",
    f"/address/{OPERATOR}?view=nodes", f"/address/{OPERATOR}?view=payouts&limit=2", "/supply", "/supply?at=1900",
    "/supply/unclaimed?limit=2", "/richlist", "/charts/supply?points=4", "/charts/nodes_stratus?points=4", "/charts",
    "/nodes?limit=5", "/nodes?view=expiring", "/nodes?view=started", "/nodes?view=dos", "/nodes/cumulus?limit=3",
    "/nodes/stratus?at=1900&limit=3", f"/nodes/cumulus?address={OPERATOR}", f"/node/{CONFIRMED}?limit=3",
    f"/node/{CONFIRMED}?view=payouts&limit=3", f"/node/{EXPIRED}?limit=30", f"/node/{DOS}?at=1900", "/payouts?limit=2",
    "/producers?limit=2", "/producers?by=address", f"/operator?address={OPERATOR}", "/operator?nodes=1.2.3.4+nonsense",
    "/calculator", "/calculator?cumulus=2", "/network", "/network?at=700", "/methodology", "/verify", "/api",
    "/broadcast", "/embeds", "/search", "/search?q=nothing", "/embed/tip?lang=de", f"/embed/node/{CONFIRMED}?lang=de",
    f"/embed/tx/{ODD_SCRIPTS}?lang=de", "/embed/tier/cumulus?lang=de", "/embed/supply?lang=de",
    "/block/2401", "/block/-1", "/tx/nonsense", "/nothing", f"/address/{ADDRESS[:-1]}G", "/nodes/mega",
]  # fmt: skip


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """German is the language in brackets for a while."""
    monkeypatch.setitem(CATALOGUES, "de", Pseudo())
    yield


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_nothing_that_is_not_marked(site: Client, pseudo: None, path: str) -> None:
    response = site.get(path, headers=GERMAN)
    assert response.headers["content-language"] == "de"
    assert Heard(response.text).unmarked == []


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, "en"),
        ({"Accept-Language": "de"}, "de"),
        ({"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}, "de"),
        ({"Accept-Language": "fr,en;q=0.7,de;q=0.3"}, "en"),
        ({"Accept-Language": "en;q=0.2, de;q=0.8"}, "de"),
        ({"Accept-Language": "de;q=0, *"}, "en"),
        ({"Accept-Language": "de;q=much"}, "en"),
        ({"Accept-Language": "de", "Cookie": "language=en"}, "en"),
        ({"Accept-Language": "en", "Cookie": "theme=dark; language=de"}, "de"),
        ({"Accept-Language": "de", "Cookie": "language=xx"}, "de"),
        ({"Accept-Language": "de", "Cookie": "language"}, "de"),
        ({"Cookie": 'language="><script>'}, "en"),
    ],
)
def test_the_language_is_chosen_or_the_browsers(site: Client, headers: dict[str, str], expected: str) -> None:
    response = site.get("/status", headers={"Accept": "text/html", **headers})
    assert response.headers["content-language"] == expected
    assert "Accept-Language" in response.headers["vary"] and "Cookie" in response.headers["vary"]
    assert Markup(response.text).one("html").attributes["lang"] == expected
    assert ("Übersicht" in response.text or "Blöcke" in response.text) == (expected == "de")


@pytest.mark.parametrize(
    "path",
    ["/api/v1/status", "/status.json", "/charts/fees.csv", "/operator.ics?nodes=x", f"/oembed?url=/node/{CONFIRMED}"],
)
def test_what_programs_read_is_english(site: Client, path: str) -> None:
    german, plain = (site.get(path, headers=headers) for headers in ({**GERMAN, "Accept-Language": "de"}, {}))
    assert "content-language" not in german.headers
    assert german.status_code == plain.status_code
    moving = re.compile(r"\d+")
    assert moving.sub("", german.text) == moving.sub("", plain.text)


def test_no_cache_mixes_languages(site: Client) -> None:
    asked = ["/blocks?limit=2", "/charts", "/embed/supply", "/charts/fees.svg"]
    for path in asked:
        named = path.startswith(("/embed", "/charts/"))
        urls = {code: f"{path}?lang={code}" if named else path for code in ("en", "de")}
        first = {code: site.get(urls[code], headers={"Cookie": f"language={code}"}) for code in urls}
        again = {code: site.get(urls[code], headers={"Cookie": f"language={code}"}) for code in urls}
        assert first["en"].text != first["de"].text, path
        for code in urls:
            assert again[code].text == first[code].text
            assert again[code].headers["etag"] == first[code].headers["etag"]
        if not named:
            known = {"If-None-Match": first["en"].headers["etag"], "Cookie": "language=de"}
            assert site.get(path, headers=known).status_code == 200


def test_what_other_sites_show_is_in_the_language_of_its_url(site: Client) -> None:
    assert 'lang="en"' in site.get("/embed/tip", headers=GERMAN).text
    assert 'lang="de"' in site.get("/embed/tip?lang=de").text
    assert site.get("/preview/tip.png?lang=de").content != site.get("/preview/tip.png", headers=GERMAN).content
    for path in ("/badge/height.svg?lang=xx", "/suggestions?q=1&lang=xx", "/oembed?url=/block/5&lang=xx"):
        refused = site.get(path)
        assert (refused.status_code, "expected one of en, de" in refused.text) == (400, True), path


def test_a_page_offers_its_card_in_its_language(site: Client) -> None:
    page = Markup(site.get("/block/2000", headers=GERMAN).text)
    offered = site.json(page.one("link", type="application/json+oembed").attributes["href"])
    card = Markup(offered["html"]).one("iframe").attributes
    assert offered["title"] == card["title"] == "Block: 2,000" and "lang=de" in offered["thumbnail_url"]
    assert site.get(card["src"]).headers["content-language"] == "de"
    node = site.json(f"/oembed?url=/node/{CONFIRMED}&lang=de")
    assert node["title"] != site.json(f"/oembed?url=/node/{CONFIRMED}")["title"]


def test_suggestions_are_in_the_language_of_the_page(site: Client) -> None:
    asked = {code: site.json(f"/suggestions?q=cumu&lang={code}")["items"] for code in ("en", "de")}
    assert asked["en"] == [{"label": "Queue of the Cumulus nodes", "url": "/nodes/cumulus"}]
    assert asked["de"] == [{"label": "Warteschlange der Cumulus-Nodes", "url": "/nodes/cumulus"}]
    told = site.json("/api/v1/search/suggest?q=cumu")["items"]
    assert [{"label": item["label"], "url": item["url"]} for item in told] == asked["en"]


def test_the_switch_keeps_the_language_and_leads_back(site: Client) -> None:
    chosen = site.post("/language", data={"language": "de", "back": "/block/5?limit=3"})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/block/5?limit=3")
    assert "language=de" in chosen.headers["set-cookie"]
    page = Markup(site.get("/block/5?limit=3", headers=GERMAN).text)
    pressed = [e.attributes["value"] for e in page.all("button", name="language", **{"aria-pressed": "true"})]
    assert pressed == ["de"]
    (form,) = (e for e in page.all("form", action="/language"))
    assert form.attributes["method"] == "post"
    forgotten = site.post("/language", data={"language": "xx", "back": "//evil.example"})
    assert forgotten.headers["location"] == "/"
    assert "max-age=0" in forgotten.headers["set-cookie"].lower()
