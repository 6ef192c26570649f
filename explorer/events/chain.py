"""What the chain did after a position: reorganisations and blocks, each block with what it paid and did to nodes.

All of it is read from immutable rows, so that the same question has the same answer for who listens and for who
comes back: the journal of events is the chain itself, and the record of its reorganisations.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Final

from explorer.db import View
from explorer.events.event import DONE, WAITING, Event, Position, event
from explorer.events.lives import node_changes
from explorer.queries.blocks import block
from explorer.queries.payouts import payouts_at
from explorer.queries.reorgs import LIST as RECORDS
from explorer.queries.reorgs import Reorg, reorgs
from explorer.queries.results import Transaction
from explorer.queries.transactions import block_transactions

MOST_BLOCKS: Final = 100
"""Blocks that are told one by one, as deep as a reorganisation goes; who is further behind begins anew."""

MOST_REORGS: Final = 20
AT_ONCE: Final = 1000  # transactions of a block that are read at once

FIRST: Final = {"block": 0, "payout": 1, "node": 10, "mined": 40_000}
"""The ordinal of the first event of each kind in a block; a block has at most three payouts."""


class Gap(Exception):
    """Too much has happened since a position to tell it one by one; the text says what."""


async def chain_events(view: View, since: Position, sources: Collection[str]) -> list[Event]:
    """What the chain did after a position, up to the tip; Gap when that is too much to tell."""
    number = view.tip.reorgs - since.reorgs
    if number < 0 or number > MOST_REORGS:
        raise Gap("the index has been made anew" if number < 0 else f"there were {number} reorganisations")
    known, events = since, []
    for reorg in [await _reorg(view, since.reorgs + n) for n in range(1, number + 1)]:
        fork = reorg.from_.height - reorg.depth
        if fork < known.height:
            known = known._replace(height=fork, ordinal=DONE)
        known = known._replace(reorgs=reorg.number)
        if "reorg" in sources:
            events.append(event(known, "reorg", reorg, view.tip))
    if not 0 <= view.tip.height - known.height <= MOST_BLOCKS:
        raise Gap(f"the index is at block {view.tip.height}, and this is of block {known.height}")
    begun = known.height if known.ordinal < DONE else known.height + 1
    for height in range(begun, view.tip.height + 1):
        told = [e async for e in block_events(view, known._replace(height=height, ordinal=0), sources)]
        events += (e for e in told if e.position > known)
    return events


def end_of(view: View, since: Position) -> Position:
    """The position at which everything up to the tip has been told."""
    return Position(view.tip.reorgs, view.tip.height, WAITING, since.sequence)


async def block_events(view: View, at: Position, sources: Collection[str]) -> AsyncIterator[Event]:
    """The events of the block at a position: the block, its payouts, what it did to nodes, its transactions."""
    height, tip = at.height, view.tip
    if "block" in sources:
        yield event(at, "block", await block(view, height), tip)
    if "payout" in sources:
        for n, paid in enumerate(await payouts_at(view, height), FIRST["payout"]):
            place = at._replace(ordinal=n)
            yield event(place, "payout", paid, tip, addresses=[paid.address], nodes=[paid.node])
    if "node" in sources:
        for n, change in enumerate(await node_changes(view, height), FIRST["node"]):
            place = at._replace(ordinal=n)
            yield event(place, "node", change, tip, addresses=[change.address], nodes=[change.node])
    if "mined" in sources:
        async for n, found in _mined(view, height):
            yield transaction_event(at._replace(ordinal=min(FIRST["mined"] + n, DONE - 1)), found, view)


def transaction_event(position: Position, found: Transaction, view: View) -> Event:
    """A transaction with the addresses that it pays or spends from, and the node that it is of."""
    node = found.node
    payers, payees = (one.address for one in found.inputs), (one.address for one in found.outputs)
    return event(
        position,
        "transaction",
        found,
        view.tip,
        addresses=[*payers, *payees, node.address if node else None],
        nodes=[node.node] if node else (),
        mined=found.block is not None,
    )


async def _mined(view: View, height: int) -> AsyncIterator[tuple[int, Transaction]]:
    cursor, n = None, 0
    while n == 0 or cursor is not None:
        page = await block_transactions(view, height, cursor=cursor, limit=AT_ONCE)
        for found in page.items:
            yield n, found
            n += 1
        cursor = page.next


async def _reorg(view: View, number: int) -> Reorg:
    for found in (await reorgs(view, cursor=RECORDS.encode(number + 1), limit=1)).items:
        if found.number == number:
            return found
    raise Gap(f"there is no record of reorganisation {number}")
