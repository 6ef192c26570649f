"""ETags of answers: whatever they show changes with the tip, the epoch, or the revision of the mempool only."""

from __future__ import annotations

from explorer.db import Tip
from indexer.chain.keys import hash_text


def etag(tip: Tip, revision: int | None = None) -> str:
    """The ETag of an answer that is true for a tip, and for a revision of the mempool unless None.

    Weak, because of compression.
    """
    mempool = "" if revision is None else f"-{revision}"
    return f'W/"{hash_text(tip.hash)}-{tip.epoch}{mempool}"'


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match lists a tag, compared weakly (RFC 9110 §13.1.2)."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in known if part)
