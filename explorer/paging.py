"""Pages of lists: opaque cursors and limits.

A cursor names the last row that was shown, by its key, never by its number, so that each row is visited once
while blocks arrive. It is versioned and says which list it belongs to; clients must not look inside.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import Final

from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase

VERSION: Final = 1
DEFAULT_LIMIT: Final = 25
MAX_LIMIT: Final = 1000

_TEXT = re.compile(r"[A-Za-z0-9_-]{1,200}\Z")
_LIMIT = re.compile(r"[0-9]{1,4}\Z")


class Cursor:
    """The cursors of one list: its name and how many integers (0 to 2^63 - 1) a key has."""

    def __init__(self, name: str, parts: int) -> None:
        self.name = name
        self._tag = binascii.crc32(name.encode())
        self._layout = struct.Struct(f">BI{parts}q")

    def encode(self, *parts: int) -> str:
        """The cursor of a key."""
        packed = self._layout.pack(VERSION, self._tag, *parts)
        return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()

    def decode(self, text: str) -> tuple[int, ...]:
        """The key in a cursor; BadRequest when it is none of this list."""
        packed = _unbase64(text) if _TEXT.match(text) else b""
        if len(packed) == self._layout.size:
            version, tag, *parts = self._layout.unpack(packed)
            if (version, tag) == (VERSION, self._tag) and min(parts) >= 0:
                return tuple(parts)
        raise BadRequest(Phrase(
            "this is no cursor of the list of %(name)s: pass on the value of next unchanged", name=Phrase(self.name),
        ))  # fmt: skip


def _unbase64(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return b""


def parse_limit(text: str | None) -> int:
    """The number of items asked for, 1 to 1000, 25 by default."""
    if text is None:
        return DEFAULT_LIMIT
    limit = int(text) if _LIMIT.match(text) else 0
    if not 1 <= limit <= MAX_LIMIT:
        raise BadRequest(Phrase(
            "limit is %(text)s: expected a whole number from 1 to %(most)s",
            text=repr(text[:20]), most=MAX_LIMIT,
        ))  # fmt: skip
    return limit
