"""How many Proof of Node blocks chance would give to each node.

Every confirmed node has the same chance in every block, whatever its tier and collateral (``pon/pon.cpp``): one
out of those that were confirmed after the block before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from explorer.db import View
from explorer.queries.past import NEAR, lists_at
from indexer.chain.keys import eventkey
from indexer.chain.params import pon_active
from indexer.chain.queue import Event
from indexer.chain.replay import Change
from indexer.chain.tiers import TIERS
from indexer.store.codec import EVENT_CODES, event_change

MOVES = [EVENT_CODES[event] for event in (Event.CONFIRM, Event.EXPIRED, Event.SPENT, Event.REMOVED)]


@dataclass(frozen=True, slots=True)
class Chances:
    """The state after block ``height``.

    ``running`` is what a node would have that was always confirmed; ``since`` what it was when each confirmed node
    joined, ``earlier`` what former times on the list gave.
    """

    height: int
    running: float
    since: Mapping[int, float]
    earlier: Mapping[int, float]

    def of(self, node: int) -> float:
        """The expected blocks of a node, to the hundredth."""
        present = self.running - self.since[node] if node in self.since else 0.0
        return round(self.earlier.get(node, 0.0) + present, 2)


def carried_on(base: Chances, changes: Iterable[Change], height: int) -> Chances:
    """The state after block ``height`` from an earlier one and the moves since then, in order."""
    running, at, since, earlier = base.running, base.height, dict(base.since), dict(base.earlier)
    for change in changes:
        running += (change.height - at) / len(since) if since else 0.0
        at = change.height
        if change.event is Event.CONFIRM:
            since[change.node] = running
        else:
            joined = since.pop(change.node, running)
            earlier[change.node] = earlier.get(change.node, 0.0) + running - joined
    running += (height - at) / len(since) if since else 0.0
    return Chances(height, running, since, earlier)


async def chances_at(view: View, height: int) -> Chances:
    """The chances in all Proof of Node blocks up to ``height``; kept in memory and carried on."""
    return await view.once("chances", height, lambda: _chances(view, height))


async def _chances(view: View, height: int) -> Chances:
    """From what is in memory of a block shortly before, else from the first Proof of Node block on."""
    near: Chances | None = view.kept("chances", height)
    if near is not None and near.height >= height - NEAR:
        return carried_on(near, await _moves(view, near.height, height), height)
    if not pon_active(view.network, height):
        return Chances(height, 0.0, {}, {})
    before = max(view.network.upgrades.pon - 1, 0)
    lists, moves = await asyncio.gather(lists_at(view, before), _moves(view, before, height))
    beginning = Chances(before, 0.0, {node: 0.0 for tier in TIERS for node in lists.order(tier)}, {})
    return carried_on(beginning, moves, height)


async def _moves(view: View, after: int, height: int) -> Iterable[Change]:
    """Who joined and who left the confirmed nodes above a height and up to another, in order."""
    where = {"_id": {"$gte": eventkey(after + 1, 0), "$lt": eventkey(height + 1, 0)}, "event": {"$in": MOVES}}
    rows = await view.many("node_events", where, sort=[("_id", 1)], fields=("node", "event", "tier"))
    return map(event_change, rows)
