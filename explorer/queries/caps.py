"""The caps that anybody has named, each checked on its own; an input that is missing makes a check unknown.

Nothing in the chain's rules bounds how much is issued: these are announcements, and a bound on single values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from explorer.db import View
from explorer.labels import Wallet
from explorer.languages import N_
from explorer.languages.phrases import Phrase
from explorer.parallel.base import Parallel
from explorer.queries.block_rows import block_row
from explorer.queries.cuts import CHAINS, AllChains, all_chains, native_total, parallel_rule
from explorer.queries.reductions import expected_time
from explorer.queries.supply_results import CapCheck, CapMethod, CapName, Caps, Crossing
from indexer.chain.parallel import all_chains_formula, formula_passing, growth_passing
from indexer.chain.params import COIN, MAX_MONEY, Network
from indexer.chain.subsidy import height_passing, scheduled_issue
from indexer.store.codec import Document

WHITEPAPER: Final = 440_000_000 * COIN
ANNOUNCED: Final = 560_000_000 * COIN
FIRST_LAUNCH: Final = "first_launch"  # what is missing where no parallel chain has begun

EXPLANATIONS: Final[dict[CapName, str]] = {
    "whitepaper_440m_formula": N_(
        "The whitepaper of 2022: never more than 440 million FLUX circulate on all chains together. Counted by the "
        "official formula, which is one of height alone: it asks no chain, leaves out the swap pool of 220 million, "
        "and counts a parallel chain's whole snapshot at its launch, claimed or not."
    ),
    "whitepaper_440m_addresses": N_(
        "The whitepaper of 2022: never more than 440 million FLUX circulate on all chains together. Counted by "
        "addresses: native coins outside the wallets of the bridge Fusion, and on each parallel chain what was minted "
        "less what the issuer holds, all of it at one moment. Coins that the bridge has taken on one side and not yet "
        "given on the other are in its custody and counted nowhere. The height of crossing supposes that all that "
        "blocks to come earn on parallel chains is claimed at once."
    ),
    "native_440m": N_(
        "Native coins alone: what the coinbases have made. No rule of the chain stops at 440 million; the schedule "
        "passes it and goes on."
    ),
    "announced_560m": N_(
        "The announcement of Proof of Useful Work v2: at most 560 million FLUX. No rule of the chain knows that "
        "number; the last subsidy has no end and passes it in the long run."
    ),
    "max_money": N_(
        "The daemon's MAX_MONEY. It bounds every single value and every sum within one transaction, not the issue: as "
        "long as all native coins together stay below it, no transaction can meet it."
    ),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A check before it is dated: heights instead of crossings."""

    name: CapName
    method: CapMethod
    limit: int
    value: int | None
    missing: tuple[str, ...]
    crosses: int | None
    crosses_by_schedule: int | None


async def caps(view: View, *, wallets: Sequence[Wallet] = ()) -> Caps:
    """Every cap with its value, headroom and state at the tip, and when it is passed."""
    row, sums = await asyncio.gather(block_row(view, view.tip.height), all_chains(view, wallets))
    cases = (*_whitepaper(view.network, row["_id"], view.parallel, sums), *_native(view.network, row))
    past = {case.crosses_by_schedule for case in cases if (case.crosses_by_schedule or row["_id"] + 1) <= row["_id"]}
    rows = await view.rows("blocks", filter(None, past))
    times = {found["_id"]: found["time"] for found in (*rows.values(), row)}
    return Caps(tuple(_check(view.network, case, row, times) for case in cases))


def _whitepaper(network: Network, tip: int, parallel: Parallel | None, sums: AllChains) -> tuple[_Case, _Case]:
    """The cap of the whitepaper by both methods."""
    formula, formula_crosses, crosses = None, None, None
    lacking: tuple[str, ...] = (CHAINS,)
    if parallel is not None:
        rule = parallel_rule(parallel)
        formula, formula_crosses = all_chains_formula(network, rule, tip), formula_passing(network, rule, WHITEPAPER)
        lacking = (FIRST_LAUNCH,) if formula is None else ()
        if sums.cut is not None and sums.addresses is not None and sums.addresses <= WHITEPAPER:
            crosses = growth_passing(network, rule, sums.cut.height, WHITEPAPER - sums.addresses)
    ahead = formula_crosses if (formula_crosses or 0) > tip else None
    return (
        _Case("whitepaper_440m_formula", "official_formula", WHITEPAPER, formula, lacking, ahead, formula_crosses),
        _Case("whitepaper_440m_addresses", "addresses", WHITEPAPER, sums.addresses, sums.missing, crosses, None),
    )


def _native(network: Network, row: Document) -> tuple[_Case, ...]:
    """The caps that native coins are held against."""
    counts: tuple[tuple[CapName, CapMethod, int, int], ...] = (
        ("native_440m", "native_issued", WHITEPAPER, row["issued"]),
        ("announced_560m", "native_issued", ANNOUNCED, row["issued"]),
        ("max_money", "native_total", MAX_MONEY, native_total(row)),
    )
    tip = row["_id"]
    return tuple(
        _Case(name, method, limit, value, (), _passing(network, tip, limit, value), height_passing(network, limit))
        for name, method, limit, value in counts
    )


def _passing(network: Network, tip: int, limit: int, value: int) -> int | None:
    """The first height above ``tip`` at which ``value`` and the schedule to come pass a limit; None when they have."""
    return height_passing(network, limit + scheduled_issue(network, tip) - value) if value <= limit else None


def _check(network: Network, case: _Case, tip: Document, times: dict[int, int]) -> CapCheck:
    """A case with its state and dates; ``times`` are those of blocks that are known."""

    def crossing(height: int | None) -> Crossing | None:
        if height is None:
            return None
        return Crossing(height, times.get(height) or expected_time(network, tip["_id"], tip["time"], height))

    value = None if case.missing else case.value
    state = "unknown" if value is None else "exceeded" if value > case.limit else "within"
    return CapCheck(
        name=case.name,
        method=case.method,
        limit=case.limit,
        value=value,
        headroom=None if value is None else case.limit - value,
        state=state,  # type: ignore[arg-type]
        missing=case.missing,
        crosses=None if case.missing else crossing(case.crosses),
        crosses_by_schedule=crossing(case.crosses_by_schedule),
        explanation=_explanation(case),
    )


def _explanation(case: _Case) -> Phrase:
    counted = Phrase(EXPLANATIONS[case.name])
    if not case.missing:
        return counted
    lacking = ", ".join(case.missing)
    return Phrase("%(counted)s Unknown at present: it lacks %(lacking)s.", counted=counted, lacking=lacking)
