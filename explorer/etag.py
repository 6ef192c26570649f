"""ETags of answers: what they show changes with tip, epoch, and the revisions of mempool and parallel chains only."""

from __future__ import annotations

from explorer.db import Meta, Tip
from indexer.chain.keys import hash_text


def etag(tip: Tip, revision: int | None = None, parallel: int | None = None) -> str:
    """The ETag of an answer that is true for a tip, and for revisions of mempool and parallel chains unless None.

    Weak, because of compression.
    """
    mempool = "" if revision is None else f"-{revision}"
    chains = "" if parallel is None else f"-p{parallel}"
    return f'W/"{hash_text(tip.hash)}-{tip.epoch}{mempool}{chains}"'


def current_tags(meta: Meta) -> frozenset[str]:
    """The ETags that answers may carry now; none before the first block."""
    if meta.tip is None:
        return frozenset()
    pools = (None, 0 if meta.pool is None else meta.pool.revision)
    chains = (None,) if meta.parallel is None else (None, meta.parallel.revision)
    return frozenset(etag(meta.tip, pool, parallel) for pool in pools for parallel in chains)


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match lists a tag, compared weakly (RFC 9110 §13.1.2)."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in known if part)
