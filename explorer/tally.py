"""The counts of all workers of a site, in memory that they share, so that each can answer for all.

Every worker has a place of two halves and writes them in turn: one of them is whole at any moment, whatever becomes of
the writer. Who takes the place of a worker that has ended counts on from what it had counted.
"""

from __future__ import annotations

import asyncio
import json
import os
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from mmap import mmap
from struct import Struct
from typing import Any, Final

from explorer.counts import Counts
from explorer.tasks import end

HALF: Final = 1 << 20  # bytes; a page of memory is taken only when it is written
HEAD: Final = Struct("<QII")  # number of the writing, length, CRC-32
WRITE_SECONDS: Final = 1.0


class Tally:
    """The place ``number`` of ``count`` in the memory behind a descriptor."""

    def __init__(self, descriptor: int, number: int, count: int) -> None:
        os.ftruncate(descriptor, 2 * HALF * count)
        self._memory = mmap(descriptor, 2 * HALF * count)
        self._number, self._count = number, count

    def write(self, counts: Counts) -> None:
        """Put counts in the own place; ValueError when they are too many for it."""
        text = json.dumps(counts.plain()).encode()
        if len(text) > HALF - HEAD.size:
            raise ValueError(f"{len(text):,} bytes of counts do not fit into {HALF - HEAD.size:,}")
        writing = self._newest(self._number)[0] + 1
        begin = 2 * HALF * self._number + HALF * (writing % 2)
        content = HEAD.pack(writing, len(text), zlib.crc32(text)) + text
        self._memory[begin : begin + len(content)] = content

    def own(self) -> Counts:
        """What was counted in the own place before."""
        return self._newest(self._number)[1]

    def others(self) -> Iterator[Counts]:
        """What the other workers have counted, up to a second ago."""
        return (self._newest(number)[1] for number in range(self._count) if number != self._number)

    def _newest(self, number: int) -> tuple[int, Counts]:
        writings = (self._read(2 * HALF * number + half) for half in (0, HALF))
        return max(writings, key=lambda found: found[0])

    def _read(self, begin: int) -> tuple[int, Counts]:
        writing, length, crc = HEAD.unpack(self._memory[begin : begin + HEAD.size])
        text = self._memory[begin + HEAD.size : begin + HEAD.size + min(length, HALF)]
        if not writing or zlib.crc32(text) != crc:
            return 0, Counts()
        plain: dict[str, Any] = json.loads(text)
        return writing, Counts.of(plain)


@asynccontextmanager
async def tallying(tally: Tally | None, counts: Counts, listeners: Callable[[], int]) -> AsyncIterator[None]:
    """Count on from what the place has, and write the counts of this worker there until the context ends."""
    before = Counts() if tally is None else tally.own()
    counts.add(replace(before, listeners=0))

    async def write() -> None:
        while True:
            counts.listeners = listeners()
            if tally is not None:
                tally.write(counts)
            await asyncio.sleep(WRITE_SECONDS)

    task = asyncio.create_task(write())
    try:
        yield
    finally:
        await end(task)
        if tally is not None:
            tally.write(replace(counts, listeners=0))
