"""The eras of the block subsidy, and how long blocks to come take by the target spacing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from indexer.chain.params import Network, pon_active, target_spacing
from indexer.chain.subsidy import block_subsidy, halvings, pon_reductions, subsidy_breaks

DAY = 86_400  # seconds
Kind = Literal["slow_start", "full_subsidy", "halving", "pon", "reduction"]


@dataclass(frozen=True, slots=True)
class Era:
    """A stretch of heights in which the subsidy follows one rule; ``number`` counts halvings or reductions.

    ``last`` is None for the one that never ends; ``subsidy`` is that of its last block, in zatoshi.
    """

    kind: Kind
    number: int
    first: int
    last: int | None
    subsidy: int


@lru_cache(maxsize=64)
def eras(network: Network) -> tuple[Era, ...]:
    """All eras in order, the first one with the genesis block; premine and slow start are one."""
    begins: list[tuple[int, Kind, int]] = []
    for height in subsidy_breaks(network):
        kind, number = _rule(network, height)
        if not begins or begins[-1][1:] != (kind, number):
            begins.append((height, kind, number))
    bounded = [
        Era(kind, number, first, end - 1, block_subsidy(network, end - 1))
        for (first, kind, number), (end, _, _) in pairwise(begins)
    ]
    first, kind, number = begins[-1]
    return (*bounded, Era(kind, number, first, None, block_subsidy(network, first)))


def era_after(network: Network, height: int) -> Era | None:
    """The next era that begins above ``height``; None in the last one."""
    return next((era for era in eras(network) if era.first > height), None)


def target_seconds(network: Network, after: int, last: int) -> int:
    """How long the blocks ``after < height <= last`` take at the target spacing of each, in seconds."""
    if last <= after:
        return 0
    pon = max(network.upgrades.pon, 1)
    pow_blocks = max(0, min(last, pon - 1) - after)
    return pow_blocks * network.pow_target_spacing + (last - after - pow_blocks) * network.pon_target_spacing


def day_number(network: Network, height: int) -> int:
    """The day that a block lies in, a day being as many blocks as the target spacing gives it.

    Days are counted from genesis; the first PoN block, whose spacing is another, begins a new one.
    """
    blocks = max(DAY // target_spacing(network, height), 1)
    if not pon_active(network, height):
        return height // blocks
    first = max(network.upgrades.pon, 1)
    return day_number(network, first - 1) + 1 + (height - first) // blocks


def day_begin(network: Network, height: int) -> int:
    """The first height of the day that a block lies in."""
    first = max(network.upgrades.pon, 1) if pon_active(network, height) else 0
    return height - (height - first) % max(DAY // target_spacing(network, height), 1)


def _rule(network: Network, height: int) -> tuple[Kind, int]:
    if pon_active(network, height):
        number = pon_reductions(network, height)
        return ("reduction" if number else "pon"), number
    if height < network.subsidy.slow_start_interval:
        return "slow_start", 0
    number = halvings(network, height)
    return ("halving" if number else "full_subsidy"), number
