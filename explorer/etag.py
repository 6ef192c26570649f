"""ETags of answers: what they show changes with tip and epoch, and with the revisions of what else they show."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import combinations
from types import MappingProxyType
from typing import Final

from explorer.meta import Meta, Tip
from indexer.chain.keys import hash_text

SHOWN: Final = ("mempool", "parallel", "checks")
NOTHING: Final[Mapping[str, int]] = MappingProxyType({})


def etag(tip: Tip, shown: Mapping[str, int] = NOTHING) -> str:
    """The ETag of an answer that is true for a tip; ``shown`` are the revisions of what else it shows.

    Weak, because of compression.
    """
    revisions = "".join(f"-{name[0]}{shown[name]}" for name in sorted(shown))
    return f'W/"{hash_text(tip.hash)}-{tip.epoch}{revisions}"'


def current_tags(meta: Meta) -> frozenset[str]:
    """The ETags that answers may carry now; none before the first block."""
    if meta.tip is None:
        return frozenset()
    return _tags(meta.tip, tuple(meta.revisions(*SHOWN).items()))


@lru_cache(maxsize=1)
def _tags(tip: Tip, revisions: tuple[tuple[str, int], ...]) -> frozenset[str]:
    """The ETags of answers that show any of these or none; asked for with every request."""
    choices = (shown for count in range(len(revisions) + 1) for shown in combinations(revisions, count))
    return frozenset(etag(tip, dict(shown)) for shown in choices)


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match lists a tag, compared weakly (RFC 9110 §13.1.2)."""
    known = (part.strip().removeprefix("W/") for part in if_none_match.split(","))
    return any(part in ("*", tag.removeprefix("W/")) for part in known if part)
