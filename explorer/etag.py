"""ETags of answers about the chain: whatever they show changes with the tip or the epoch only."""

from __future__ import annotations

from explorer.db import Tip
from indexer.chain.keys import hash_text


def etag(tip: Tip) -> str:
    """The ETag of every answer that is true for a tip. Weak, because of compression."""
    return f'W/"{hash_text(tip.hash)}-{tip.epoch}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match lists a tag, compared weakly (RFC 9110 §13.1.2)."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in known if part)
