"""What a question to the explorer can fail with.

::

    ExplorerError               code          HTTP
    ├── BadRequest              bad_request   400   malformed height, hash, address, cursor, limit
    ├── NotSignedIn             not_signed_in 401   something of an account, without being signed in to it
    ├── Forbidden               forbidden     403   a form of another site, a blocked account, a site without accounts
    ├── NotFound                not_found     404   well-formed, but no such thing
    ├── AboveTip                above_tip     409   a height that the index has not reached
    ├── Reorganised             reorganised   409   the chain that a cursor was pinned to is gone
    ├── TooLarge                too_large     413   a body that is longer than what is read
    ├── RateLimited             rate_limited  429   more at once than one client, or all together, may have
    ├── Syncing                 syncing       503   no block yet, an index being built, a write in progress
    ├── TooSlow                 timeout       503   an answer that takes longer than answers may take
    └── UpstreamUnavailable     upstream_unavailable 503   the daemon does not answer

The message is for the person who asked: what was wrong, what was expected, what to do now.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final

from explorer.languages import N_
from explorer.languages.phrases import Phrase
from indexer.errors import AddressError, FluxError

HTTP: Final[Mapping[int, str]] = {
    404: N_("Not Found"), 405: N_("Method Not Allowed"), 501: N_("Not Implemented"),
}  # fmt: skip
"""The errors of HTTP that the routes themselves answer with (RFC 9110, 15)."""


def http_phrase(status: int, asked: str) -> Phrase:
    """What an error of HTTP says about a request, its method and path."""
    problem = Phrase(HTTP.get(status) or HTTPStatus(status).phrase)
    return Phrase("%(problem)s: %(request)s", problem=problem, request=asked)


class ExplorerError(FluxError):
    """Base of what a question to the explorer fails with."""

    code: ClassVar[str]
    status: ClassVar[int]

    @property
    def message(self) -> str:
        """What the error says in English; the phrase itself where it was made of one, so that pages can tell it."""
        return self.args[0] if self.args else ""


class BadRequest(ExplorerError):
    """A question that cannot be understood; the message says what was expected."""

    code = "bad_request"
    status = 400


def bad_request(error: AddressError) -> BadRequest:
    """What the rules of the chain say against an address or a signature, as a question that cannot be understood."""
    return BadRequest(Phrase(error.message, **error.values))


class NotSignedIn(ExplorerError):
    """Something of an account is asked for, and nobody is signed in: the message says how to."""

    code = "not_signed_in"
    status = 401


class Forbidden(ExplorerError):
    """What this visitor may not do here, whatever he signs: the message says why."""

    code = "forbidden"
    status = 403


class NotFound(ExplorerError):
    """A well-formed question about something that does not exist on this chain."""

    code = "not_found"
    status = 404


class AboveTip(ExplorerError):
    """A height above the tip of the index; the message says how far the index is."""

    code = "above_tip"
    status = 409

    def __init__(self, height: int, tip: int) -> None:
        super().__init__(
            Phrase("height %(height)s is above the tip: the index is at height %(tip)s", height=height, tip=tip)
        )
        self.height = height
        self.tip = tip


class Reorganised(ExplorerError):
    """The block that a cursor was pinned to has been orphaned: start the list again."""

    code = "reorganised"
    status = 409


class TooLarge(ExplorerError):
    """A body that is longer than what is read of it; the message says how long it may be."""

    code = "too_large"
    status = 413


class RateLimited(ExplorerError):
    """More at once than one client, or all together, may have: the message says of what and what to do."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, retry_seconds: int | None = None) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class Syncing(ExplorerError):
    """An answer that the index cannot give yet; the message says what it waits for."""

    code = "syncing"
    status = 503


def index_missing(name: str, percent: float | None) -> Syncing:
    """An index of the database that is needed and not there: built to so many percent, None before it is begun."""
    if percent is None:
        return Syncing(Phrase(
            "this needs the index %(name)s, which waits for the first catch-up to end; ask again later, "
            "/api/v1/status shows the progress",
            name=name,
        ))  # fmt: skip
    return Syncing(Phrase(
        "this needs the index %(name)s, which is being built: %(percent)s %%; ask again later, /api/v1/status shows "
        "the progress",
        name=name, percent=f"{percent:.0f}",
    ))  # fmt: skip


class TooSlow(ExplorerError):
    """An answer that takes longer than answers may take: the message says how long that is."""

    code = "timeout"
    status = 503


class UpstreamUnavailable(ExplorerError):
    """The daemon is needed for this answer and does not give it."""

    code = "upstream_unavailable"
    status = 503
