"""What an answer rests on, noted while it is made: as long as that stands, it may be given again as it is.

An answer of the API says what it shows in its ETag. A page also shows how far the daemon is, and how long ago things
were; when an age on it reads otherwise, it is made anew.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from explorer.etag import is_of
from explorer.meta import Meta, Tip


@dataclass(frozen=True, slots=True)
class Ground:
    """What must be current for an answer to be given again: a tip, revisions of what else it shows, and around a page
    (``around``) what ``meta`` says; with ``told`` all of it.
    """

    tip: Tip
    shown: Mapping[str, int]
    around: tuple[object, ...] | None
    told: bool

    def holds(self, meta: Meta) -> bool:
        """Whether it is current."""
        return (
            meta.tip == self.tip
            and meta.revisions(*self.shown) == self.shown
            and (self.around is None or self.around == _around(meta, self.told))
        )


@dataclass(slots=True)
class Grounds:
    """Notes about one answer.

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
    around: tuple[object, ...] | None = None

    def ground(self, tag: str) -> Ground | None:
        """What the answer with this ETag rests on; None for one that may not be given again."""
        if self.outside or len(self.tips) != 1:
            return None
        (tip,) = self.tips
        return Ground(tip, self.shown, self.around, self.told) if self.around or is_of(tag, tip) else None


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
        for name, revision in shown.items():
            if notes.shown.setdefault(name, revision) != revision:
                notes.outside = True  # one half of the answer is older than the other


def rest_on_all_told() -> None:
    """Note that the answer shows whatever ``meta`` says now."""
    if notes := _NOTES.get():
        notes.told = True
        notes.until = min(notes.until, int(time.time()) + 1)


def look_outside() -> None:
    """Note a look at records that are no function of the tip."""
    if (notes := _NOTES.get()) and not notes.fences:
        notes.outside = True


def ages_at(seconds: float) -> None:
    """Note that an age in the answer reads otherwise from a moment on, in Unix seconds."""
    if notes := _NOTES.get():
        notes.aged = min(notes.aged, seconds)


def rest_as_page(meta: Meta) -> None:
    """Note that the answer is a page with ``meta`` around it, if what it shows is of that tip."""
    if (notes := _NOTES.get()) and meta.tip is not None and notes.tips == {meta.tip}:
        notes.around = _around(meta, notes.told)


def _around(meta: Meta, told: bool) -> tuple[object, ...]:
    """What pages show around their subject; with ``told`` all that meta says."""
    around = meta.state, meta.lag, meta.daemon.get("reachable"), meta.parallel is None
    if not told:
        return around
    return *around, meta.daemon, meta.rates, meta.checks, meta.ready, meta.building, meta.schema_version
