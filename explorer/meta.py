"""What ``meta`` tells all answers: the tip, and how index, daemon, checks and parallel chains are."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from explorer.parallel.base import Parallel
from explorer.pool import Pool, revision_of
from indexer.store.codec import Document

FOLLOWING_BEHIND = 2  # blocks; one that has just been found is no lag
STALLED_SECONDS = 120  # since the last block was indexed
LAG_BLOCKS = 10  # further behind the daemon than this is lagging

State = Literal["catching_up", "following", "stalled"]


@dataclass(frozen=True, slots=True)
class Tip:
    """The block up to which the index is complete; the epoch rises before any row at or below it goes."""

    height: int
    hash: bytes
    time: int
    epoch: int
    dirty: bool
    reorgs: int


@dataclass(frozen=True, slots=True)
class Meta:
    """What ``meta`` said when it was last polled; ``tip`` is None before the first block."""

    tip: Tip | None = None
    ready: frozenset[str] = frozenset()
    building: Mapping[str, float] = field(default_factory=dict)
    daemon: Mapping[str, Any] = field(default_factory=dict)
    rates: Mapping[str, Any] = field(default_factory=dict)
    checks: Mapping[str, Any] = field(default_factory=dict)
    pool: Pool | None = None
    parallel: Parallel | None = None  # None where the network has no parallel chains
    schema_version: int = 0
    idle_seconds: float = 0.0  # since a tip was first seen where it is
    lagging_seconds: float = 0.0  # since the index was last seen close to the daemon

    @property
    def behind(self) -> int | None:
        """Blocks between the index and the daemon; None while either is unknown."""
        best = self.daemon.get("height")
        return None if self.tip is None or best is None else max(0, best - self.tip.height)

    @property
    def lag(self) -> int | None:
        """Blocks between the index and the daemon, 0 while it follows; None while either is unknown."""
        return 0 if self.state == "following" else self.behind

    @property
    def state(self) -> State:
        """How the index keeps up; before the daemon was heard nobody knows whether there is more to come."""
        stalled = self.daemon.get("reachable", False) and self.idle_seconds > STALLED_SECONDS
        if self.behind is None:
            return "catching_up"
        if self.behind and stalled:
            return "stalled"
        return "following" if self.behind <= FOLLOWING_BEHIND else "catching_up"

    def revisions(self, *names: str) -> dict[str, int]:
        """The revision of each of these that there is: ``checks``, ``parallel``, ``mempool`` or a part of that."""
        found = {name: self._revision(name) for name in names}
        return {name: number for name, number in found.items() if number is not None}

    def _revision(self, name: str) -> int | None:
        if name == "checks":
            return _mark(self.checks)
        if name == "parallel":
            return None if self.parallel is None else self.parallel.revision
        return revision_of(self.pool, name)


def read_tip(document: Document | None) -> Tip | None:
    """The tip of its document in ``meta``; None before the first block."""
    if document is None or document["height"] < 0:
        return None
    return Tip(
        document["height"],
        bytes(document["hash"]),
        document["time"],
        document["epoch"],
        document["dirty"],
        document["reorgs"],
    )


def _mark(checks: Mapping[str, Any]) -> int:
    """A number that is another one when the verdicts about the supply are others."""
    verify = checks.get("verify", {})
    said = [checks.get(f"supply_{name}") for name in ("matches_daemon", "checked_height", "checked_hash", "checked_at")]
    said += [verify.get(name) for name in ("supply", "height", "hash", "at")]
    return zlib.crc32(repr(said).encode())
