"""What the supply results mean, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.labels import Wallet
from explorer.languages import N_, Marked, Told, _, ngettext
from explorer.languages.phrases import said
from explorer.pages.formats import flux, listed, utc
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

CAPS: Final[Mapping[CapName, str]] = Marked({
    "whitepaper_440m_formula": N_("440 million across all chains, by the official formula"),
    "whitepaper_440m_addresses": N_("440 million across all chains, by addresses"),
    "native_440m": N_("440 million issued on the native chain"),
    "announced_560m": N_("560 million, the maximum announced later"),
    "max_money": N_("MAX_MONEY of the daemon"),
})  # fmt: skip
METHODS: Final[Mapping[CapMethod, str]] = Marked({
    "official_formula": N_("Official formula"),
    "addresses": N_("By addresses"),
    "native_issued": N_("Native issuance"),
    "native_total": N_("Native total"),
})  # fmt: skip


def _said(badge: Badge) -> Badge:
    return Badge(badge.tone, _(badge.text))


STATES: Final[Mapping[CapState, Badge]] = Told({
    "within": Badge("good", N_("Within")),
    "exceeded": Badge("poor", N_("Exceeded")),
    "unknown": Badge("fair", N_("Unknown")),
}, _said)  # fmt: skip
READINGS: Final[Mapping[str, Badge]] = Told({
    "fresh": Badge("good", N_("Fresh")),
    "stale": Badge("fair", N_("Stale")),
    "unavailable": Badge("poor", N_("Unavailable")),
}, _said)  # fmt: skip
LIFECYCLES: Final[Mapping[str, str]] = Marked({
    "survives": N_("Stays, on a new contract"),
    "retires": N_("Is to be closed"),
    "active": N_("Active"),
})  # fmt: skip
CONFIDENCES: Final[Mapping[str, str]] = Marked({
    "consensus": N_("named by consensus"),
    "official": N_("named by the project"),
    "third_party": N_("named by others"),
})  # fmt: skip
_LARGE: Final = ((1_000_000_000, N_("%(number)s bn")), (1_000_000, N_("%(number)s M")), (1_000, N_("%(number)s k")))


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
    for size, written in _LARGE:
        if coins >= size:
            return _(written, number=f"{sign}{coins / size:,.2f}".rstrip("0").rstrip("."))
    return f"{sign}{coins}"


def caps_badge(caps: Caps) -> Badge:
    """All checks in a word or two: the worst of them speaks."""
    states = [check.state for check in caps.checks]
    if exceeded := states.count("exceeded"):
        return Badge("poor", ngettext("%(num)s cap exceeded", "%(num)s caps exceeded", exceeded))
    if unknown := states.count("unknown"):
        return Badge("fair", ngettext("%(num)s cap unknown", "%(num)s caps unknown", unknown))
    return Badge("good", _("Within all caps"))


LACKING: Final[Mapping[str, str]] = Marked({
    "cut": N_("a moment at which all chains were read together"),
    "fusion_wallets": N_("the addresses of the bridge's wallets"),
    "parallel_chains": N_("parallel chains, which this network does not have"),
    "first_launch": N_("the launch of a first parallel chain"),
})  # fmt: skip


def missing_sentence(check: CapCheck, parallel: Sequence[ParallelSupply]) -> str:
    """What a check needs and does not have, and what a chain said when it was last read."""
    chains = {chain.chain: chain for chain in parallel}
    return _("Missing: %(inputs)s.", inputs="; ".join(_lacking(name, chains) for name in check.missing))


def _lacking(name: str, chains: Mapping[str, ParallelSupply]) -> str:
    chain = chains.get(name)
    if chain is None:
        return LACKING.get(name, name)
    if chain.as_of is None or chain.outstanding is None:
        return _("a reading of %(chain)s, which has never been read", chain=chain.name)
    return _(
        "a fresh reading of %(chain)s (last read %(time)s with %(amount)s outstanding)",
        chain=chain.name, time=utc(chain.as_of.time), amount=flux(chain.outstanding),
    )  # fmt: skip


def crossing_word(check: CapCheck) -> str:
    """Why no height is known at which a limit is passed."""
    if check.state == "unknown":
        return _("unknown")
    return _("passed already") if check.state == "exceeded" else _("never")


def tabs(parallel: bool, fusion: Sequence[Wallet]) -> tuple[tuple[str, str], ...]:
    """The pages about the supply, by path, that a network with or without parallel chains and a bridge has."""
    return (
        ("/supply", _("Supply")),
        *((("/parallel", _("Parallel chains")),) if parallel else ()),
        *((("/supply/fusion", _("Bridge")),) if fusion else ()),
        ("/richlist", _("Rich list")),
        ("/supply/unclaimed", _("Never claimed")),
    )


def lifecycle(name: str) -> str:
    """What is to become of a chain."""
    return LIFECYCLES.get(name, name)


def difference_sentence(totals: Totals) -> str:
    """What sets the two totals over all chains apart."""
    formula, addresses = totals.all_chains_formula, totals.all_chains_addresses
    if formula is None or addresses is None:
        return _("The two can only be compared while both are known.")
    if formula == addresses:
        return _("At present both come to the same number, by chance: they count different things.")
    amount = flux(abs(formula - addresses))
    if formula < addresses:
        differ = _("The formula counts %(amount)s less than the addresses.", amount=amount)
    else:
        differ = _("The addresses count %(amount)s less than the formula.", amount=amount)
    because = _(
        "The formula knows no wallet: it leaves the swap pool out and adds what each chain was launched with and a "
        "share of mining, claimed or not. The addresses know no plan: whatever is not in a wallet of the issuer or "
        "of the bridge counts as circulating."
    )
    return f"{differ} {because}"


def cut_sentence(cut: CutReference | None) -> str:
    """At which moment the chains were read together."""
    if cut is None:
        return _("The chains have not been read together at one moment yet, so that there is no sum.")
    if cut.stale:
        return _("The chains were last read together too long ago for the sum to count.")
    return _("All chains were read together at this moment, while no coin moved between them.")


def reconciles_badge(native: NativeSupply) -> Badge:
    """Whether the stored coins add up."""
    if native.reconciles is None:
        return Badge("plain", _("Not compared yet"))
    return Badge("good", _("Adds up")) if native.reconciles else Badge("poor", _("Does not add up"))


def backing_sentence(held: int, outstanding: int) -> str:
    """What the bridge holds against what circulates elsewhere."""
    amount = flux(abs(held - outstanding))
    if held == outstanding:
        return _("The bridge held exactly what circulated on the parallel chains.")
    if held > outstanding:
        return _("The bridge held %(amount)s more than circulated on the parallel chains.", amount=amount)
    return _("%(amount)s circulated on the parallel chains beyond what the known wallets held.", amount=amount)


def unread(parallel: Sequence[ParallelSupply]) -> tuple[ParallelSupply, ...]:
    """The chains without a fresh reading."""
    return tuple(chain for chain in parallel if chain.state != "fresh")


def unread_sentence(parallel: Sequence[ParallelSupply]) -> str:
    """Which chains have no fresh reading and what that means for the caps."""
    names = [chain.name for chain in unread(parallel)]
    return ngettext(
        "%(chains)s has no fresh reading. Until every chain is read again, the sum over all chains by addresses and "
        "the check that needs it are unknown; nothing is guessed from old readings.",
        "%(chains)s have no fresh reading. Until every chain is read again, the sum over all chains by addresses and "
        "the check that needs it are unknown; nothing is guessed from old readings.",
        len(names), chains=listed(names),
    )  # fmt: skip


def capital(text: str) -> str:
    """A text of an answer with a capital letter at its beginning, in the reader's language."""
    told = said(text)
    return told[:1].upper() + told[1:]
