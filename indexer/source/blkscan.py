"""Records of a ``blk*.dat`` file: ``magic || u32 size || block``, in order of arrival, stale blocks included.

Between records may lie garbage that a crash left, behind them the zeros of a preallocated tail, and the last one
may be half written (``main.cpp:WriteBlockToDisk``, ``FindBlockPos``, ``LoadExternalBlockFile``).

Files are read by ``pread`` and not mapped: the daemon cuts the tail off a full file (``FlushBlockFile``), and
touching a mapping beyond the end of its file kills the process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from indexer.chain.hashes import PON_HASHED_HEADER, header_hash

SMALLEST_BLOCK, LARGEST_BLOCK = 80, 2_000_000
PREFIX = 8
"""Bytes before a block: the magic and its size."""

_SOLUTION_AT = 140  # version 4, three hashes 96, time 4, bits 4, nonce 32
_MAX_SOLUTION = 1344  # Equihash 200,9
_HEADER = _SOLUTION_AT + 3 + _MAX_SOLUTION
_PON_VERSION = 100
_CHUNK = 1 << 20


class Record(NamedTuple):
    """A block's hash (wire order), the offset of its first byte in the file, and its size in bytes."""

    hash: bytes
    offset: int
    size: int


def hash_at_front(block: bytes) -> bytes | None:
    """The hash of the block whose bytes begin like this; None when they hold no whole header.

    Source: ``primitives/block.h:CBlockHeader``, ``block.cpp:GetHash``.
    """
    if len(block) < PON_HASHED_HEADER:
        return None
    if int.from_bytes(block[:4], "little", signed=True) >= _PON_VERSION:
        return header_hash(block, pon=True)
    end = _solution_end(block)
    return header_hash(block[:end], pon=False) if end <= len(block) else None


def _solution_end(block: bytes) -> int:
    """Where a PoW header ends, by the compact size of its solution; out of reach for one that is none."""
    first = block[_SOLUTION_AT]
    if first < 0xFD:
        return _SOLUTION_AT + 1 + first
    size = int.from_bytes(block[_SOLUTION_AT + 1 : _SOLUTION_AT + 3], "little")
    return _SOLUTION_AT + 3 + size if first == 0xFD and size <= _MAX_SOLUTION else len(block) + 1


class Scan:
    """One pass over one file, that goes on where it stopped when the file has grown; ``magic`` is the network's."""

    def __init__(self, magic: bytes) -> None:
        self._magic = magic
        self._next = 0
        self._last: int | None = None  # where the record that ends at ``_next`` begins

    def records(self, file: int) -> Iterator[Record]:
        """The records of the open file from where the last call stopped."""
        end = os.fstat(file).st_size
        while self._next + PREFIX + SMALLEST_BLOCK <= end:
            head = os.pread(file, PREFIX + _HEADER, self._next)
            record = self._record(head, end)
            if record is not None:
                self._last, self._next = self._next, record.offset + record.size
                yield record
            elif not self._skip(file, head, end):
                return

    def _record(self, head: bytes, end: int) -> Record | None:
        size = int.from_bytes(head[4:PREFIX], "little")
        offset = self._next + PREFIX
        if head[:4] != self._magic or not SMALLEST_BLOCK <= size <= LARGEST_BLOCK or offset + size > end:
            return None
        hash_ = hash_at_front(head[PREFIX : PREFIX + size])
        return None if hash_ is None else Record(hash_, offset, size)

    def _skip(self, file: int, head: bytes, end: int) -> bool:
        """Go to the next magic, if there is one; else stay, for the file may grow here."""
        if head[:4] == self._magic:
            start = self._next + 1
        elif self._last is not None and any(head):
            start = self._last + 1  # no padding: the record before it may have been cut short, and hide others
        else:
            start = self._next
        found = find(file, self._magic, start, end)
        if found < 0:
            return False
        self._next, self._last = found, None
        return True


def find(file: int, wanted: bytes, start: int, end: int) -> int:
    """The offset of the first ``wanted`` that lies in ``start..end`` of the open file, -1 if none does."""
    while start + len(wanted) <= end:
        chunk = os.pread(file, min(_CHUNK, end - start), start)
        at = chunk.find(wanted)
        if at >= 0:
            return start + at
        if len(chunk) < len(wanted):
            break
        start += len(chunk) - len(wanted) + 1
    return -1
