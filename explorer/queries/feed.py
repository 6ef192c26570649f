"""Places in a feed that follows the chain across reorganisations: what a reader keeps, and nothing else.

A place says how many reorganisations have been told, whether the last of them is still being taken back, and up to
which output everything has been told. As text it sorts in the order of the feed, so that a place is also the name
(``seq``) of what is told there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from explorer.db import View
from explorer.errors import BadRequest, Reorganised
from explorer.queries.forks import Forks, block_mark, last_outkey, mark, orphan_mark
from indexer.chain.keys import outkey_height

_TEXT = re.compile(r"([0-9a-f]{8})([01])([0-7][0-9a-f]{15})([0-9a-f]{8})\Z")
_MOST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a feed.

    ``forward``: everything up to the outkey ``key`` of the chain after ``reorgs`` reorganisations has been told.
    Otherwise reorganisation ``reorgs`` is being taken back, newest first, and that is done from ``key`` upwards.
    ``mark`` are the first bytes of the hash of the block of ``key``.
    """

    reorgs: int
    forward: bool
    key: int
    mark: bytes

    @property
    def height(self) -> int:
        """The height of the block of ``key``."""
        return outkey_height(self.key)

    def __str__(self) -> str:
        key = self.key if self.forward else _MOST - self.key
        return f"{self.reorgs:08x}{self.forward:d}{key:016x}{self.mark.hex()}"


def parse_place(text: str) -> Place:
    """The place of a cursor; BadRequest when it is none."""
    match = _TEXT.match(text)
    if match is None:
        raise BadRequest("this is no cursor of a feed: pass on the value of next, or the seq of an item, unchanged")
    forward, key = match[2] == "1", int(match[3], 16)
    return Place(int(match[1], 16), forward, key if forward else _MOST - key, bytes.fromhex(match[4]))


async def resume(view: View, forks: Forks, cursor: str | None) -> Place:
    """Where a reader stands; without a cursor before everything.

    Raises Reorganised when the block of the cursor never was in this index, which then cannot know what is to be taken
    back. One made anew, or that of another explorer, goes on where the block is in the chain.
    """
    if cursor is None:
        return await place_at(view, forks, len(forks), 0)
    place = parse_place(cursor)
    if place.reorgs <= len(forks):
        if place.forward:
            known = await block_mark(view, forks, place.height, place.reorgs)
        else:
            known = await orphan_mark(view, place.reorgs, place.height)
        if known == place.mark:
            return place
    if place.forward and await block_mark(view, forks, place.height, len(forks)) == place.mark:
        return replace(place, reorgs=len(forks))
    raise Reorganised(
        f"the block at height {place.height} that this cursor stands at was never in this index, which may have been "
        "made anew: begin again without a cursor, and compare by outpoint"
    )


async def place_at(view: View, forks: Forks, number: int, key: int) -> Place:
    """The place at an outkey of the chain after ``number`` reorganisations."""
    found = await block_mark(view, forks, outkey_height(key), number)
    return Place(number, True, key, bytes(4) if found is None else found)


def place_at_tip(view: View) -> Place:
    """The place where everything up to the tip has been told."""
    return Place(view.tip.reorgs, True, last_outkey(view.tip.height), mark(view.tip.hash))
