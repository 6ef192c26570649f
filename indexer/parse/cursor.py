"""A reader that walks raw bytes and never past their end.

Every method takes the name of the item it reads; when the item cannot be read, the ParseError carries that name
and the offset of the item's first byte. The compiled twin is ``cython_ext/cursor.pxd``.
"""

from __future__ import annotations

from indexer.errors import ParseError

MAX_COMPACT_SIZE = 0x02000000  # serialize.h: MAX_SIZE

_WIDTHS = {0xFD: 2, 0xFE: 4, 0xFF: 8}
_SMALLEST = {1: 0, 2: 0xFD, 4: 1 << 16, 8: 1 << 32}


class Cursor:
    """A position in raw bytes."""

    __slots__ = ("at", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes are unread."""
        return len(self.raw) - self.at

    def take(self, size: int, item: str, since: int | None = None) -> bytes:
        """The next ``size`` bytes; ``since`` is where the item began when that was before here."""
        if size > self.left:
            offset = self.at if since is None else since
            raise ParseError(f"{size} bytes are needed, {self.left} are left", offset=offset, structure=item)
        self.at += size
        return self.raw[self.at - size : self.at]

    def u32(self, item: str) -> int:
        """An unsigned 32-bit integer."""
        return int.from_bytes(self.take(4, item), "little")

    def i32(self, item: str) -> int:
        """A signed 32-bit integer."""
        return int.from_bytes(self.take(4, item), "little", signed=True)

    def i64(self, item: str) -> int:
        """A signed 64-bit integer."""
        return int.from_bytes(self.take(8, item), "little", signed=True)

    def i8(self, item: str) -> int:
        """A signed byte."""
        return int.from_bytes(self.take(1, item), "little", signed=True)

    def outpoint(self, item: str) -> bytes:
        """An outpoint, turned from the wire's form to the sortable one of ``chain.keys``."""
        wire = self.take(36, item)
        return wire[:32] + wire[:31:-1]

    def compact_size(self, item: str) -> int:
        """A CompactSize in its shortest form and not above 0x02000000 (``serialize.h:ReadCompactSize``)."""
        start = self.at
        first = self.take(1, item)[0]
        if first < 0xFD:
            return first
        width = _WIDTHS[first]
        size = int.from_bytes(self.take(width, item, start), "little")
        if size < _SMALLEST[width]:
            raise ParseError("a CompactSize is not in its shortest form", offset=start, structure=item)
        if size > MAX_COMPACT_SIZE:
            raise ParseError(f"a CompactSize is above {MAX_COMPACT_SIZE}", offset=start, structure=item)
        return size

    def var_bytes(self, item: str) -> bytes:
        """A CompactSize and that many bytes."""
        start = self.at
        return self.take(self.compact_size(item), item, start)

    def count(self, item: str, least: int) -> int:
        """How many elements of at least ``least`` bytes follow; refused when they cannot fit into what is left."""
        start = self.at
        count = self.compact_size(item)
        if count * least > self.left:
            raise ParseError(
                f"{count} elements need {count * least} bytes, {self.left} are left", offset=start, structure=item
            )
        return count
