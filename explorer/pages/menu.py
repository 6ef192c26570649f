"""The pages that every page leads to, by subject: the table of contents at the foot of the site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from explorer.labels import Wallet
from explorer.pages.supply_words import tabs

Entries = tuple[tuple[str, str], ...]

CHAIN: Final[Entries] = (
    ("/blocks", "Blocks"),
    ("/mempool", "Mempool"),
    ("/reorgs", "Reorganisations"),
    ("/charts", "Charts"),
)
NODES: Final[Entries] = (
    ("/nodes", "Nodes"),
    ("/payouts", "Payouts"),
    ("/producers", "Block producers"),
    ("/operator", "Operator view"),
    ("/calculator", "Payout calculator"),
)
TOOLS: Final[Entries] = (
    ("/broadcast", "Broadcast"),
    ("/verify", "Verify a message"),
    ("/embeds", "Badges and embeds"),
    ("/api", "API"),
)
ABOUT: Final[Entries] = (
    ("/methodology", "Methodology"),
    ("/network", "Network rules"),
    ("/status", "Status"),
    ("/api/v1/status", "Status as JSON"),
)


def menu(parallel: bool, fusion: Sequence[Wallet]) -> tuple[tuple[str, Entries], ...]:
    """Paths and names of pages under their subjects, as this site has them."""
    supply = tabs(parallel, fusion)
    return (("Chain", CHAIN), ("Nodes", NODES), ("Supply", supply), ("Tools", TOOLS), ("About", ABOUT))
