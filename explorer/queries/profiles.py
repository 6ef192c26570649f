"""A node with what surrounds it: its tier, and a page of its timeline or of its payouts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

from explorer.db import View
from explorer.queries.node_results import LifeEvent, Node, NodePayout, TierState
from explorer.queries.nodes import node, node_id
from explorer.queries.payouts import LIST, payouts
from explorer.queries.queues import tiers
from explorer.queries.results import Page
from explorer.queries.timeline import HISTORY, timeline
from explorer.queries.units import TIERS
from indexer.chain.keys import eventkey, eventkey_height, outpoint_text, txkey, txkey_height
from indexer.chain.queue import Event
from indexer.chain.tiers import collateral_acceptable
from indexer.store.codec import EVENT_CODES, EVENTS

Shown = Literal["timeline", "payouts"]

Restart = Literal["possible", "lapsed", "spent"]

BREAKS: Final = (Event.CONFIRM, Event.DOS, Event.EXPIRED, Event.SPENT, Event.REMOVED, Event.RELEASED)
"""Events that take a node out of its queue, or back to the end of it."""

AFTER_ALL_TIERS: Final = 1 << 8  # above every number of a payout in a block


@dataclass(frozen=True, slots=True)
class Paid:
    """A payout, the blocks since the one before, and what happened to the node in between."""

    payout: NodePayout
    gap: int | None
    breaks: tuple[LifeEvent, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A node at a height; ``times`` are those of the blocks of its events, by height.

    ``since`` is what happened after its last payout; empty unless the list of payouts begins with that. ``restart``
    is whether the collateral of a node that is out could start again; None where that does not follow from the rules.
    """

    node: Node
    height: int
    tier: TierState
    events: Page[LifeEvent] | None
    paid: Page[Paid] | None
    since: tuple[LifeEvent, ...]
    restart: Restart | None
    times: Mapping[int, int]


async def profile(
    view: View, outpoint: bytes, *, at: int | None = None, shown: Shown, cursor: str | None, limit: int
) -> Profile:
    """A node at the tip or after block ``at``, with one page of what happened to it until then."""
    found = await node(view, outpoint, at=at)
    states = await tiers(view, at=at)
    height = states.at.height
    events: Page[LifeEvent] | None = None
    paid: Page[Paid] | None = None
    since: list[LifeEvent] = []
    if shown == "timeline":
        first = HISTORY.encode(height + 1, 0) if at is not None else None
        events = await timeline(view, outpoint, cursor=cursor or first, limit=limit)
    else:
        first = LIST.encode(height + 1, AFTER_ALL_TIERS) if at is not None else None
        paid = await _paid(view, outpoint, cursor or first, limit)
        if paid.items and cursor is None:
            since = await _breaks(view, await node_id(view, outpoint), paid.items[0].payout.height, height + 1)
    times = await _times(view, [event.height for event in events.items] if events else [])
    restart = await _restart(view, found, outpoint, height)
    return Profile(found, height, states.items[TIERS.index(found.tier)], events, paid, tuple(since), restart, times)


async def _restart(view: View, node: Node, outpoint: bytes, height: int) -> Restart | None:
    """Whether a new START could have the collateral of a node after block ``height``, by amount and existence."""
    if node.restart_from is None:
        return None
    if not collateral_acceptable(view.network, node.collateral, max(node.restart_from, height + 1)):
        return "lapsed"
    if height < view.tip.height:
        return None
    return "possible" if await view.one("utxos", {"_id": outpoint}) else "spent"


async def _times(view: View, heights: Sequence[int]) -> dict[int, int]:
    where = {"_id": {"$in": sorted(set(heights))}}
    rows = await view.many("blocks", where, fields=("time",)) if heights else []
    return {row["_id"]: row["time"] for row in rows}


async def _paid(view: View, outpoint: bytes, cursor: str | None, limit: int) -> Page[Paid]:
    """The payouts of a node, newest first, with what lies between them."""
    page = await payouts(view, node=outpoint_text(outpoint), cursor=cursor, limit=limit)
    if not page.items:
        return Page((), None)
    id = await node_id(view, outpoint)
    where = {"nodes": id, "_id": {"$lt": page.items[-1].height}}
    before = await view.one("payouts", where, sort=[("_id", -1)])
    oldest = before["_id"] if before else None
    breaks = await _breaks(view, id, oldest or 0, page.items[0].height)
    heights = [*(payout.height for payout in page.items), oldest]
    items = tuple(
        Paid(payout, payout.height - older if older is not None else None, tuple(_between(breaks, older, payout)))
        for payout, (_, older) in zip(page.items, pairwise(heights), strict=True)
    )
    return Page(items, page.next)


def _between(events: Iterable[LifeEvent], older: int | None, payout: NodePayout) -> Iterable[LifeEvent]:
    """What explains an unusual gap: nothing before the first payout needs one."""
    return (event for event in events if older is not None and older <= event.height < payout.height)


async def _breaks(view: View, id: int, low: int, high: int) -> list[LifeEvent]:
    """The STARTs of a node and its ways out of the queue from one height up to below another, oldest first."""
    events = {"node": id, "_id": {"$gte": eventkey(low, 0), "$lt": eventkey(high, 0)}}
    starts = {"node": id, "_id": {"$gte": txkey(low, 0), "$lt": txkey(high, 0)}}
    changed, started = await asyncio.gather(
        view.many("node_events", {**events, "event": {"$in": [EVENT_CODES[event] for event in BREAKS]}}),
        view.many("node_starts", starts, fields=("_id",)),
    )
    found = [LifeEvent(eventkey_height(row["_id"]), None, EVENTS[row["event"]].value, None) for row in changed]
    found += [LifeEvent(txkey_height(row["_id"]), None, "start", None) for row in started]
    return sorted(found, key=lambda event: event.height)
