"""Nodes: the tiers and their lists, the queue of a tier, one node, and the ways that lead there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.api.body import query_int
from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.pages.blocks import limit_of
from explorer.pages.render import page, with_query
from explorer.queries.addresses import is_following
from explorer.queries.entitlements import ParallelMining, shown_mining
from explorer.queries.fleets import Places, places_of
from explorer.queries.node_results import Node, Queue, StatusName, Tiers, TierState
from explorer.queries.nodes import Wanted, node_list, parse_node
from explorer.queries.profiles import Profile, Shown, profile
from explorer.queries.queues import parse_tier, position, queue, tiers
from explorer.queries.results import Page
from explorer.queries.search import names_address, names_pubkey
from explorer.queries.watch import WatchList, expiring, on_list
from explorer.services import services
from indexer.chain.keys import outpoint_text, parse_outpoint
from indexer.chain.nodes import Status
from indexer.chain.params import Network
from indexer.chain.tiers import Tier

STATUSES: Final[tuple[StatusName, ...]] = get_args(StatusName)
FILTERS: Final = ("tier", "status", "address", "ip", "pubkey")
VIEWS: Final = ("list", "expiring", "started", "dos")
PARTS: Final[tuple[Shown, ...]] = get_args(Shown)


@dataclass(frozen=True, slots=True)
class Overview:
    """The tiers and one list of nodes: a page of those wanted, or a watch list; None while the index catches up."""

    tiers: Tiers
    expiring: WatchList | None
    watched: WatchList | None
    nodes: Page[Node] | None


async def overview(view: View, wanted: Wanted, *, shown: str, cursor: str | None, limit: int) -> Overview:
    """The tiers with the list that was asked for."""
    if not is_following(view):
        return Overview(await tiers(view), None, None, None)
    if shown == "list":
        nodes = node_list(view, wanted, cursor=cursor, limit=limit)
        states, soon, page = await asyncio.gather(tiers(view), expiring(view), nodes)
        return Overview(states, soon, None, page)
    if shown == "expiring":
        states, soon = await asyncio.gather(tiers(view), expiring(view))
        return Overview(states, soon, soon, None)
    waiting = on_list(view, Status[shown.upper()])
    states, soon, watched = await asyncio.gather(tiers(view), expiring(view), waiting)
    return Overview(states, soon, watched, None)


async def index(request: Request) -> Response:
    """All nodes: by tier, status, address, IP, outpoint or public key; ``?view=`` for those to watch."""
    query = request.query_params
    if found := query.get("of", "").strip():
        target = _narrowed(found, query.get("tier"), query.get("status"), services(request).network)
        return RedirectResponse(target, 302)
    if query.get("outpoint"):
        return RedirectResponse(f"/node/{outpoint_text(parse_node(query['outpoint']))}", 302)
    shown = query.get("view", "list")
    if shown not in VIEWS:
        raise BadRequest(
            Phrase("view is %(text)s: expected one of %(known)s", text=repr(shown[:20]), known=", ".join(VIEWS))
        )
    filters = {name: query.get(name) or None for name in FILTERS}
    asked = any(name in query for name in FILTERS)
    if not asked:
        filters["status"] = "confirmed"
    cursor = query.get("cursor")
    answer = await services(request).db.fenced(
        overview, Wanted(**filters), shown=shown, cursor=cursor, limit=limit_of(request)
    )
    return await page(
        request, "nodes.html", nodes=answer.value, filters=filters, shown=shown, statuses=STATUSES,
        asked=asked, continued=cursor is not None, tip=answer.tip,
    )  # fmt: skip


def _narrowed(text: str, tier: str | None, status: str | None, network: Network) -> str:
    """The list, or the node, that a text of the form asks for."""
    if (point := parse_outpoint(text)) is not None:
        return f"/node/{outpoint_text(point)}"
    name = "address" if names_address(text, network) else "pubkey" if names_pubkey(text) else "ip"
    return with_query("/nodes", **{name: text}, tier=tier or None, status=status or None)


async def of_ip(request: Request) -> Response:
    """The nodes of an IP address, with or without a port."""
    return RedirectResponse(with_query("/nodes", ip=request.path_params["ip"]), 301)


@dataclass(frozen=True, slots=True)
class Turn:
    """A tier with a part of its queue: from some rank on, or the places of an address."""

    state: TierState
    all: Tiers
    queue: Queue | None
    places: Places | None


async def turn(
    view: View, tier: Tier, *, at: int | None, address: str | None, rank: int, cursor: str | None, limit: int
) -> Turn:
    """The queue of a tier after block ``at``, the tip by default."""
    height = position(view, tier, at, rank, cursor).height
    if address is not None and cursor is None:
        states, places = await asyncio.gather(tiers(view, at=height), places_of(view, tier, address, at=height))
        return Turn(states.items[tier - 1], states, None, places)
    part = queue(view, tier, at=at, first=rank, cursor=cursor, limit=limit)
    states, places_from = await asyncio.gather(tiers(view, at=height), part)
    return Turn(states.items[tier - 1], states, places_from, None)


async def of_tier(request: Request) -> Response:
    """The queue of a tier in payment order; ``?at=`` for the past, ``?address=`` or ``?position=`` to jump."""
    query = request.query_params
    tier = parse_tier(request.path_params["tier"])
    at = query_int(request, "at") if query.get("at") else None
    position = query_int(request, "position") if query.get("position") else None
    address = query.get("address", "").strip() or None
    cursor = query.get("cursor")
    answer = await services(request).db.fenced(
        turn, tier, at=at, address=address, rank=max(position or 1, 1) - 1, cursor=cursor, limit=limit_of(request)
    )
    return await page(
        request, "queue.html", turn=answer.value, at=at, address=address, tip=answer.tip,
        continued=cursor is not None or (position or 1) > 1,
    )  # fmt: skip


async def shown_node(
    view: View, point: bytes, *, at: int | None, shown: Shown, cursor: str | None, limit: int
) -> tuple[Profile, ParallelMining | None]:
    """A node, and beside its latest payouts what they earned on the parallel chains."""
    found = profile(view, point, at=at, shown=shown, cursor=cursor, limit=limit)
    if shown != "payouts" or at is not None or cursor is not None:
        return await found, None
    return await asyncio.gather(found, shown_mining(view, point))


async def show(request: Request) -> Response:
    """A node by its collateral; ``?at=`` for the past, ``?view=payouts`` for its payouts."""
    query = request.query_params
    given = request.path_params["outpoint"]
    point = parse_node(given)
    if outpoint_text(point) != given:
        path = f"/node/{outpoint_text(point)}"
        return RedirectResponse(f"{path}?{request.url.query}" if request.url.query else path, 301)
    shown = next((part for part in PARTS if part == query.get("view", PARTS[0])), None)
    if shown is None:
        raise BadRequest(
            Phrase("view is %(text)s: expected one of %(known)s", text=repr(query["view"][:20]), known=", ".join(PARTS))
        )
    at = query_int(request, "at") if query.get("at") else None
    cursor = query.get("cursor")
    answer = await services(request).db.fenced(
        shown_node, point, at=at, shown=shown, cursor=cursor, limit=limit_of(request)
    )
    found, mining = answer.value
    return await page(
        request, "node.html", profile=found, mining=mining, at=at, continued=cursor is not None, tip=answer.tip
    )

