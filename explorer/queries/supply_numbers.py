"""Single numbers of the supply, for trackers that read a bare decimal."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.db import View
from explorer.errors import NotFound, UpstreamUnavailable
from explorer.labels import Wallet
from explorer.queries.block_rows import block_row
from explorer.queries.cuts import all_chains, native_total
from explorer.queries.supply import formula_at
from explorer.queries.units import Seconds, Zatoshi
from indexer.chain.params import COIN, MAX_MONEY

MAX_EXPLANATION: Final = (
    "a number of the announced policy, also the daemon's bound on single values; no rule of the chain limits the "
    "issue, see /api/v1/supply/cap"
)
FORMULA_EXPLANATION: Final = "the official all-chains formula of height; see /api/v1/supply for the count by addresses"
CUT_EXPLANATION: Final = "all parallel chains read at one moment: minted less what the issuer holds"


@dataclass(frozen=True, slots=True)
class Number:
    """An amount of the supply; ``as_of`` and ``state`` where it was read elsewhere, ``decimals`` unless asked."""

    amount: Zatoshi
    explanation: str
    as_of: Seconds | None = None
    state: str | None = None
    decimals: int = 8


async def number(view: View, name: str, *, wallets: Sequence[Wallet] = (), at: int | None = None) -> Number:
    """One of ``NUMBERS`` after the block at height ``at``, the tip by default."""
    made = NUMBERS.get(name)
    if made is None:
        raise NotFound(f"no number is called {name[:40]!r}: there are {', '.join(NUMBERS)}")
    return await made(view, wallets, view.tip.height if at is None else view.require_height(at))


async def parallel_number(view: View, key: str) -> Number:
    """What circulates on one parallel chain by its last good reading."""
    parallel = view.parallel
    known = next((found for found in parallel.chains if found.chain.key == key), None) if parallel else None
    if known is None:
        there = ", ".join(found.chain.key for found in parallel.chains) if parallel else "none on this network"
        raise NotFound(f"no parallel chain is called {key[:40]!r}: there are {there}")
    if known.reading is None:
        raise UpstreamUnavailable(f"{known.chain.name} has never been read: {known.reason}")
    explanation = "minted less what the issuer holds" + (f"; no newer reading: {known.reason}" if known.reason else "")
    return Number(known.reading.outstanding, explanation, known.reading.time, known.state)


def decimal_text(amount: int, decimals: int) -> str:
    """Zatoshi as FLUX with so many decimals (0 to 8), the others cut off: never more than there is."""
    whole, rest = divmod(abs(amount), COIN)
    fraction = f".{rest:08d}"[: decimals + 1] if decimals else ""
    return f"{'-' if amount < 0 else ''}{whole}{fraction}"


async def _issued(view: View, wallets: Sequence[Wallet], height: int) -> Number:
    return Number((await block_row(view, height))["issued"], "what the coinbases of the native chain have made")


async def _total(view: View, wallets: Sequence[Wallet], height: int) -> Number:
    explanation = "native coins, transparent and shielded, without outputs that nobody can spend"
    return Number(native_total(await block_row(view, height)), explanation)


async def _shielded(view: View, wallets: Sequence[Wallet], height: int) -> Number:
    row = await block_row(view, height)
    return Number(row["sprout"] + row["sapling"], "native coins in the Sprout and Sapling pools")


async def _max(view: View, wallets: Sequence[Wallet], height: int) -> Number:
    return Number(MAX_MONEY, MAX_EXPLANATION, decimals=0)


async def _circulating(view: View, wallets: Sequence[Wallet], height: int) -> Number:
    formula = formula_at(view, view.parallel, height)
    if formula is None:
        raise NotFound(f"there are no parallel chains at height {height} of this network: ask for total.txt")
    return Number(formula, FORMULA_EXPLANATION)


async def _outstanding_parallel(view: View, wallets: Sequence[Wallet], height: int) -> Number:
    if view.parallel is None:
        raise NotFound("this network has no parallel chains")
    if height != view.tip.height:
        raise NotFound(f"what circulated on the parallel chains at height {height} is not known: leave out at")
    sums = await all_chains(view, wallets)
    if sums.cut is None or sums.outstanding is None:
        lacking = ", ".join(view.parallel.missing) or "a moment at which all chains could be read together"
        raise UpstreamUnavailable(f"no recent sum over the parallel chains: it lacks {lacking}")
    return Number(sums.outstanding, CUT_EXPLANATION, sums.cut.time, "fresh")


NUMBERS: Final[Mapping[str, Callable[[View, Sequence[Wallet], int], Awaitable[Number]]]] = {
    "issued": _issued,
    "total": _total,
    "circulating": _circulating,
    "max": _max,
    "shielded": _shielded,
    "outstanding-parallel": _outstanding_parallel,
}
