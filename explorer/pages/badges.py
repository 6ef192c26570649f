"""Badges: one number of the chain as a small image for other pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from explorer.charts.badge import badge_svg
from explorer.charts.card import Badge
from explorer.db import View
from explorer.errors import NotFound
from explorer.labels import Labels
from explorer.languages import _, language
from explorer.languages.phrases import Phrase
from explorer.pages.formats import group
from explorer.pages.images import drawn, theme_of
from explorer.pages.node_words import pill
from explorer.pages.supply_words import caps_badge, compact
from explorer.queries.caps import caps
from explorer.queries.nodes import node, parse_node
from explorer.queries.queues import parse_tier, tiers
from explorer.queries.supply_numbers import number
from explorer.services import services

Make = Callable[[View, Labels, Mapping[str, str]], Awaitable[Badge]]


async def height(view: View, labels: Labels, query: Mapping[str, str]) -> Badge:
    """The height of the chain."""
    return Badge(_("Flux height"), group(view.tip.height))


async def nodes(view: View, labels: Labels, query: Mapping[str, str]) -> Badge:
    """The confirmed nodes, all or of one tier."""
    states = (await tiers(view)).items
    if "tier" not in query:
        return Badge(_("Flux nodes"), group(sum(state.nodes.confirmed for state in states)))
    state = states[parse_tier(query["tier"]) - 1]
    return Badge(_("%(tier)s nodes", tier=state.tier.capitalize()), group(state.nodes.confirmed), state.tier)


async def next_payout(view: View, labels: Labels, query: Mapping[str, str]) -> Badge:
    """Until when a node is paid, by ``node``; else which node of a tier is paid next."""
    if "node" in query:
        found = await node(view, parse_node(query["node"]))
        if found.pays_by_height is None:
            return Badge(_("Next payout"), _in_line(pill(found, view.tip.height).text), "fair")
        return Badge(_("Next payout"), _("by block %(height)s", height=group(found.pays_by_height)), found.tier)
    state = (await tiers(view)).items[parse_tier(query.get("tier", "cumulus")) - 1]
    name = _("Next %(tier)s payout", tier=state.tier.capitalize())
    return Badge(name, f"{state.next.node[:8]}…" if state.next else _("nobody"), state.tier)


async def circulating(view: View, labels: Labels, query: Mapping[str, str]) -> Badge:
    """What circulates on all chains by the official formula; NotFound without parallel chains."""
    found = await number(view, "circulating", wallets=labels.fusion)
    return Badge(_("FLUX circulating"), compact(found.amount))


async def cap(view: View, labels: Labels, query: Mapping[str, str]) -> Badge:
    """Whether the caps that anybody has named hold."""
    verdict = caps_badge(await caps(view, wallets=labels.fusion))
    return Badge(_("Flux supply"), _in_line(verdict.text), verdict.tone)


def _in_line(text: str) -> str:
    """A state as it is written behind a name; not every language writes nouns small."""
    return text.lower() if language() == "en" else text


BADGES: Final[Mapping[str, Make]] = {
    "height": height, "nodes": nodes, "next-payout": next_payout, "circulating": circulating, "cap": cap,
}  # fmt: skip


async def show(request: Request) -> Response:
    """A number of the chain as SVG, ``?theme=light`` or ``dark``; ``?tier=`` or ``?node=`` choose among nodes."""
    name = request.path_params["name"]
    if name not in BADGES:
        raise NotFound(Phrase(
            "there is no badge %(name)s: expected one of %(known)s",
            name=repr(name[:20]), known=", ".join(BADGES),
        ))  # fmt: skip
    theme, s = theme_of(request), services(request)
    found = await s.db.fenced(BADGES[name], s.labels, request.query_params)
    return drawn(request, found, partial(badge_svg, theme=theme), "image/svg+xml")
