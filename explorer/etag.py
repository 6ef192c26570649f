"""ETags of answers: what they show changes with tip and epoch, and with the revisions of what else they show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from explorer.meta import Tip
from indexer.chain.keys import hash_text

NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


def etag(tip: Tip, shown: Mapping[str, int] = NOTHING) -> str:
    """The ETag of an answer that is true for a tip; ``shown`` are the revisions of what else it shows.

    Weak, because of compression.
    """
    revisions = "".join(f"-{_letter(name)}{shown[name]}" for name in sorted(shown))
    return f'W/"{hash_text(tip.hash)}-{tip.epoch}{revisions}"'


def _letter(name: str) -> str:
    """How a tag names what has a revision: ``mempool`` is m, its part 7 is ``m7.``."""
    what, _, part = name.partition(".")
    return f"{what[0]}{part}." if part else what[0]


def is_of(tag: str, tip: Tip) -> bool:
    """Whether a tag is that of an answer which is true for a tip."""
    bare = etag(tip)[:-1]
    return tag.startswith((bare + '"', bare + "-"))


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match lists a tag, compared weakly (RFC 9110 §13.1.2)."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in known if part)
