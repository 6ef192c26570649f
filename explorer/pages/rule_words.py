"""What is said about the rules of the chain and about what nodes earn, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from explorer.languages import N_, Marked, Told, _, ngettext
from explorer.pages.formats import group, percent, plain
from explorer.queries.earnings import TierEarnings
from explorer.queries.rules_results import OneOff

UPGRADES: Final[Mapping[str, tuple[str, str]]] = Told({
    "base": ("Base", N_("The rules of the first block: Equihash 200/9.")),
    "lwma": ("LWMA", N_("Difficulty by a moving average weighted by time.")),
    "equihash_144_5": ("Equihash 144/5", N_("Another proof of work, with solutions of 100 bytes.")),
    "acadia": ("Acadia", N_("Sapling: the newer shielded pool; transactions have version 4.")),
    "kamiooka": ("Kamiooka", N_("ZelHash: proof of work by Equihash 125/4.")),
    "kamata": ("Kamata", N_("Nodes are started and confirmed on the chain, by transactions of version 5.")),
    "flux": (
        "Flux", N_("The nodes' share of a block doubles to one half. Nothing goes into shielded pools any more."),
    ),
    "halving": (
        "Halving", N_("New collaterals, longer windows for nodes. Despite its name, no halving of the subsidy."),
    ),
    "p2shnodes": (
        N_("P2SH nodes"), N_("Nodes whose collateral is behind a script, by transactions of version 6."),
    ),
    "pon": (
        N_("Proof of Node"),
        N_("Nodes produce the blocks, one every 30 seconds. A new schedule, and the dev fund."),
    ),
}, lambda upgrade: (_(upgrade[0]), _(upgrade[1])))  # fmt: skip
"""Name and effect of each upgrade (consensus/upgrades.cpp)."""

CONSENSUS: Final[Mapping[str, str]] = Marked({"pow": N_("Proof of Work"), "pon": N_("Proof of Node")})
REST: Final[Mapping[str, str]] = Marked({"miner": N_("Miner"), "dev_fund": N_("Dev fund")})


def collaterals(amounts: Sequence[int]) -> str:
    """The amounts that a tier accepts: ``10,000 or 1,000``, in FLUX."""
    *others, last = map(plain, amounts)
    return _("%(amounts)s or %(last)s", amounts=", ".join(others), last=last) if others else last


def heights(first: int, last: int | None) -> str:
    """A stretch of heights: ``835,554 – 1,076,531``."""
    if last is None:
        return _("from %(height)s", height=group(first))
    return group(first) if first == last else f"{group(first)} – {group(last)}"


def one_off(fund: OneOff) -> str:
    """When a one-off output is due."""
    first, last = group(fund.first_height), group(fund.last_height)
    if fund.times == 1:
        return _("once, in block %(height)s", height=first)
    apart = (fund.last_height - fund.first_height) // (fund.times - 1)
    return ngettext(
        "%(times)s times, every %(num)s block from %(first)s to %(last)s",
        "%(times)s times, every %(num)s blocks from %(first)s to %(last)s",
        apart, times=fund.times, first=first, last=last,
    )  # fmt: skip


def share(part: float) -> str:
    """A part of the subsidy: ``7.14 %``."""
    return percent(part)


def beyond(tier: TierEarnings) -> str:
    """Why nothing can be said about a tier's earnings."""
    if tier.of == 0:
        return _("No node of this tier is confirmed: there is nobody to share with, and nothing to compare with.")
    return ngettext(
        "There are %(num)s confirmed node of this tier, fewer than asked for. Count yours as new ones.",
        "There are %(num)s confirmed nodes of this tier, fewer than asked for. Count yours as new ones.",
        tier.of,
    )
