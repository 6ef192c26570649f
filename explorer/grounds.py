"""What an answer rests on, noted while it is made: as long as that stands, it may be given again as it is.

An answer of the API says what it shows in its ETag. A page also shows how far the daemon is, and how long ago things
were; when an age on it reads otherwise, it is made anew.
"""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import combinations

from explorer.etag import SHOWN, etag
from explorer.meta import Meta, Tip


@dataclass(slots=True)
class Grounds:
    """Notes about one answer; ``rests_on`` is what must be current for it to be given again.

    Moments are Unix seconds: from ``until`` on it is not true any more, from ``aged`` on an age in it reads otherwise.
    ``outside``: it came from records that no tag tells of, such as a visitor's own.
    """

    tips: set[Tip] = field(default_factory=set)
    shown: dict[str, int] = field(default_factory=dict)
    until: float = math.inf
    aged: float = math.inf
    told: bool = False
    outside: bool = False
    fences: int = 0
    rests_on: str = ""


_NOTES: ContextVar[Grounds | None] = ContextVar("grounds", default=None)


def begin() -> Grounds:
    """New notes, for the answer that this task is about to make."""
    notes = Grounds()
    _NOTES.set(notes)
    return notes


@contextmanager
def fence() -> Iterator[None]:
    """What is read meanwhile is told of by the answer's tip."""
    notes = _NOTES.get()
    if notes is None:
        yield
        return
    notes.fences += 1
    try:
        yield
    finally:
        notes.fences -= 1


def rest_on(tip: Tip, shown: Mapping[str, int]) -> None:
    """Note a result that is true for a tip and shows these revisions."""
    if notes := _NOTES.get():
        notes.tips.add(tip)
        notes.shown |= shown


def rest_on_all_told() -> None:
    """Note that the answer shows whatever ``meta`` says now."""
    if notes := _NOTES.get():
        notes.told = True
        notes.until = min(notes.until, int(time.time()) + 1)


def look_outside() -> None:
    """Note a look at records that are no function of the tip."""
    if (notes := _NOTES.get()) and not notes.fences:
        notes.outside = True


def only_until(seconds: float) -> None:
    """Note that the answer reads otherwise from a moment on, in Unix seconds."""
    if notes := _NOTES.get():
        notes.until = min(notes.until, seconds)


def ages_at(seconds: float) -> None:
    """Note that an age in the answer reads otherwise from a moment on, in Unix seconds."""
    if notes := _NOTES.get():
        notes.aged = min(notes.aged, seconds)


def rest_as_page(meta: Meta) -> None:
    """Note that the answer is a page with ``meta`` around it, if what it shows is of that tip."""
    if (notes := _NOTES.get()) and meta.tip is not None and notes.tips == {meta.tip}:
        notes.rests_on = _page_mark(meta, notes.told) + etag(meta.tip, notes.shown)


class Current:
    """What an answer may rest on now; worked out once for each state of ``meta``."""

    def __init__(self) -> None:
        self._meta: Meta | None = None
        self._marks: frozenset[str] = frozenset()

    def __call__(self, meta: Meta) -> frozenset[str]:
        """ETags of answers and marks of pages; none before the first block."""
        if meta is not self._meta:
            self._meta, self._marks = meta, frozenset(_current(meta))
        return self._marks


def _current(meta: Meta) -> Iterator[str]:
    if meta.tip is None:
        return
    revisions = meta.revisions(*SHOWN)
    pages = [_page_mark(meta, told) for told in (False, True)]
    for count in range(len(revisions) + 1):
        for names in combinations(revisions, count):
            tag = etag(meta.tip, {name: revisions[name] for name in names})
            yield tag
            yield from (page + tag for page in pages)


def _page_mark(meta: Meta, told: bool) -> str:
    """A text that is another one when what pages show around their subject is; with ``told`` all that meta says."""
    daemon = meta.daemon
    around: list[object] = [
        daemon.get("height"), daemon.get("reachable"), meta.parallel is None, meta.rates.get("state"),
    ]  # fmt: skip
    if told:
        around += [daemon, meta.rates, meta.checks, sorted(meta.ready), meta.building, meta.schema_version]
    return f"page {told:d} {zlib.crc32(repr(around).encode()):08x} "
