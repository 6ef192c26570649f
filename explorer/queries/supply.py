"""The supply: what was made, where it is, and what circulates on all chains by two methods that are never mixed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.db import View
from explorer.labels import Wallet
from explorer.parallel.base import ChainState, Parallel
from explorer.queries.block_rows import block_row
from explorer.queries.cuts import AllChains, all_chains, fusion_held, native_total, parallel_rule
from explorer.queries.reductions import next_reduction
from explorer.queries.results import BlockReference
from explorer.queries.supply_results import (
    AsOf,
    FusionHeld,
    IssuerBalance,
    NativeSupply,
    ParallelSupply,
    Supply,
    Totals,
)
from indexer.chain.keys import hash_text
from indexer.chain.parallel import all_chains_formula
from indexer.chain.subsidy import scheduled_issue
from indexer.store.codec import Document

OF_THE_PRESENT = "a reading is one of the present: what a chain said at this height is not known"

Verdict = tuple[bool, int] | None
"""Whether the sums agreed, and at which height that was seen; None when nobody compared them."""


async def supply(view: View, *, wallets: Sequence[Wallet] = (), at: int | None = None) -> Supply:
    """The supply after the block at height ``at``, the tip by default; ``wallets`` are those of the bridge.

    At a past height nothing is known of the parallel chains but the official formula.
    """
    height = view.tip.height if at is None else view.require_height(at)
    now = height == view.tip.height
    row, fusion, verdict, sums = await asyncio.gather(
        block_row(view, height), fusion_held(view, wallets, height), reconciled(view), _sums(view, wallets, now)
    )
    parallel = view.parallel
    return Supply(
        at=BlockReference(height, hash_text(row["hash"])),
        native=native_supply(view, row, fusion, verdict),
        parallel=() if parallel is None else tuple(_parallel(known, now) for known in parallel.chains),
        totals=Totals(sums.outstanding, formula_at(view, parallel, height), sums.addresses, sums.cut),
        next_reduction=next_reduction(view.network, height, row["time"]),
    )


def native_supply(view: View, row: Document, fusion: FusionHeld, verdict: Verdict) -> NativeSupply:
    """The native part of the supply, from a row of ``blocks``."""
    schedule, total = scheduled_issue(view.network, row["_id"]), native_total(row)
    return NativeSupply(
        schedule=schedule,
        issued=row["issued"],
        unclaimed=schedule - row["issued"],
        transparent=row["transparent"],
        sprout=row["sprout"],
        sapling=row["sapling"],
        unspendable=row["unspendable"],
        total=total,
        reconciles=None if verdict is None else verdict[0],
        reconciled_height=None if verdict is None else verdict[1],
        fusion=fusion,
        outside_fusion=total - fusion.held,
    )


def formula_at(view: View, parallel: Parallel | None, height: int) -> int | None:
    """The official all-chains formula of a height; None without parallel chains, and before the first of them."""
    return None if parallel is None else all_chains_formula(view.network, parallel_rule(parallel), height)


async def reconciled(view: View) -> Verdict:
    """What the comparisons of the stored sums with something else than themselves said, of blocks still on the chain.

    ``verify`` adds up the stored unspent outputs, the self-check asks the daemon for its own sums. One that disagreed
    counts until it is made again.
    """
    said = [(found["hash"], found["height"], found["good"]) for found in _verdicts(view.checks)]
    rows = await view.rows("blocks", [height for _, height, _ in said])
    hashes = {height: bytes(row["hash"]) for height, row in rows.items()}
    valid = [(good, height) for block_hash, height, good in said if hashes.get(height) == bytes(block_hash)]
    wrong = [verdict for verdict in valid if not verdict[0]]
    return max(wrong or valid, key=lambda verdict: verdict[1], default=None)


def _verdicts(checks: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hash, height and outcome of each comparison that ``meta.checks`` tells of."""
    verified = checks.get("verify", {})
    found = []
    if "supply_checked_hash" in checks:
        names = {"hash": "supply_checked_hash", "height": "supply_checked_height", "good": "supply_matches_daemon"}
        found.append({name: checks[field] for name, field in names.items()})
    if "supply" in verified:
        found.append({"hash": verified["hash"], "height": verified["height"], "good": verified["supply"]})
    return found


async def _sums(view: View, wallets: Sequence[Wallet], now: bool) -> AllChains:
    return await all_chains(view, wallets) if now else AllChains(None, None, None, ())


def _parallel(known: ChainState, now: bool) -> ParallelSupply:
    """A parallel chain as it was read; at a past height without numbers."""
    chain, reading = known.chain, known.reading if now else None
    held = reading.held if reading else [None] * len(chain.issuers)
    return ParallelSupply(
        chain=chain.key,
        name=chain.name,
        asset=chain.asset,
        contract=chain.contract,
        minted=reading.minted if reading else None,
        issuer_held=reading.issuer_held if reading else None,
        outstanding=reading.outstanding if reading else None,
        issuers=tuple(IssuerBalance(i.role, i.address, own) for i, own in zip(chain.issuers, held, strict=True)),
        as_of=AsOf(reading.time, reading.block) if reading else None,
        state=known.state if now else "unavailable",
        reason=known.reason if now else OF_THE_PRESENT,
        lifecycle=chain.lifecycle,
    )
