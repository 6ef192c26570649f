"""The demo chain on disk: one growing block file in the daemon's own format, magic and size before each block.

Appending is the only write, so that a kill at any instant costs at most the block that was being written.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from indexer.errors import Locked
from indexer.parse.pure import MAX_BLOCK_SIZE

PREFIX = 8  # magic and size
FILE_NAME = "blk00000.dat"


class BlockFile:
    """Blocks in the order of their making, those that a reorganisation left behind included."""

    def __init__(self, path: Path, magic: bytes) -> None:
        """Opens or makes the file; a record that a kill cut short is cut off. Locked when another process has it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._magic = magic
        self._file: BinaryIO = open(path, "a+b", buffering=0)
        self._lock()
        self._end = self._sound_end()
        os.ftruncate(self._file.fileno(), self._end)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise Locked(f"another demo daemon extends {self.path}: stop it, or set another data.dir") from None

    def _sound_end(self) -> int:
        size, at = os.fstat(self._file.fileno()).st_size, 0
        while at + PREFIX <= size:
            prefix = self._read(at, PREFIX)
            length = int.from_bytes(prefix[4:], "little")
            if prefix[:4] != self._magic or length > MAX_BLOCK_SIZE or at + PREFIX + length > size:
                break
            at += PREFIX + length
        return at

    def _read(self, at: int, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, at)

    def append(self, raw: bytes) -> tuple[int, int]:
        """Write a block; returns where its bytes begin and how many they are."""
        record = self._magic + len(raw).to_bytes(4, "little") + raw
        if self._file.write(record) != len(record):
            raise OSError(f"the demo chain cannot be written to {self._file.name}: is the disk full?")
        at = self._end + PREFIX
        self._end += len(record)
        return at, len(raw)

    def read(self, at: int, size: int) -> bytes:
        """The bytes of a block."""
        return self._read(at, size)

    def places(self) -> Iterator[tuple[int, int]]:
        """Where each block's bytes begin and how many they are, in the order of writing."""
        at = 0
        while at < self._end:
            size = int.from_bytes(self._read(at + 4, 4), "little")
            yield at + PREFIX, size
            at += PREFIX + size

    def close(self) -> None:
        """Close the file."""
        self._file.close()
