"""What is said about the rules of the chain and about what nodes earn, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from explorer.pages.formats import count, group, percent, plain
from explorer.queries.earnings import TierEarnings
from explorer.queries.rules_results import OneOff

UPGRADES: Final[Mapping[str, tuple[str, str]]] = {
    "base": ("Base", "The rules of the first block: Equihash 200/9."),
    "lwma": ("LWMA", "Difficulty by a moving average weighted by time."),
    "equihash_144_5": ("Equihash 144/5", "Another proof of work, with solutions of 100 bytes."),
    "acadia": ("Acadia", "Sapling: the newer shielded pool; transactions have version 4."),
    "kamiooka": ("Kamiooka", "ZelHash: proof of work by Equihash 125/4."),
    "kamata": ("Kamata", "Nodes are started and confirmed on the chain, by transactions of version 5."),
    "flux": ("Flux", "The nodes' share of a block doubles to one half. Nothing goes into shielded pools any more."),
    "halving": ("Halving", "New collaterals, longer windows for nodes. Despite its name, no halving of the subsidy."),
    "p2shnodes": ("P2SH nodes", "Nodes whose collateral is behind a script, by transactions of version 6."),
    "pon": ("Proof of Node", "Nodes produce the blocks, one every 30 seconds. A new schedule, and the dev fund."),
}
"""Name and effect of each upgrade (consensus/upgrades.cpp)."""

CONSENSUS: Final = {"pow": "Proof of Work", "pon": "Proof of Node"}
REST: Final = {"miner": "Miner", "dev_fund": "Dev fund"}


def collaterals(amounts: Sequence[int]) -> str:
    """The amounts that a tier accepts: ``10,000 or 1,000``, in FLUX."""
    return " or ".join(plain(amount) for amount in amounts)


def heights(first: int, last: int | None) -> str:
    """A stretch of heights: ``835,554 – 1,076,531``."""
    if last is None:
        return f"from {group(first)}"
    return group(first) if first == last else f"{group(first)} – {group(last)}"


def one_off(fund: OneOff) -> str:
    """When a one-off output is due."""
    if fund.times == 1:
        return f"once, in block {group(fund.first_height)}"
    apart = (fund.last_height - fund.first_height) // (fund.times - 1)
    until = f"from {group(fund.first_height)} to {group(fund.last_height)}"
    return f"{fund.times} times, every {count(apart, 'block')} {until}"


def share(part: float) -> str:
    """A part of the subsidy: ``7.14 %``."""
    return percent(part)


def beyond(tier: TierEarnings) -> str:
    """Why nothing can be said about a tier's earnings."""
    if tier.of == 0:
        return "No node of this tier is confirmed: there is nobody to share with, and nothing to compare with."
    return f"There are {count(tier.of, 'confirmed node')} of this tier, fewer than asked for. Count yours as new ones."
