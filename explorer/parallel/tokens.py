"""From units of a token to a reading that can be believed."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.parallel.amounts import require_backed, zatoshi
from explorer.parallel.base import ParallelChain, Reading


def reading(chain: ParallelChain, minted: int, held: Sequence[int], time: int, block: int | None) -> Reading:
    """A reading from units of the chain's token; Garbled when the numbers contradict each other or are too large."""
    total = zatoshi(minted, chain.decimals, "the minted total")
    named = zip(chain.issuers, held, strict=True)
    amounts = tuple(zatoshi(units, chain.decimals, f"the balance of {issuer.role}") for issuer, units in named)
    require_backed(total, amounts)
    return Reading(total, amounts, time, block)
