"""What the supply results mean, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.labels import Wallet
from explorer.pages.formats import count, flux, utc
from explorer.pages.words import Badge
from explorer.queries.supply_results import (
    CapCheck,
    CapMethod,
    CapName,
    Caps,
    CapState,
    CutReference,
    NativeSupply,
    ParallelSupply,
    Totals,
)
from indexer.chain.params import COIN

WIDTH: Final = 1000  # parts of a bar
THIN: Final = 4  # the least part that can be seen

CAPS: Final[Mapping[CapName, str]] = {
    "whitepaper_440m_formula": "440 million across all chains, by the official formula",
    "whitepaper_440m_addresses": "440 million across all chains, by addresses",
    "native_440m": "440 million issued on the native chain",
    "announced_560m": "560 million, the maximum announced later",
    "max_money": "MAX_MONEY of the daemon",
}
METHODS: Final[Mapping[CapMethod, str]] = {
    "official_formula": "Official formula",
    "addresses": "By addresses",
    "native_issued": "Native issuance",
    "native_total": "Native total",
}
STATES: Final[Mapping[CapState, Badge]] = {
    "within": Badge("good", "Within"),
    "exceeded": Badge("poor", "Exceeded"),
    "unknown": Badge("fair", "Unknown"),
}
READINGS: Final[Mapping[str, Badge]] = {
    "fresh": Badge("good", "Fresh"),
    "stale": Badge("fair", "Stale"),
    "unavailable": Badge("poor", "Unavailable"),
}
LIFECYCLES: Final[Mapping[str, str]] = {
    "survives": "Stays, on a new contract",
    "retires": "Is to be closed",
    "active": "Active",
}
CONFIDENCES: Final[Mapping[str, str]] = {
    "consensus": "named by consensus",
    "official": "named by the project",
    "third_party": "named by others",
}
_LARGE: Final = ((1_000_000_000, "bn"), (1_000_000, "M"), (1_000, "k"))


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a bar: where it begins, how wide it is (of ``WIDTH``), and its place in the order of colours."""

    start: int
    width: int
    order: int


def bar(amounts: Sequence[int], whole: int | None = None) -> tuple[Part, ...]:
    """The parts of a bar that shows amounts of a whole, their sum by default; none too thin to be seen."""
    total = max(sum(amounts) if whole is None else whole, 1)
    parts, at = [], 0
    for order, amount in enumerate(amounts):
        width = min(max(amount * WIDTH // total, THIN if amount > 0 else 0), WIDTH - at)
        parts.append(Part(at, width, order))
        at += width
    return tuple(parts)


def compact(zatoshi: int) -> str:
    """An amount in few characters: ``440 M``, ``1.5 M``, ``12 k``; without a unit."""
    coins = abs(zatoshi) // COIN
    sign = "\u2212" if zatoshi < 0 else ""
    for size, letter in _LARGE:
        if coins >= size:
            return f"{sign}{coins / size:,.2f}".rstrip("0").rstrip(".") + f" {letter}"
    return f"{sign}{coins}"


def caps_badge(caps: Caps) -> Badge:
    """All checks in a word or two: the worst of them speaks."""
    states = [check.state for check in caps.checks]
    if exceeded := states.count("exceeded"):
        return Badge("poor", f"{count(exceeded, 'cap')} exceeded")
    if unknown := states.count("unknown"):
        return Badge("fair", f"{count(unknown, 'cap')} unknown")
    return Badge("good", "Within all caps")


LACKING: Final[Mapping[str, str]] = {
    "cut": "a moment at which all chains were read together",
    "fusion_wallets": "the addresses of the bridge's wallets",
    "parallel_chains": "parallel chains, which this network does not have",
    "first_launch": "the launch of a first parallel chain",
}


def missing_sentence(check: CapCheck, parallel: Sequence[ParallelSupply]) -> str:
    """What a check needs and does not have, and what a chain said when it was last read."""
    chains = {chain.chain: chain for chain in parallel}
    return f"Missing: {'; '.join(_lacking(name, chains) for name in check.missing)}."


def _lacking(name: str, chains: Mapping[str, ParallelSupply]) -> str:
    chain = chains.get(name)
    if chain is None:
        return LACKING.get(name, name)
    if chain.as_of is None or chain.outstanding is None:
        return f"a reading of {chain.name}, which has never been read"
    last = f"last read {utc(chain.as_of.time)} with {flux(chain.outstanding)} outstanding"
    return f"a fresh reading of {chain.name} ({last})"


def crossing_word(check: CapCheck) -> str:
    """Why no height is known at which a limit is passed."""
    if check.state == "unknown":
        return "unknown"
    return "passed already" if check.state == "exceeded" else "never"


def tabs(parallel: bool, fusion: Sequence[Wallet]) -> tuple[tuple[str, str], ...]:
    """The pages about the supply, by path, that a network with or without parallel chains and a bridge has."""
    return (
        ("/supply", "Supply"),
        *((("/parallel", "Parallel chains"),) if parallel else ()),
        *((("/supply/fusion", "Bridge"),) if fusion else ()),
        ("/richlist", "Rich list"),
        ("/supply/unclaimed", "Never claimed"),
    )


def lifecycle(name: str) -> str:
    """What is to become of a chain."""
    return LIFECYCLES.get(name, name)


def difference_sentence(totals: Totals) -> str:
    """What sets the two totals over all chains apart."""
    formula, addresses = totals.all_chains_formula, totals.all_chains_addresses
    if formula is None or addresses is None:
        return "The two can only be compared while both are known."
    if formula == addresses:
        return "At present both come to the same number, by chance: they count different things."
    less, more = ("formula", "addresses") if formula < addresses else ("addresses", "formula")
    return (
        f"The {less} count{'s' if less == 'formula' else ''} {flux(abs(formula - addresses))} less than the {more}. "
        "The formula knows no wallet: it leaves the swap pool out and adds what each chain was launched with and a "
        "share of mining, claimed or not. The addresses know no plan: whatever is not in a wallet of the issuer or "
        "of the bridge counts as circulating."
    )


def cut_sentence(cut: CutReference | None) -> str:
    """At which moment the chains were read together."""
    if cut is None:
        return "The chains have not been read together at one moment yet, so that there is no sum."
    if cut.stale:
        return "The chains were last read together too long ago for the sum to count."
    return "All chains were read together at this moment, while no coin moved between them."


def reconciles_badge(native: NativeSupply) -> Badge:
    """Whether the stored coins add up."""
    if native.reconciles is None:
        return Badge("plain", "Not compared yet")
    return Badge("good", "Adds up") if native.reconciles else Badge("poor", "Does not add up")


def backing_sentence(held: int, outstanding: int) -> str:
    """What the bridge holds against what circulates elsewhere."""
    if held == outstanding:
        return "The bridge held exactly what circulated on the parallel chains."
    if held > outstanding:
        return f"The bridge held {flux(held - outstanding)} more than circulated on the parallel chains."
    return f"{flux(outstanding - held)} circulated on the parallel chains beyond what the known wallets held."


def unread(parallel: Sequence[ParallelSupply]) -> tuple[ParallelSupply, ...]:
    """The chains without a fresh reading."""
    return tuple(chain for chain in parallel if chain.state != "fresh")


def unread_sentence(parallel: Sequence[ParallelSupply]) -> str:
    """Which chains have no fresh reading and what that means for the caps."""
    names = [chain.name for chain in unread(parallel)]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"{listed} {'has' if len(names) == 1 else 'have'} no fresh reading. Until every chain is read again, the sum "
        "over all chains by addresses and the check that needs it are unknown; nothing is guessed from old readings."
    )


def capital(text: str) -> str:
    """A text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]
