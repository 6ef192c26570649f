"""When a node will be paid: what is certain, what is likely, and how long that takes on the clock.

Certain is only the bound of the queue (``indexer.chain.deadlines.pays_by_height``). The rest is estimated from
the last blocks: how they were spaced, and how often nodes dropped out of the queue.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from explorer.db import View
from explorer.queries.node_results import Eta
from explorer.queries.past import lists_at
from indexer.chain.deadlines import pays_by_height
from indexer.chain.keys import eventkey
from indexer.chain.nodes import Status
from indexer.chain.params import pon_active, target_spacing
from indexer.chain.queue import Event
from indexer.chain.replay import PastLists
from indexer.chain.tiers import TIERS, Tier
from indexer.store.codec import EVENT_CODES

WINDOW = 1000
"""Blocks that estimates look back."""

DROP_OUTS = [EVENT_CODES[event] for event in (Event.EXPIRED, Event.SPENT, Event.REMOVED)]

TENTH = 1.2815515655446004
"""Standard normal quantile of nine tenths."""


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far apart blocks are: the era's target and, of ``blocks`` observed ones, mean and variance; seconds."""

    target: int
    mean: float
    variance: float
    blocks: int

    @property
    def observed(self) -> float | None:
        """The mean in seconds to the millisecond; None when nothing could be observed."""
        return round(self.mean, 3) if self.blocks else None

    def band(self, blocks: int) -> Eta:
        """How long so many blocks take.

        Sums of spacings are nearly gamma distributed, exactly so where blocks are found by chance; the quantiles
        are those of Wilson and Hilferty. That the mean itself is only observed widens them.
        """
        mean = self.mean * blocks
        variance = self.variance * blocks * (1 + blocks / max(self.blocks, 1))
        if mean <= 0 or variance <= 0:
            return Eta(round(mean), round(mean), round(mean))
        ninth = variance / (9 * mean * mean)
        p10, p50, p90 = (mean * max(0.0, 1 - ninth + z * math.sqrt(ninth)) ** 3 for z in (-TENTH, 0, TENTH))
        return Eta(round(p10), round(p50), round(p90))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is known of a payment after block ``height``."""

    pays_by_height: int
    expected_height: int
    eta_seconds: int
    eta: Eta


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the estimates after block ``height`` need; ``drop_out`` is a node's chance to leave in a block."""

    height: int
    payments_from: int
    spacing: Spacing
    drop_out: Mapping[Tier, float]

    def forecast(self, tier: Tier, rank: int) -> Forecast:
        """When a node of this rank is paid."""
        bound = pays_by_height(self.height, self.payments_from, rank)
        expected = bound - rank + round(expected_wait(rank, self.drop_out[tier]))
        seconds = (bound - self.height) * self.spacing.target
        return Forecast(bound, expected, seconds, self.spacing.band(expected - self.height))


def expected_wait(ahead: int, drop_out: float) -> float:
    """Blocks until ``ahead`` nodes are gone, one of them paid a block while each leaves at the rate ``drop_out``."""
    return math.log1p(drop_out * ahead) / drop_out if drop_out > 0 else float(ahead)


async def outlook_at(view: View, height: int) -> Outlook:
    """The outlook after block ``height``; kept in memory."""
    return await view.once("outlook", height, lambda: _outlook(view, height))


async def _outlook(view: View, height: int) -> Outlook:
    lists, spacing, left = await asyncio.gather(
        lists_at(view, height), spacing_at(view, height), _drop_outs(view, height)
    )
    rates = {tier: _rate(lists, tier, left[tier], min(height, WINDOW)) for tier in TIERS}
    return Outlook(height, view.network.nodes.payments_from, spacing, rates)


async def spacing_at(view: View, height: int) -> Spacing:
    """How the last blocks up to ``height`` were spaced, those of its era only.

    The time of the genesis block says nothing of when the chain began, so that the first block has no spacing.
    """
    first = max(height - WINDOW, 1)
    if pon_active(view.network, height):
        first = max(first, min(view.network.upgrades.pon, height))
    # To read one list of a thousand numbers costs half of what a thousand rows cost.
    found = await view.aggregate("blocks", [
        {"$match": {"_id": {"$gte": first, "$lte": height}}},
        {"$sort": {"_id": 1}},
        {"$group": {"_id": None, "times": {"$push": "$max_time"}}},
    ])  # fmt: skip
    target = target_spacing(view.network, height + 1)
    spacings = [after - before for before, after in pairwise(found[0]["times"] if found else ())]
    if not any(spacings):
        return Spacing(target, target, 0.0, 0)
    count, total = len(spacings), sum(spacings)
    squares = sum(spacing * spacing for spacing in spacings)
    return Spacing(target, total / count, (count * squares - total * total) / (count * count), count)


async def _drop_outs(view: View, height: int) -> Counter[int]:
    """How many nodes of each tier left the queue in the last blocks."""
    first = max(height - WINDOW, 0) + 1
    where = {"_id": {"$gte": eventkey(first, 0), "$lt": eventkey(height + 1, 0)}, "event": {"$in": DROP_OUTS}}
    return Counter(row["tier"] for row in await view.many("node_events", where, fields=("tier",)))


def _rate(lists: PastLists, tier: Tier, left: int, blocks: int) -> float:
    exposed = (lists.count(Status.CONFIRMED, tier) + left / 2) * blocks
    return left / exposed if exposed else 0.0
