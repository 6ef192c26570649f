"""The reorganisations that this index has followed, from the journal that ``rewind`` writes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from explorer.db import View
from explorer.paging import Cursor
from explorer.queries.results import BlockReference, Page
from explorer.queries.units import Hash, Height, Outpoint, Seconds
from indexer.chain.keys import hash_text, outpoint_text
from indexer.store.codec import Document

LIST = Cursor("reorganisations", 1)
MOST_ORPHANS = 100  # blocks of a reorganisation that are listed; its depth counts all
MOST_TOGETHER = 100
PART_BITS = 16  # of the ordinal in an _id of the journal


@dataclass(frozen=True, slots=True)
class Orphan:
    """A block that a reorganisation took from the chain; ``replaced_by`` is the block at its height now."""

    height: Height
    hash: Hash
    time: Seconds
    transaction_count: int
    producer: Outpoint | None
    replaced_by: Hash | None


@dataclass(frozen=True, slots=True)
class Reorg:
    """A reorganisation: ``number`` counts them from 1, ``seen`` is the indexer's clock.

    ``fork`` is the last common block, ``from`` the tip that was left, ``to`` the block at its height now, null while
    the chain has not reached it again. ``orphaned`` are the newest ``depth`` blocks, at most 100, the highest first.
    """

    number: int
    seen: Seconds
    cause: Literal["reorg", "operator"]
    depth: int
    fork: BlockReference | None
    from_: BlockReference
    to: BlockReference | None
    orphaned: tuple[Orphan, ...]


async def reorgs(view: View, *, cursor: str | None = None, limit: int) -> Page[Reorg]:
    """The reorganisations, newest first; the cursor names the last one shown."""
    last = view.tip.reorgs if cursor is None else min(int(LIST.decode(cursor)[0]) - 1, view.tip.reorgs)
    numbers = range(last, 0, -1)[: min(limit, MOST_TOGETHER)]
    parts = [number << PART_BITS | part for number in numbers for part in range(MOST_ORPHANS + 1)]
    fields = ("fork", "old_tip", "cause", "seen", "height", "hash", "block.time", "block.tx_count", "block.producer")
    rows = await view.many("reorgs", {"_id": {"$in": parts}}, sort=[("_id", 1)], fields=fields)
    heads = {row["_id"] >> PART_BITS: row for row in rows if "fork" in row}
    orphans: dict[int, list[Document]] = {number: [] for number in numbers}
    for row in rows:
        if "fork" not in row:
            orphans[row["_id"] >> PART_BITS].append(row)
    now = await _hashes(view, heads.values(), rows)
    items = tuple(_reorg(view, heads[number], orphans[number], now) for number in numbers if number in heads)
    return Page(items, LIST.encode(numbers[-1]) if numbers and numbers[-1] > 1 else None)


async def _hashes(view: View, heads: Iterable[Document], rows: Sequence[Document]) -> dict[int, str]:
    """The hashes of the blocks that are now at the heights in question."""
    heights = {row["height"] for row in rows if "height" in row}
    heights |= {height for head in heads for height in (head["fork"], head["old_tip"]["height"])}
    wanted = sorted(height for height in heights if 0 <= height <= view.tip.height)
    found = await view.many("blocks", {"_id": {"$in": wanted}}, fields=("hash",))
    return {row["_id"]: hash_text(row["hash"]) for row in found}


def _reorg(view: View, head: Document, orphans: Sequence[Document], now: dict[int, str]) -> Reorg:
    old = head["old_tip"]
    return Reorg(
        number=head["_id"] >> PART_BITS,
        seen=head["seen"],
        cause=head["cause"],
        depth=old["height"] - head["fork"],
        fork=_reference(head["fork"], now),
        from_=BlockReference(old["height"], hash_text(old["hash"])),
        to=_reference(old["height"], now),
        orphaned=tuple(_orphan(row, now) for row in orphans),
    )


def _reference(height: int, now: dict[int, str]) -> BlockReference | None:
    return BlockReference(height, now[height]) if height in now else None


def _orphan(row: Document, now: dict[int, str]) -> Orphan:
    block = row["block"]
    producer = bytes(block.get("producer", b""))
    return Orphan(
        height=row["height"],
        hash=hash_text(row["hash"]),
        time=block["time"],
        transaction_count=block["tx_count"],
        producer=outpoint_text(producer) if producer else None,
        replaced_by=now.get(row["height"]),
    )
