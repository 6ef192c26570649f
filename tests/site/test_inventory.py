"""Every route of the site: what is there, what is not, what cannot be read, and whether its numbers are the API's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from explorer.pages import aliases, routes
from explorer.pages.formats import flux, zatoshi
from tests import recorded
from tests.explorer.client import Client
from tests.site.markup import Markup
from tests.site.parallel_chains import SITUATIONS
from tests.site.test_numbers import plain
from tests.site.test_pages import ADDRESS, CONFIRMED, MANY_INPUTS, OPERATOR, ZEROS, txid
from tests.site.test_supply import Chained, chained, told

__all__ = ["chained"]

BLOCK = recorded.blocks()[2000]["hash"]
SPENT = recorded.blocks()[114]["block"]["tx"][1]["vin"][0]
START = txid(1673, 1)
AMOUNT = re.compile(r"-?\d+\.\d{8}")
NUMBER = re.compile(r"\d[\d,]*")


@dataclass(frozen=True)
class Row:
    """A route by examples.

    ``missing`` names what is not there (404) and ``bad`` what cannot be read (400) with words of the sentence that
    says what to do; empty where nothing can be missing or unreadable. ``shown`` are the fields of the JSON at ``twin``
    which the answer has to show: ``items[].height``.
    """

    good: str
    missing: str = ""
    bad: tuple[str, str] = ("", "")
    twin: str = ""
    shown: tuple[str, ...] = ()
    status: int = 200


API = "/api/v1"
CURSOR = "pass on the value of next unchanged"
A_HEIGHT = "expected a whole number"
NODE_FIELDS = ("tier", "address", "confirmed_height", "expires_height", "paid_total")
OF_AN_ACCOUNT = ("/account", "/watched/")
ROWS = {
    "/": Row("/", twin=f"{API}/home", shown=(
        "tip.height", "latest[].height", "block.payouts[].amount", "block.issued", "tiers.items[].nodes.confirmed",
    )),
    "/blocks": Row(
        "/blocks?before=2001&limit=9", bad=("/blocks?before=x", A_HEIGHT), twin=f"{API}/blocks?before=2001&limit=9",
        shown=("items[].height", "items[].producer", "items[].coinbase_value", "items[].counts.transfer"),
    ),
    "/blocks-date/{day}": Row(
        "/blocks-date/2026-11-30", bad=("/blocks-date/yesterday", "expected one such as 2026-10-25"), status=302
    ),
    "/block/{reference}": Row(
        "/block/2000", f"/block/{ZEROS}", ("/block/1.5", "expected a height or a hash"), f"{API}/blocks/2000",
        ("height", "hash", "transaction_count", "coinbase_value", "subsidy", "fees", "issued", "payouts[].amount",
         "funds[].amount", "counts.node_confirm", "previous_hash", "merkle_root"),
    ),
    "/tx/{txid}": Row(
        f"/tx/{MANY_INPUTS}", f"/tx/{ZEROS}", ("/tx/nonsense", "64 hex digits"), f"{API}/transactions/{MANY_INPUTS}",
        ("txid", "block.height", "confirmations", "fee", "outputs[].value", "outputs[].address"),
    ),
    "/spending/{txid}/{n}": Row(
        f"/spending/{SPENT['txid']}/{SPENT['vout']}", f"/spending/{txid(2400, 0)}/0",
        (f"/spending/{SPENT['txid']}/x", "expected a whole number"), status=302,
    ),
    "/address/{address}": Row(
        f"/address/{ADDRESS}", bad=(f"/address/{ADDRESS[:-1]}G", "checksum"), twin=f"{API}/addresses/{ADDRESS}",
        shown=("balance", "received", "sent", "transaction_count", "immature"),
    ),
    "/address/{address}/qr.svg": Row(
        f"/address/{ADDRESS}/qr.svg", bad=(f"/address/{ADDRESS[:-1]}G/qr.svg", "checksum")
    ),
    "/nodes": Row(
        "/nodes?tier=nimbus&limit=4", bad=("/nodes?cursor=x", CURSOR), twin=f"{API}/nodes?tier=nimbus&limit=4",
        shown=("items[].node", "items[].address", "items[].ip"),
    ),
    "/nodes/{tier}": Row(
        "/nodes/cumulus?limit=5", bad=("/nodes/mega", "expected cumulus, nimbus or stratus"),
        twin=f"{API}/tiers/cumulus/queue?limit=5",
        shown=("items[].node", "items[].pays_by_height", "items[].expected_height", "items[].last_paid_height"),
    ),
    "/node/{outpoint}": Row(
        f"/node/{CONFIRMED}", f"/node/{ZEROS}:0", ("/node/x", "expected <txid>:<n>"), f"{API}/nodes/{CONFIRMED}",
        ("node", "address", "ip", "pays_by_height", "expected_height", "last_paid_height", "paid_count", "paid_total",
         "confirmed_height", "expires_height", "next_update_height", "collateral"),
    ),
    "/node/ip/{ip:path}": Row("/node/ip/1.2.3.4:16127", status=301),
    "/payouts": Row(
        "/payouts?before=2001&limit=3", bad=("/payouts?mismatched=yes", "expected 1"),
        twin=f"{API}/blocks?before=2001&limit=3", shown=("items[].height",),
    ),
    "/producers": Row(
        "/producers?limit=5", bad=("/producers?by=moon", "expected node or address"), twin=f"{API}/producers?limit=5",
        shown=("items[].node", "items[].address", "items[].blocks", "items[].last_height"),
    ),
    "/operator": Row(
        f"/operator?address={OPERATOR}", bad=("/operator?nodes=1.2.3.4&order=fancy", "expected"),
        twin=f"{API}/operator?address={OPERATOR}",
        shown=("items[].node", "items[].pays_by_height", "items[].expected_height"),
    ),
    "/operator.csv": Row(
        f"/operator.csv?address={OPERATOR}", bad=("/operator.csv", "address"),
        twin=f"{API}/operator?address={OPERATOR}",
        shown=("items[].node", "items[].pays_by_height", "items[].collateral", "items[].paid_total"),
    ),
    "/operator.ics": Row(
        f"/operator.ics?address={OPERATOR}", bad=("/operator.ics", "address"),
        twin=f"{API}/operator?address={OPERATOR}",
        shown=("items[].node",),
    ),
    "/calculator": Row(
        "/calculator?cumulus=2&stratus=1", bad=("/calculator?cumulus=many", "whole number"),
        twin=f"{API}/earnings?cumulus=2&stratus=1",
        shown=("tiers[].nodes", "now.year", "then.year", "reduction.height"),
    ),
    "/network": Row(
        "/network?at=700", bad=("/network?at=x", A_HEIGHT), twin=f"{API}/rules?at=700",
        shown=("height", "rewards.subsidy", "rewards.rest", "reward_eras[].first_height", "one_offs[].amount"),
    ),
    "/verify": Row("/verify", bad=(f"/verify?address={ADDRESS}&signature=x&message=y", "signature")),
    "/api": Row("/api"),
    "/methodology": Row("/methodology"),
    "/supply": Row(
        "/supply?at=1900", bad=("/supply?at=x", A_HEIGHT), twin=f"{API}/supply?at=1900",
        shown=("native.total", "native.unclaimed"),
    ),
    "/supply/unclaimed": Row(
        "/supply/unclaimed?limit=3", bad=("/supply/unclaimed?cursor=x", CURSOR), twin=f"{API}/supply/unclaimed?limit=3",
        shown=("items[].height", "items[].unclaimed"),
    ),
    "/parallel": Row("/parallel", twin=f"{API}/supply", shown=("parallel[].outstanding", "parallel[].minted")),
    "/supply/fusion": Row(
        "/supply/fusion?limit=4", bad=("/supply/fusion?cursor=x", CURSOR), twin=f"{API}/supply/fusion?limit=4",
        shown=("items[].height", "items[].txid", "items[].change", "items[].held"),
    ),
    "/richlist": Row(
        "/richlist?limit=7", bad=("/richlist?cursor=x", CURSOR), twin=f"{API}/richlist?limit=7",
        shown=("items[].rank", "items[].address", "items[].balance"),
    ),
    "/reorgs": Row("/reorgs", bad=("/reorgs?cursor=x", CURSOR)),
    "/badge/{name}.svg": Row(
        "/badge/nodes.svg?tier=nimbus", "/badge/nothing.svg", ("/badge/nodes.svg?theme=pink", "expected one of light"),
        f"{API}/tiers", ("items[1].nodes.confirmed",),
    ),
    "/embeds": Row("/embeds"),
    "/embed/{kind}": Row("/embed/tip", "/embed/nothing", ("/embed/tip?theme=pink", "expected one of light"),
                         f"{API}/blocks/2400", ("height", "transaction_count", "coinbase_value")),
    "/embed/{kind}/{reference}": Row(
        f"/embed/node/{CONFIRMED}", f"/embed/block/{ZEROS}", ("/embed/node/x", "expected <txid>:<n>"),
        f"{API}/nodes/{CONFIRMED}", ("pays_by_height",),
    ),
    "/preview/{kind}.png": Row("/preview/tip.png", "/preview/nothing.png", ("/preview/tip.png?theme=x", "light, dark")),
    "/preview/{kind}/{reference}.png": Row(
        "/preview/block/2000.png", f"/preview/tx/{ZEROS}.png", ("/preview/node/x.png", "expected <txid>:<n>")
    ),
    "/oembed": Row(
        "/oembed?url=/block/2000", "/oembed?url=/block/2000/x", ("/oembed?url=/block/5&maxwidth=x", "pixels")
    ),
    "/charts": Row("/charts"),
    "/charts/{name}.svg": Row(
        "/charts/fees.svg", "/charts/nothing.svg", ("/charts/fees.svg?theme=pink", "expected one of light, dark")
    ),
    "/charts/{name}.png": Row(
        "/charts/fees.png", "/charts/nothing.png", ("/charts/fees.png?points=x", A_HEIGHT)
    ),
    "/charts/{name}.csv": Row(
        "/charts/fees.csv?points=5", "/charts/nothing.csv", ("/charts/fees.csv?points=1", "from 2 to 1000"),
        f"{API}/charts/fees?points=5", ("heights[]", "points[][1]"),
    ),
    "/charts/{name}": Row(
        "/charts/fees?points=5", "/charts/nothing", ("/charts/fees?from=x", "expected a height, or a date"),
        f"{API}/charts/fees?points=5", ("heights[]", "points[][1]"),
    ),
    "/mempool": Row("/mempool", bad=("/mempool?cursor=x", CURSOR), twin=f"{API}/mempool", shown=("count",)),
    "/search": Row("/search?q=", "/search?q=nothing", ("/search?q=" + "x" * 300, "characters")),
    "/q/{text:path}": Row("/q/2000", status=301),
    "/suggestions": Row("/suggestions?q=cum&lang=de", bad=("/suggestions?q=" + "x" * 300, "characters")),
    "/status": Row("/status", twin=f"{API}/status", shown=("checks.payouts_checked", "tip.height")),
    "/broadcast": Row("/broadcast"),
    "/static/{name}": Row("/static/site.css", "/static/nothing.css"),
    "/favicon.ico": Row("/favicon.ico"),
    "/robots.txt": Row("/robots.txt"),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(chained: Chained) -> Client:
    """The site of the recorded chain with fresh readings of parallel chains and named wallets."""
    told(chained, SITUATIONS["stale"])
    return told(chained, SITUATIONS["fresh"])


def fields(body: Any, path: str) -> list[Any]:
    """The values of a field in JSON: ``items[].height``, ``items[1].height``."""
    steps = re.findall(r"\w+|\[\d*\]", path)
    found = [body]
    for step in steps:
        if step == "[]":
            found = [part for whole in found for part in whole]
        else:
            key = int(step[1:-1]) if step.startswith("[") else step
            found = [whole[key] for whole in found]
    return found


def sentence(refused: httpx.Response) -> str:
    """What an error says, on a page or as JSON."""
    if refused.headers["content-type"] == "application/json":
        told: str = refused.json()["error"]["message"]
        return told
    return Markup(refused.text).one("main").text


def tokens(text: str) -> set[str]:
    """All that a text tells: its words, its numbers without separators, its amounts as the API writes them."""
    words = set(re.findall(r"[\w.:]+", text))
    return words | {number.replace(",", "") for number in NUMBER.findall(text)}


def shown(content_type: str, body: str) -> set[str]:
    """What an answer tells people."""
    if not content_type.startswith("text/html"):
        return tokens(body.replace("\r\n ", ""))
    page = Markup(body)
    main = next(page.all("main"))
    pieces = [e.text for e in page.elements if "main" in e.parents]
    amounts = {plain(e.text) for e in page.all(class_="amount")}
    return amounts | tokens(main.text).union(*map(tokens, pieces))


def is_shown(value: Any, words: set[str], text: str) -> bool:
    """Whether a value of the API is told: exactly, and an amount by all its digits or as it is put in a sentence."""
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        return value in words or flux(zatoshi(value)) in text
    return str(value) in words


def declared() -> set[str]:
    """The paths that answer GET the same to everybody, without those that only lead to others."""
    moved = {route.path for route in aliases.routes() if isinstance(route, Route)}
    answering = {r.path for r in routes if isinstance(r, Route) and "GET" in (r.methods or ())}
    return {path for path in answering - moved if not path.startswith(OF_AN_ACCOUNT)}


def test_every_route_of_the_inventory_has_a_row() -> None:
    assert declared() == set(ROWS)
    assert {path for path, row in ROWS.items() if path.endswith(".csv") and not row.twin} == set()


@pytest.mark.parametrize("path", ROWS)
def test_a_route(whole: Client, path: str) -> None:
    row = ROWS[path]
    good = whole.get(row.good)
    assert good.status_code == row.status, good.text
    if row.missing:
        missing = whole.get(row.missing)
        assert missing.status_code == 404
        assert len(sentence(missing)) > 40
    if row.bad[0]:
        bad = whole.get(row.bad[0])
        assert bad.status_code == 400
        assert row.bad[1] in sentence(bad)
    if row.twin:
        body = whole.json(row.twin)
        words = shown(good.headers["content-type"], good.text)
        for name in row.shown:
            values = [value for value in fields(body, name) if value is not None]
            assert values, name
            assert [value for value in values if not is_shown(value, words, good.text)] == [], name


def test_the_other_names_of_pages_lead_to_them(whole: Client) -> None:
    for path, target in aliases.MOVED.items():
        response = whole.get(path.format(x="5"))
        assert (response.status_code, response.headers["location"]) == (301, target.format(x="5"))
