"""What other sites show of this one: the same numbers as the API, framed where that is allowed and nowhere else."""

from __future__ import annotations

import io
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from explorer.charts.badge import HEIGHT
from explorer.pages.formats import flux, group, zatoshi
from explorer.pages.headers import FRAMEABLE, HEADERS
from tests.explorer.client import Client
from tests.site.markup import Markup
from tests.site.test_pages import ADDRESS, CONFIRMED, ZEROS, txid

TRANSFER, START = txid(213, 1), txid(1673, 1)
CARDS = [
    "tip", "supply", "tier/cumulus", "tier/nimbus", "tier/stratus", "block/2000", f"tx/{TRANSFER}", f"tx/{START}",
    f"address/{ADDRESS}", f"node/{CONFIRMED}",
]  # fmt: skip


def texts(site: Client, path: str) -> dict[str, str]:
    """The facts of a card by name; its title under the empty name."""
    page = Markup(site.get(path).text)
    assert page.problems == []
    names, values = ([e.text for e in page.all(tag)] for tag in ("dt", "dd"))
    return {"": page.one("h1").text, **dict(zip(names, values, strict=True))}


def test_cards_show_what_the_api_answers(site: Client) -> None:
    block, tiers = site.json("/api/v1/blocks/2400"), site.json("/api/v1/tiers")["items"]
    tip = texts(site, "/embed/tip")
    assert (tip[""], tip["Transactions"]) == ("2,400", group(block["transaction_count"]))
    assert tip["Paid out"] == flux(zatoshi(block["coinbase_value"]))
    for tier in tiers:
        card = texts(site, f"/embed/tier/{tier['tier']}")
        assert card[""] == f"{group(tier['nodes']['confirmed'])} confirmed"
        assert card["Payout"] == flux(zatoshi(tier["reward"]))
    native = site.json("/api/v1/supply")["native"]
    assert texts(site, "/embed/supply")[""] == flux(zatoshi(native["total"]))
    account = site.json(f"/api/v1/addresses/{ADDRESS}")
    card = texts(site, f"/embed/address/{ADDRESS}")
    assert (card[""], card["Transactions"]) == (flux(zatoshi(account["balance"])), group(account["transaction_count"]))
    node = site.json(f"/api/v1/nodes/{CONFIRMED}")
    card = texts(site, f"/embed/node/{CONFIRMED}")
    assert card["Next payout"] == f"by block {group(node['pays_by_height'])}"
    assert card["Paid so far"].startswith(flux(zatoshi(node["paid_total"])))
    fee = site.json(f"/api/v1/transactions/{TRANSFER}")["fee"]
    assert texts(site, f"/embed/tx/{TRANSFER}")["Fee"] == flux(zatoshi(fee))


def badge(site: Client, path: str) -> str:
    """What a badge says, from its title."""
    response = site.get(f"/badge/{path}")
    assert response.headers["content-type"] == "image/svg+xml"
    assert f'height="{HEIGHT}"' in response.text
    return unescape(response.text.partition("</title>")[0].partition(">")[2].partition(">")[2])


def test_badges_show_what_the_api_answers(site: Client) -> None:
    tiers = site.json("/api/v1/tiers")["items"]
    node = site.json(f"/api/v1/nodes/{CONFIRMED}")
    assert badge(site, "height.svg") == "Flux height: 2,400"
    assert badge(site, "nodes.svg?theme=dark") == f"Flux nodes: {sum(t['nodes']['confirmed'] for t in tiers)}"
    assert badge(site, "nodes.svg?tier=nimbus") == f"Nimbus nodes: {tiers[1]['nodes']['confirmed']}"
    assert badge(site, "next-payout.svg?tier=stratus") == f"Next Stratus payout: {tiers[2]['next']['node'][:8]}…"
    assert badge(site, f"next-payout.svg?node={CONFIRMED}") == f"Next payout: by block {node['pays_by_height']:,}"
    states = [check["state"] for check in site.json("/api/v1/supply/cap")["checks"]]
    assert badge(site, "cap.svg") == f"Flux supply: {states.count('unknown')} caps unknown"


@pytest.mark.parametrize("card", CARDS)
def test_cards_may_be_framed_and_are_kept_by_tip(site: Client, card: str) -> None:
    response = site.get(f"/embed/{card}?theme=dark")
    sent = {name.lower(): value for name, value in response.headers.items()}
    assert {name.decode(): value.decode() for name, value in FRAMEABLE}.items() <= sent.items()
    assert "x-frame-options" not in sent and "<form" not in response.text and "<script" not in response.text
    assert 'data-theme="dark"' in response.text
    tag = {"If-None-Match": sent["etag"]}
    assert site.get(f"/embed/{card}", headers=tag).status_code == 304
    image = site.get(f"/preview/{card}.png")
    assert Image.open(io.BytesIO(image.content)).size == (1200, 630)
    assert site.get(f"/preview/{card}.png", headers=tag).status_code == 304
    link = Markup(response.text).one("h1").text
    assert link and site.get(Markup(response.text).one("a").attributes["href"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/badge/nothing.svg", 404, "height, nodes, next-payout"),
        ("/badge/height.svg?theme=pink", 400, "light, dark"),
        ("/badge/nodes.svg?tier=mega", 400, "no tier"),
        ("/badge/next-payout.svg?node=x", 400, "outpoint"),
        (f"/badge/next-payout.svg?node={ZEROS}:0", 404, "node"),
        ("/badge/circulating.svg", 404, "parallel"),
        ("/embed/nothing", 404, "expected one of tip"),
        ("/embed/block", 404, "block/…"),
        ("/embed/tip/5", 404, "expected one of tip"),
        ("/embed/tip?theme=pink", 400, "light, dark"),
        ("/embed/tier/mega", 400, "no tier"),
        ("/embed/block/2401", 409, "2400"),
        ("/embed/node/%3Cscript%3E", 400, "outpoint"),
        (f"/preview/tx/{ZEROS}.png", 404, "transaction with id"),
        ("/preview/tip.png?theme=x", 400, "light, dark"),
        ("/oembed", 404, "no page that can be embedded"),
        ("/oembed?url=http://explorer/status", 404, "no page that can be embedded"),
        ("/oembed?url=https://evil.example/block/5", 404, "another site"),
        ("/oembed?url=http://[/block/5", 400, "no URL"),
        ("/oembed?url=http://explorer/block/2401", 409, "2400"),
        ("/oembed?url=http://explorer/block/5&maxwidth=0", 400, "no size"),
        ("/oembed?url=http://explorer/block/5&format=xml", 501, "Not Implemented"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_not_framed(site: Client, path: str, status: int, words: str) -> None:
    response = site.get(path)
    assert response.status_code == status
    assert words in unescape(response.text)
    assert "<script>" not in response.text
    assert response.headers["x-frame-options"] == dict(HEADERS)[b"x-frame-options"].decode()
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["block/2000", f"tx/{START}", f"address/{ADDRESS}", f"node/{CONFIRMED}"])
def test_a_page_names_its_image_and_its_card(site: Client, path: str) -> None:
    page = Markup(site.get(f"/{path}").text)
    meta = {e.attributes.get("property", e.attributes.get("name")): e.attributes["content"] for e in page.all("meta")
            if "content" in e.attributes}  # fmt: skip
    assert meta["twitter:card"] == "summary_large_image"
    assert meta["og:image"].startswith("http://explorer/preview/")
    assert site.get(meta["og:image"]).headers["content-type"] == "image/png"
    link = page.one("link", type="application/json+oembed").attributes["href"]
    offered = site.json(link)
    card = Markup(offered["html"]).one("iframe").attributes
    assert site.get(card["src"]).status_code == 200
    assert (card["width"], card["height"]) == (str(offered["width"]), str(offered["height"]))
    assert site.get(offered["thumbnail_url"]).status_code == 200
    assert offered["title"] == card["title"]
    small: Any = site.json(f"{link}&maxwidth=200")
    assert small["width"] == 200 and 'width="200"' in small["html"]


@pytest.mark.parametrize("path", ["/", "/supply", "/nodes/nimbus"])
def test_pages_without_a_card_of_their_own_have_an_image(site: Client, path: str) -> None:
    (image,) = Markup(site.get(path).text).all("meta", property="og:image")
    assert site.get(image.attributes["content"]).headers["content-type"] == "image/png"


def test_a_hostile_host_or_url_is_not_repeated(site: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    assert "<script>alert" not in site.get("/embeds", headers={"Host": hostile}).text
    answer = site.get(f"/oembed?url={quote('/node/COutPoint(' + CONFIRMED[:64] + ', 0)')}", headers={"Host": hostile})
    assert answer.status_code == 200
    assert f"/embed/node/{CONFIRMED}" in answer.json()["html"] and "script" not in answer.text


def test_all_that_the_page_of_embeds_offers_is_there(site: Client) -> None:
    page = Markup(site.get("/embeds").text)
    shown = [e.attributes["src"] for tag in ("img", "iframe") for e in page.all(tag)]
    assert len(shown) >= 14
    assert {path: site.get(path).status_code for path in shown if site.get(path).status_code != 200} == {}
