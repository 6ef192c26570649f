"""Blocks whose coinbases claimed other than the schedule, found without an index of their own.

What was left unclaimed up to a block never falls above height 2, because no coinbase may claim too much. So wherever
two heights agree there is nothing in between, and a search by halves need only look where they differ. Heights 1 and 2
may claim anything and are looked at by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias

from explorer.db import View
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.block_rows import block_rows
from explorer.queries.results import Page
from explorer.queries.supply_results import UnclaimedBlock
from indexer.chain.params import Network
from indexer.chain.subsidy import issue_at, scheduled_issue
from indexer.store.codec import Document

LIST = Cursor("unclaimed blocks", 1)
FREE: Final = 2  # the last height at which a coinbase may claim anything (main.cpp:ConnectBlock)
READ_AT_ONCE: Final = 4000  # rows a round trip
FOUND: Final = "blocks that left something unclaimed"

Stretch: TypeAlias = tuple[int, int]
"""Heights above the first and up to the second, between which something was left unclaimed."""


@dataclass(frozen=True, slots=True)
class Found:
    """The greatest ``most`` heights up to ``top``, or as many as there are, that left something unclaimed."""

    top: int
    most: int
    heights: tuple[int, ...]

    def tells(self, most: int) -> bool:
        """Whether these are the greatest ``most`` too."""
        return most <= self.most or len(self.heights) < self.most


async def unclaimed(view: View, *, cursor: str | None = None, limit: int) -> Page[UnclaimedBlock]:
    """The blocks whose new coins are not those of the schedule, the newest first."""
    top = view.tip.height if cursor is None else min(LIST.decode(cursor)[0] - 1, view.tip.height)
    heights = await _under_claimed(view, top, limit + 1)
    if len(heights) <= limit:
        heights += range(min(top, FREE), 0, -1)
    rows = await block_rows(view, heights, "coinbase_value", "fees")
    items = [_item(view.network, rows[height]) for height in heights if height in rows]
    items = [item for item in items if item.unclaimed]
    page = items[:limit]
    return Page(tuple(page), LIST.encode(page[-1].height) if len(items) > limit else None)


async def _under_claimed(view: View, top: int, most: int) -> list[int]:
    """The greatest ``most`` heights above ``FREE`` and up to ``top`` that left something unclaimed, descending.

    What was found is kept for the epoch, so that after a new block only that one is looked at.
    """
    known: Found | None = view.kept(FOUND, top)
    if known is None or not known.tells(most):
        known = Found(FREE, most, ())
    heights = [*await _between(view, known.top, top, most), *known.heights][:most]
    view.keep(FOUND, top, Found(max(top, FREE), most, tuple(heights)))
    return heights


async def _between(view: View, bottom: int, top: int, most: int) -> list[int]:
    """The greatest ``most`` heights above ``bottom`` and up to ``top`` that left something unclaimed, descending."""
    spread = _marks(bottom, top, READ_AT_ONCE) if top > bottom else []
    stretches = _differing(await _left(view, spread), spread)
    while any(high - low > 1 for low, high in stretches[:most]):
        newest = stretches[:most]  # each of them holds at least one
        marks = [_marks(low, high, READ_AT_ONCE // len(newest)) for low, high in newest]
        left = await _left(view, [height for part in marks for height in part])
        stretches = [found for part in marks for found in _differing(left, part)] + stretches[most:]
    return [high for _, high in stretches[:most]]


def _marks(low: int, high: int, most: int) -> list[int]:
    """Both ends of a stretch and evenly spread heights between them."""
    step = max(1, -(-(high - low) // max(most, 2)))
    return [*range(low, high, step), high]


def _differing(left: Mapping[int, int], marks: list[int]) -> list[Stretch]:
    """The stretches between neighbouring marks in which something was left, the newest first."""
    return [(low, high) for low, high in pairwise(marks) if left[low] != left[high]][::-1]


async def _left(view: View, heights: list[int]) -> dict[int, int]:
    """What had been left unclaimed up to each of these blocks, in zatoshi."""
    rows = await block_rows(view, set(heights), "issued")
    return {height: scheduled_issue(view.network, height) - row["issued"] for height, row in rows.items()}


def _item(network: Network, row: Document) -> UnclaimedBlock:
    height, scheduled, claimed = row["_id"], issue_at(network, row["_id"]), row["coinbase_value"] - row["fees"]
    explanation = explain(network, height, claimed, row["fees"])
    return UnclaimedBlock(height, scheduled, claimed, scheduled - claimed, explanation)


def explain(network: Network, height: int, claimed: int, fees: int) -> Phrase:
    """Why a coinbase that made ``claimed`` zatoshi of new coins, with ``fees`` to take, is not as scheduled."""
    scheduled, rule = issue_at(network, height), network.subsidy
    if height <= FREE:
        if claimed >= rule.premine > scheduled:
            return Phrase("the premine, which the schedule has at height %(height)s", height=rule.premine_height)
        if height == rule.premine_height and claimed < rule.premine:
            return Phrase("the schedule has the premine here; this coinbase does not claim it")
        return Phrase("no rule bounds what the coinbases of blocks 1 and 2 claim")
    step = rule.initial // max(rule.slow_start_interval, 1)
    if height <= rule.slow_start_interval and scheduled - claimed == step:
        return Phrase("the slow start goes one step behind the schedule")
    if claimed + fees == 0:
        return Phrase("the coinbase claims nothing at all")
    if fees and claimed + fees == scheduled:
        return Phrase("the coinbase claims the subsidy and leaves the fees")
    if claimed < 0:
        return Phrase("the coinbase claims less than the fees: coins were destroyed")
    return Phrase("the coinbase claims less than subsidy, fees and one-off funds; what is left was never made")
