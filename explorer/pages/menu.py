"""The pages that every page leads to, by subject: the table of contents at the foot of the site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from explorer.labels import Wallet
from explorer.languages import N_, _
from explorer.pages.supply_words import tabs

Entries = tuple[tuple[str, str], ...]

CHAIN: Final[Entries] = (
    ("/blocks", N_("Blocks")),
    ("/mempool", N_("Mempool")),
    ("/reorgs", N_("Reorganisations")),
    ("/charts", N_("Charts")),
)
NODES: Final[Entries] = (
    ("/nodes", N_("Nodes")),
    ("/payouts", N_("Payouts")),
    ("/producers", N_("Block producers")),
    ("/operator", N_("Operator view")),
    ("/calculator", N_("Payout calculator")),
)
TOOLS: Final[Entries] = (
    ("/broadcast", N_("Broadcast")),
    ("/verify", N_("Verify a message")),
    ("/embeds", N_("Badges and embeds")),
    ("/api", N_("API")),
)
OWN: Final[Entries] = (("/account", N_("Your watch list")),)
ABOUT: Final[Entries] = (
    ("/methodology", N_("Methodology")),
    ("/network", N_("Network rules")),
    ("/status", N_("Status")),
    ("/api/v1/status", N_("Status as JSON")),
)


def menu(parallel: bool, fusion: Sequence[Wallet], accounts: bool = False) -> tuple[tuple[str, Entries], ...]:
    """Paths and names of pages under their subjects, as this site has them."""
    supply = tabs(parallel, fusion)
    return (
        (_("Chain"), _said(CHAIN)),
        (_("Nodes"), _said(NODES)),
        (_("Supply"), supply),
        (_("Tools"), _said((*OWN, *TOOLS) if accounts else TOOLS)),
        (_("About"), _said(ABOUT)),
    )


def _said(entries: Entries) -> Entries:
    return tuple((path, _(name)) for path, name in entries)
