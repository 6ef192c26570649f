"""A node with what surrounds it: its tier, and a page of its timeline or of its payouts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

from explorer.db import View
from explorer.queries.block_rows import times_at
from explorer.queries.node_results import LifeEvent, Node, NodePayout, TierState
from explorer.queries.node_rows import Join, newest, node_row
from explorer.queries.nodes import node_result, record_at
from explorer.queries.outlook import outlook_at
from explorer.queries.past import ranks_at
from explorer.queries.payouts import Sought, newest_payouts, payouts_of_node, place_after
from explorer.queries.queues import tiers
from explorer.queries.results import Page
from explorer.queries.timeline import Place, life, place_below, timeline_of
from explorer.queries.units import TIERS
from indexer.chain import deadlines, nodes
from indexer.chain.keys import eventkey, eventkey_height, txkey, txkey_height
from indexer.chain.queue import Event
from indexer.chain.tiers import collateral_acceptable
from indexer.store.codec import EVENT_CODES, EVENTS, Document

Shown = Literal["timeline", "payouts"]

Restart = Literal["possible", "lapsed", "spent"]

BREAKS: Final = (Event.CONFIRM, Event.DOS, Event.EXPIRED, Event.SPENT, Event.REMOVED, Event.RELEASED)
"""Events that take a node out of its queue, or back to the end of it."""


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


@dataclass(frozen=True, slots=True)
class _Told:
    """One page of what happened to a node, as ``Profile`` shows it."""

    events: Page[LifeEvent] | None = None
    times: Mapping[int, int] = field(default_factory=dict)
    paid: Page[Paid] | None = None
    since: tuple[LifeEvent, ...] = ()


async def profile(
    view: View, outpoint: bytes, *, at: int | None = None, shown: Shown, cursor: str | None, limit: int
) -> Profile:
    """A node at the tip or after block ``at``, with one page of what happened to it until then."""
    height = view.tip.height if at is None else view.require_height(at)
    (record, restart, told), states, ranks, outlook = await asyncio.gather(
        _told_of(view, outpoint, height, shown, cursor, limit),
        tiers(view, at=height),
        ranks_at(view, height),
        outlook_at(view, height),
    )
    found = node_result(view.network, record, ranks.get(record.id), outlook)
    state = states.items[TIERS.index(found.tier)]
    return Profile(found, height, state, told.events, told.paid, told.since, restart, told.times)


async def _told_of(
    view: View, outpoint: bytes, height: int, shown: Shown, cursor: str | None, limit: int
) -> tuple[nodes.Node, Restart | None, _Told]:
    if shown == "timeline":
        before = place_below(height, cursor)
        row = await node_row(view, outpoint, *life(view, before, limit), _confirmed(view, before, limit))
        told = _lived(view, row, before, limit)
    else:
        after = place_after(height, cursor)
        row = await node_row(view, outpoint, newest_payouts(view, Sought(), after, limit))
        told = _earned(view, row, after, height + 1 if cursor is None else None, limit)
    (record, restart), page = await asyncio.gather(_standing(view, row, height), told)
    return record, restart, page


async def _standing(view: View, row: Document, height: int) -> tuple[nodes.Node, Restart | None]:
    record = await record_at(view, row, height)
    return record, await _restart(view, record, height)


async def _restart(view: View, record: nodes.Node, height: int) -> Restart | None:
    """Whether a new START could have the collateral of a node after block ``height``, by amount and existence."""
    restart_from = deadlines.restart_from(view.network, record)
    if restart_from is None:
        return None
    if not collateral_acceptable(view.network, record.value, max(restart_from, height + 1)):
        return "lapsed"
    if height < view.tip.height:
        return None
    return "possible" if await view.one("utxos", {"_id": record.outpoint}) else "spent"


def _confirmed(view: View, before: Place, limit: int) -> Join:
    """The heights of a node's confirmations, so that the times of all its events are read at once."""
    top = min(before[0], view.tip.height)
    return newest("node_confirms", "nodes", {"_id": {"$lte": top}}, limit + 3, ())


async def _lived(view: View, row: Document, before: Place, limit: int) -> _Told:
    """A page of the timeline; of the heights above the place only one can be among those of the row."""
    heights = {other["_id"] for name in ("node_confirms", "payouts") for other in row[name]}
    heights |= {eventkey_height(event["_id"]) for event in row["node_events"]}
    heights |= {txkey_height(start["_id"]) for start in row["node_starts"]}
    events, times = await asyncio.gather(
        timeline_of(view, row, before, limit), times_at(view, sorted(heights, reverse=True)[: limit + 1])
    )
    return _Told(events, {event.height: times[event.height] for event in events.items})


async def _earned(view: View, row: Document, after: Place, end: int | None, limit: int) -> _Told:
    """A page of payouts with what lies between them; up to below ``end`` what happened since the last of them."""
    places = ((paid["_id"], paid["nodes"].index(row["_id"])) for paid in row["payouts"])
    heights = [height for height, number in places if height < after[0] or number > after[1]][: limit + 1]
    if not heights:
        return _Told(paid=Page((), None))
    oldest = heights[limit] if len(heights) > limit else None
    page, breaks = await asyncio.gather(
        payouts_of_node(view, row, Sought(), after, limit), _breaks(view, row["_id"], oldest or 0, end or heights[0])
    )
    items = tuple(
        Paid(payout, payout.height - older if older is not None else None, tuple(_between(breaks, older, payout)))
        for payout, (_, older) in zip(page.items, pairwise([*heights[:limit], oldest]), strict=True)
    )
    since = tuple(event for event in breaks if end is not None and event.height >= heights[0])
    return _Told(paid=Page(items, page.next), since=since)


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
