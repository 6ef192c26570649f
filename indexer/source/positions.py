"""Where each block lies in the block files, by hash: an open-addressing table in two flat arrays.

Three million blocks take 64 MiB; a dictionary would take six times as much.
"""

from __future__ import annotations

from array import array

_TAG_BYTES = 8
_FIRST_SLOTS = 1 << 12
_FULL = 0.75  # share of used slots at which the table doubles


class Positions:
    """Block hash (wire order) -> a place, an integer from 0 to 2^64 - 2; a hash noted twice has the later place.

    Only the first eight bytes of a hash are kept: what a place holds must be checked against the whole hash.
    """

    def __init__(self) -> None:
        self._allocate(_FIRST_SLOTS)

    def _allocate(self, slots: int) -> None:
        self._mask = slots - 1
        self._tags = array("Q", bytes(8 * slots))
        self._places = array("Q", bytes(8 * slots))  # the place + 1; 0 is a free slot
        self._used = 0

    def __len__(self) -> int:
        return self._used

    @property
    def memory(self) -> int:
        """Bytes of the two arrays."""
        return 16 * len(self._tags)

    def note(self, hash_: bytes, place: int) -> None:
        """Remember where the block with this hash lies."""
        if self._used >= _FULL * len(self._tags):
            self._grow()
        self._put(int.from_bytes(hash_[:_TAG_BYTES], "little"), place + 1)

    def find(self, hash_: bytes) -> int | None:
        """The place noted for this hash, None if there is none."""
        place = self._places[self._slot(int.from_bytes(hash_[:_TAG_BYTES], "little"))]
        return place - 1 if place else None

    def clear(self) -> None:
        """Forget everything and give the memory back."""
        self._allocate(_FIRST_SLOTS)

    def _slot(self, tag: int) -> int:
        """The slot that holds ``tag``, else the free one where it belongs."""
        mask, tags, places = self._mask, self._tags, self._places
        slot = tag & mask
        while places[slot] and tags[slot] != tag:
            slot = (slot + 1) & mask
        return slot

    def _put(self, tag: int, stored: int) -> None:
        slot = self._slot(tag)
        self._used += not self._places[slot]
        self._tags[slot], self._places[slot] = tag, stored

    def _grow(self) -> None:
        tags, places = self._tags, self._places
        self._allocate(2 * len(tags))
        for tag, stored in zip(tags, places, strict=True):
            if stored:
                self._put(tag, stored)
