"""What other sites show of this one: cards in frames, images for previews, oEmbed, and a page that offers them."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from explorer.api.respond import json_response
from explorer.charts.card import Card
from explorer.charts.picture import card_png
from explorer.db import Answer, View
from explorer.errors import BadRequest, NotFound
from explorer.languages import N_, _
from explorer.languages.phrases import Phrase
from explorer.pages.cards import maker
from explorer.pages.hosts import host_of
from explorer.pages.images import drawn, language_of_url, simulated, theme_of, unchanged
from explorer.pages.render import ENVIRONMENT, page, with_query
from explorer.queries.chart_results import NAMES
from explorer.queries.queues import tiers
from explorer.queries.units import TIERS
from explorer.services import services

WIDE: Final = 480  # px, of a card in a frame
TALL: Final = 232
PREVIEW: Final = (1200, 630)  # px
EMBEDDABLE: Final = ("block", "tx", "address", "node")
MINUTE: Final = 60
OFFERED: Final[tuple[tuple[str, dict[str, str], str], ...]] = (
    ("height", {}, N_("Height of the Flux chain")),
    ("nodes", {}, N_("Confirmed Flux nodes")),
    ("nodes", {"tier": "stratus"}, N_("Confirmed Stratus nodes")),
    ("next-payout", {"tier": "nimbus"}, N_("Nimbus node that is paid next")),
    ("circulating", {}, N_("FLUX circulating on all chains")),
    ("cap", {}, N_("Whether the caps of the supply hold")),
)


async def card_of(request: Request) -> Answer[Card]:
    """The card that a path names."""
    s = services(request)
    kind, reference = request.path_params["kind"], request.path_params.get("reference", "")
    return await s.db.fenced(maker(kind, reference), s, reference)


async def show(request: Request) -> Response:
    """A card for a frame of another site: the tip, supply, a tier, block, transaction, address, node; ``?theme=``."""
    theme = theme_of(request) if "theme" in request.query_params else ""
    s = services(request)
    template = ENVIRONMENT.get_template("embed.html")
    write = partial(template.render, theme=theme, simulated=s.simulated, network=s.network.name)
    return drawn(request, await card_of(request), lambda card: write(card=card).encode(), "text/html; charset=utf-8")


async def preview(request: Request) -> Response:
    """The same card as an image of 1200 × 630 px, for whoever previews a link."""
    theme, found = theme_of(request), await card_of(request)
    same = unchanged(request, found)
    if same is not None:
        return same
    image = await asyncio.to_thread(card_png, found.value, theme, simulated(request))
    return drawn(request, found, lambda _: image, "image/png")


async def oembed(request: Request) -> Response:
    """How a page of a block, transaction, address or node is embedded (oEmbed 1.0, JSON only); ``?lang=``."""
    query, language = request.query_params, language_of_url(request)
    if query.get("format", "json") != "json":
        raise HTTPException(501)
    host = host_of(request)
    kind, reference = _page(query.get("url", ""), host)
    s = services(request)
    card = (await s.db.fenced(maker(kind, reference), s, reference)).value
    width, height = (_at_most(query.get(name), size) for name, size in (("maxwidth", WIDE), ("maxheight", TALL)))
    title = f"{card.kind}: {card.title}"
    frame = Markup('<iframe src="{}" title="{}" width="{}" height="{}" frameborder="0"></iframe>').format(
        with_query(f"{host}/embed{card.path}", lang=language), title, width, height
    )
    answer = {
        "version": "1.0", "type": "rich", "title": title, "html": str(frame), "width": width, "height": height,
        "provider_name": "Flux Explorer", "provider_url": host, "cache_age": MINUTE,
        "thumbnail_url": with_query(f"{host}/preview{card.path}.png", lang=language),
        "thumbnail_width": PREVIEW[0], "thumbnail_height": PREVIEW[1],
    }  # fmt: skip
    return json_response(request, answer, headers={"Cache-Control": f"public, max-age={MINUTE}", "Vary": "Host"})


def _page(url: str, host: str) -> tuple[str, str]:
    """Kind and reference of the page of this site that a URL names."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadRequest(Phrase("url is no URL: expected the address of a page of this site")) from None
    if parts.netloc and parts.netloc != urlsplit(host).netloc:
        raise NotFound(
            Phrase("%(other)s is another site: expected a page of %(host)s", other=repr(parts.netloc[:60]), host=host)
        )
    kind, _slash, reference = unquote(parts.path).removeprefix("/").partition("/")
    if kind not in EMBEDDABLE or not reference or "/" in reference:
        raise NotFound(Phrase("url is no page that can be embedded: expected a block, tx, address or node"))
    return kind, reference


def _at_most(text: str | None, size: int) -> int:
    """The size of a frame, no more than asked for."""
    if text is None:
        return size
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:6]):
        raise BadRequest(Phrase("%(text)s is no size: expected a whole number of pixels", text=repr(text[:20])))
    return min(size, int(text[:6]))


async def gallery(request: Request) -> Response:
    """Badges, cards and charts to copy into other pages."""
    db = services(request).db
    nodes = (await db.fenced(heads)).value
    badges = [
        (name, query, _(title)) for name, query, title in OFFERED
        if name != "circulating" or db.meta.parallel is not None
    ]  # fmt: skip
    cards = (
        ("/embed/tip", _("The newest block")),
        ("/embed/supply", _("The supply")),
        *((f"/embed/tier/{tier}", _("The %(tier)s nodes", tier=tier.capitalize())) for tier in TIERS),
        *((f"/embed/node/{outpoint}", _("A node")) for outpoint in nodes[:1]),
    )
    return await page(
        request, "embeds.html", host=host_of(request), badges=badges, cards=cards, charts=NAMES, wide=WIDE, tall=TALL
    )


async def heads(view: View) -> tuple[str, ...]:
    """The nodes that are paid next, for an example."""
    return tuple(state.next.node for state in (await tiers(view)).items if state.next is not None)
