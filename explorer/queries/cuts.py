"""The sum over all chains by addresses: of one moment only, the cut, and of the native chain at its height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.db import View
from explorer.labels import Wallet
from explorer.parallel.base import Cut, Parallel
from explorer.queries.balances import floors
from explorer.queries.supply_results import CutReference, FusionHeld, FusionWallet
from indexer.chain.keys import hash_text
from indexer.chain.parallel import ParallelRule
from indexer.store.codec import Document

CUT = "cut"  # what is missing when the chains were not read together lately
WALLETS = "fusion_wallets"  # what is missing when nobody says which addresses are the bridge's
CHAINS = "parallel_chains"  # what is missing where there are none


@dataclass(frozen=True, slots=True)
class AllChains:
    """What the cut says; ``missing`` names what a sum that may be relied on lacks, empty when it lacks nothing.

    ``addresses`` is native coins outside the bridge and outstanding ones together, in zatoshi. Both sums are None
    without a cut that is recent.
    """

    cut: CutReference | None
    outstanding: int | None
    addresses: int | None
    missing: tuple[str, ...]


def parallel_rule(parallel: Parallel) -> ParallelRule:
    """What the rules of the native chain have to know of the parallel chains."""
    return ParallelRule(parallel.mining_from, tuple(known.chain.launch_height for known in parallel.chains))


async def all_chains(view: View, wallets: Sequence[Wallet]) -> AllChains:
    """The sum over all chains by addresses, at the cut.

    Coins on their way through the bridge are locked on one side and not yet freed on the other: they are in its
    custody and counted nowhere.
    """
    parallel = view.parallel
    if parallel is None:
        return AllChains(None, None, None, (CHAINS,))
    known = await _known(view, parallel.cut)
    if parallel.cut is None or known is None:
        return AllChains(None, None, None, parallel.missing or (CUT,))
    cut = parallel.cut
    reference = CutReference(cut.height, hash_text(cut.hash), cut.time, parallel.cut_stale)
    if parallel.cut_stale:
        return AllChains(reference, None, None, parallel.missing or (CUT,))
    if not wallets:
        return AllChains(reference, cut.total, None, (*parallel.missing, WALLETS))
    fusion = await fusion_held(view, wallets, cut.height)
    return AllChains(reference, cut.total, native_total(known) - fusion.held + cut.total, parallel.missing)


async def fusion_held(view: View, wallets: Sequence[Wallet], height: int) -> FusionHeld:
    """What the wallets of the bridge held after block ``height``."""
    rows = await floors(view, [wallet.key for wallet in wallets], height)
    held = tuple(
        FusionWallet(wallet.address, wallet.role, rows[n]["b"] if n in rows else 0, wallet.confidence)
        for n, wallet in enumerate(wallets)
    )
    sure = sum(wallet.balance for wallet in held if wallet.confidence != "third_party")
    return FusionHeld(sum(wallet.balance for wallet in held), sure, held)


def native_total(row: Document) -> int:
    """The spendable coins of the native chain, transparent and shielded, of a row of ``blocks``: zatoshi."""
    total: int = row["transparent"] + row["sprout"] + row["sapling"]
    return total


async def _known(view: View, cut: Cut | None) -> Document | None:
    """The row of the block at which a cut was made; None when it is not on our chain."""
    row = None if cut is None else await view.row("blocks", cut.height)
    return row if cut is not None and row is not None and bytes(row["hash"]) == cut.hash else None
