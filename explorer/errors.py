"""What a question to the explorer can fail with.

::

    ExplorerError               code          HTTP
    ├── BadRequest              bad_request   400   malformed height, hash, address, cursor, limit
    ├── NotFound                not_found     404   well-formed, but no such thing
    ├── AboveTip                above_tip     409   a height that the index has not reached
    ├── Reorganised             reorganised   409   the chain that a cursor was pinned to is gone
    ├── RateLimited             rate_limited  429   more at once than one client, or all together, may have
    ├── Syncing                 syncing       503   no block yet, an index being built, a write in progress
    └── UpstreamUnavailable     upstream_unavailable 503   the daemon does not answer

The message is for the person who asked: what was wrong, what was expected, what to do now.
"""

from __future__ import annotations

from typing import ClassVar

from indexer.errors import FluxError


class ExplorerError(FluxError):
    """Base of what a question to the explorer fails with."""

    code: ClassVar[str]
    status: ClassVar[int]


class BadRequest(ExplorerError):
    """A question that cannot be understood; the message says what was expected."""

    code = "bad_request"
    status = 400


class NotFound(ExplorerError):
    """A well-formed question about something that does not exist on this chain."""

    code = "not_found"
    status = 404


class AboveTip(ExplorerError):
    """A height above the tip of the index; the message says how far the index is."""

    code = "above_tip"
    status = 409

    def __init__(self, height: int, tip: int) -> None:
        super().__init__(f"height {height} is above the tip: the index is at height {tip}")
        self.height = height
        self.tip = tip


class Reorganised(ExplorerError):
    """The block that a cursor was pinned to has been orphaned: start the list again."""

    code = "reorganised"
    status = 409


class RateLimited(ExplorerError):
    """More at once than one client, or all together, may have: the message says of what and what to do."""

    code = "rate_limited"
    status = 429


class Syncing(ExplorerError):
    """An answer that the index cannot give yet; the message says what it waits for."""

    code = "syncing"
    status = 503


class UpstreamUnavailable(ExplorerError):
    """The daemon is needed for this answer and does not give it."""

    code = "upstream_unavailable"
    status = 503
