"""What is said about nodes, queues and payouts, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from explorer.languages import N_, Marked, _, ngettext
from explorer.languages.phrases import said
from explorer.pages.formats import flux, group, listed
from explorer.pages.nouns import LENGTHS, SPANS, WAITS, Unit
from explorer.pages.words import Badge
from explorer.queries.fleets import Fleet
from explorer.queries.node_results import Eta, EventName, Node, Requirements, StatusName, TierState
from explorer.queries.profiles import Restart
from explorer.queries.results import Production
from explorer.queries.units import TIERS
from explorer.queries.watch import SOON
from indexer.chain.keys import outpoint_text
from indexer.chain.pon import EMERGENCY_PRODUCER, TEST_PRODUCER

STATUSES: Final[Mapping[StatusName, str]] = Marked({
    "confirmed": N_("Confirmed"),
    "started": N_("Started"),
    "dos": N_("DoS"),
    "expired": N_("Expired"),
    "spent": N_("Collateral spent"),
    "removed": N_("Removed"),
    "released": N_("Released"),
})  # fmt: skip
EVENTS: Final[Mapping[EventName, str]] = Marked({
    "start": N_("Started"),
    "confirm": N_("First confirmation"),
    "update": N_("Confirmation"),
    "ip_change": N_("New IP address"),
    "payout": N_("Paid"),
    "dos": N_("Onto the DoS list"),
    "released": N_("Off the DoS list"),
    "expired": N_("Expired"),
    "spent": N_("Collateral spent"),
    "removed": N_("Removed"),
})  # fmt: skip
TONES: Final[Mapping[str, str]] = {
    "payout": "good",
    "confirm": "good",
    "dos": "poor",
    "expired": "poor",
    "spent": "poor",
    "removed": "poor",
}
HAPPENED: Final[Mapping[str, str]] = Marked({
    "start": N_("started again"),
    "confirm": N_("confirmed, at the end of the queue"),
    "dos": N_("onto the DoS list"),
    "released": N_("off the DoS list"),
    "expired": N_("expired"),
    "spent": N_("collateral spent"),
    "removed": N_("removed"),
})  # fmt: skip
"""Events between two payouts; ``in`` and a block follow."""

KINDS: Final[Mapping[str, str]] = Marked({
    "p2pkh": N_("Collateral of a key"),
    "p2sh": N_("Collateral behind a script (P2SH)"),
    "foundation": N_("Node of the foundation"),
})  # fmt: skip
PRODUCERS: Final[Mapping[str, str]] = Marked({
    outpoint_text(EMERGENCY_PRODUCER): N_("Emergency keys"),
    outpoint_text(TEST_PRODUCER): N_("Test block"),
})  # fmt: skip
_UNITS: Final[tuple[tuple[int, int, Unit], ...]] = (
    (259_200, 86_400, "day"), (7_200, 3_600, "hour"), (120, 60, "minute"), (0, 1, "second"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next for a node, and at which height."""

    what: str
    height: int


def _unit(seconds: float) -> tuple[int, Unit]:
    return next((length, name) for least, length, name in _UNITS if seconds >= least)


def span(eta: Eta) -> str:
    """From the time that one in ten waits does not exceed to that of nine in ten: ``21 to 25 hours``."""
    length, name = _unit(eta.p90)
    tenths = 10 if length > 1 and eta.p90 < 10 * length else 1
    low, high = eta.p10 * tenths // length / tenths, math.ceil(eta.p90 * tenths / length) / tenths
    if low == high:
        return WAITS[name](1 if high == 1 else 2, time=f"{high:g}")
    return SPANS[name](2, low=f"{low:g}", high=f"{high:g}")


def long(seconds: float) -> str:
    """A length of time, from minutes on with one decimal below 100: ``45 seconds``, ``32.8 hours``."""
    length, name = _unit(seconds)
    if length == 1:
        return LENGTHS[name](round(seconds))
    number = f"{seconds / length:,.{int(seconds < 100 * length)}f}".removesuffix(".0")
    return LENGTHS[name](1 if number == "1" else 2, num=number)


def ahead(height: int, tip: int, spacing: float) -> str:
    """How far a height is away: ``in 136 blocks, about 1.1 hours``; spacing in seconds a block."""
    left = height - tip
    if left == 0:
        return _("now")
    if left < 0:
        return ngettext("%(num)s block ago", "%(num)s blocks ago", -left)
    time = long(left * spacing)
    return ngettext("in %(num)s block, about %(time)s", "in %(num)s blocks, about %(time)s", left, time=time)


def spacing(tier: TierState) -> float:
    """Seconds between blocks, observed or else as they should be."""
    if tier.observed_spacing_seconds is not None:
        return tier.observed_spacing_seconds
    return tier.cycle_seconds / tier.cycle_blocks if tier.cycle_blocks else 0.0


def position(rank: int, total: int) -> str:
    """A place in a queue as people count: rank 16 of 3,376 nodes is ``17 of 3,376``."""
    return _("%(place)s of %(total)s", place=group(rank + 1), total=group(total))


def pill(node: Node, tip: int) -> Badge:
    """The status of a node in a word or two."""
    if node.status == "confirmed":
        soon = node.expires_height is not None and node.expires_height <= tip + SOON
        return Badge("fair", _("Confirmed, about to expire")) if soon else Badge("good", _("Confirmed"))
    tones = {"started": "fair", "dos": "poor"}
    return Badge(tones.get(node.status, "plain"), STATUSES[node.status])


def reason(node: Node, restart: Restart | None) -> str:
    """Why a node is in the state it is in, and what follows, in a sentence or two."""
    if node.status == "confirmed":
        return _(
            "It is in the payment queue of its tier, and stays there as long as it confirms again before block "
            "%(height)s.",
            height=group(node.expires_height or 0),
        )
    if node.status == "started":
        return _(
            "It waits for its first confirmation and is not paid before it. Without one before block %(height)s it "
            "goes onto the DoS list.",
            height=group(node.expires_height or 0),
        )
    return f"{_left_sentences(node)} {restart_sentence(node, restart)}".rstrip()


def _left_sentences(node: Node) -> str:
    """Why a node is out of the queue for now, or for good."""
    if node.status == "dos":
        return _(
            "On the DoS list, because no confirmation came in time after its start. It is released at block "
            "%(height)s.",
            height=group(node.dos_until or 0),
        )
    why = said(node.reason or "")
    return _("It left the lists in block %(height)s: %(reason)s.", height=group(node.ended_height or 0), reason=why)


def restart_sentence(node: Node, restart: Restart | None) -> str:
    """Whether the collateral of a node that is out may start again; empty where nothing can be said."""
    if restart == "lapsed":
        amount = flux(node.collateral)
        return _("It cannot start again: %(amount)s is no collateral of a tier any more.", amount=amount)
    if restart == "spent":
        return _("It cannot start again: its collateral was spent since.")
    if node.restart_from is None:
        return ""
    height = group(node.restart_from)
    if node.status == "dos":
        return _("It may start again from block %(height)s.", height=height)
    return _("It may start again since block %(height)s.", height=height)


def step(node: Node) -> Step:
    """What comes next for a node, in a list."""
    if node.status == "confirmed":
        return Step(_("Paid by block"), node.pays_by_height or 0)
    if node.status == "started":
        return Step(_("DoS at block"), node.expires_height or 0)
    if node.status == "dos":
        return Step(_("Released at block"), node.dos_until or 0)
    return Step(_("Left in block"), node.ended_height or 0)


def deadline(node: Node) -> Step:
    """When the list that a node is on lets it go."""
    return Step(_("Expires at block"), node.expires_height or 0) if node.status == "confirmed" else step(node)


def hardware(needed: Requirements) -> str:
    """What a node of a tier has to have."""
    return _(
        "%(cores)s cores, %(ram)s GB RAM, %(disk)s GB disk",
        cores=needed.cores, ram=needed.ram_gb, disk=needed.storage_gb,
    )  # fmt: skip


def speeds(needed: Requirements) -> str:
    """How fast it has to be, as its benchmark measures it."""
    return f"{group(needed.eps)} EPS, {needed.disk_mbps} MB/s, {needed.bandwidth_mbps} Mbit/s"


def slot_sentence(production: Production) -> str:
    """How long the chain waited for a producer."""
    if production.skipped_slots is None:
        return _("the first of proof of node")
    if production.skipped_slots == 0:
        return _("none skipped")
    return ngettext("after %(num)s skipped slot", "after %(num)s skipped slots", production.skipped_slots)


def fleet_sentence(fleet: Fleet) -> str:
    """What an address runs: ``Runs 3 Cumulus and 1 Stratus nodes; 43,000 FLUX locked up as collateral.``"""
    counts = [(getattr(fleet.confirmed, tier), tier.capitalize()) for tier in TIERS]
    nodes = listed([f"{group(number)} {tier}" for number, tier in counts if number])
    total, collateral = sum(number for number, _tier in counts), flux(fleet.collateral)
    if not total:
        return _("Runs no confirmed node; %(collateral)s locked up as collateral.", collateral=collateral)
    return ngettext(
        "Runs %(nodes)s node; %(collateral)s locked up as collateral.",
        "Runs %(nodes)s nodes; %(collateral)s locked up as collateral.",
        total, nodes=nodes, collateral=collateral,
    )  # fmt: skip


def waiting_sentence(fleet: Fleet) -> str:
    """The nodes of an address that are on the other lists; empty when there are none."""
    parts = [_("%(nodes)s waiting for a first confirmation", nodes=group(fleet.started))] if fleet.started else []
    parts += [_("%(nodes)s on the DoS list", nodes=group(fleet.dos))] if fleet.dos else []
    return _("Besides: %(nodes)s.", nodes=listed(parts)) if parts else ""
