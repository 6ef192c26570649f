"""ETags of answers: what they show changes with tip and epoch, and with the revisions of what else they show."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from explorer.meta import Tip
from indexer.chain.keys import hash_text

SHOWN: Final = ("mempool", "parallel", "checks")
NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


def etag(tip: Tip, shown: Mapping[str, int] = NOTHING) -> str:
    """The ETag of an answer that is true for a tip; ``shown`` are the revisions of what else it shows.

    Weak, because of compression.
    """
    revisions = "".join(f"-{name[0]}{shown[name]}" for name in sorted(shown))
    return f'W/"{hash_text(tip.hash)}-{tip.epoch}{revisions}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match lists a tag, compared weakly (RFC 9110 §13.1.2)."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in known if part)
