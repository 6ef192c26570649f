"""What is said about nodes, queues and payouts, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from explorer.pages.formats import count, flux, group
from explorer.pages.words import Badge
from explorer.queries.fleets import Fleet
from explorer.queries.node_results import Eta, EventName, Node, Requirements, StatusName, TierState
from explorer.queries.profiles import Restart
from explorer.queries.results import Production
from explorer.queries.units import TIERS
from explorer.queries.watch import SOON
from indexer.chain.keys import outpoint_text
from indexer.chain.pon import EMERGENCY_PRODUCER, TEST_PRODUCER

STATUSES: Final[Mapping[StatusName, str]] = {
    "confirmed": "Confirmed",
    "started": "Started",
    "dos": "DoS",
    "expired": "Expired",
    "spent": "Collateral spent",
    "removed": "Removed",
    "released": "Released",
}
EVENTS: Final[Mapping[EventName, str]] = {
    "start": "Started",
    "confirm": "First confirmation",
    "update": "Confirmation",
    "ip_change": "New IP address",
    "payout": "Paid",
    "dos": "Onto the DoS list",
    "released": "Off the DoS list",
    "expired": "Expired",
    "spent": "Collateral spent",
    "removed": "Removed",
}
TONES: Final[Mapping[str, str]] = {
    "payout": "good",
    "confirm": "good",
    "dos": "poor",
    "expired": "poor",
    "spent": "poor",
    "removed": "poor",
}
HAPPENED: Final[Mapping[str, str]] = {
    "start": "started again",
    "confirm": "confirmed, at the end of the queue",
    "dos": "onto the DoS list",
    "released": "off the DoS list",
    "expired": "expired",
    "spent": "collateral spent",
    "removed": "removed",
}
"""Events between two payouts, as parts of a sentence."""

KINDS: Final = {
    "p2pkh": "Collateral of a key",
    "p2sh": "Collateral behind a script (P2SH)",
    "foundation": "Node of the foundation",
}
PRODUCERS: Final = {
    outpoint_text(EMERGENCY_PRODUCER): "Emergency keys",
    outpoint_text(TEST_PRODUCER): "Test block",
}
_UNITS: Final = ((259_200, 86_400, "day"), (7_200, 3_600, "hour"), (120, 60, "minute"), (0, 1, "second"))


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next for a node, and at which height."""

    what: str
    height: int


def _unit(seconds: float) -> tuple[int, str]:
    return next((length, name) for least, length, name in _UNITS if seconds >= least)


def span(eta: Eta) -> str:
    """From the time that one in ten waits does not exceed to that of nine in ten: ``21 to 25 hours``."""
    length, name = _unit(eta.p90)
    tenths = 10 if length > 1 and eta.p90 < 10 * length else 1
    low, high = eta.p10 * tenths // length / tenths, math.ceil(eta.p90 * tenths / length) / tenths
    return f"{high:g} {name}{'' if high == 1 else 's'}" if low == high else f"{low:g} to {high:g} {name}s"


def long(seconds: float) -> str:
    """A length of time, from minutes on with one decimal below 100: ``45 seconds``, ``32.8 hours``."""
    length, name = _unit(seconds)
    if length == 1:
        return count(round(seconds), name)
    number = f"{seconds / length:,.{int(seconds < 100 * length)}f}".removesuffix(".0")
    return f"{number} {name}{'' if number == '1' else 's'}"


def ahead(height: int, tip: int, spacing: float) -> str:
    """How far a height is away: ``in 136 blocks, about 1.1 hours``; spacing in seconds a block."""
    left = height - tip
    if left <= 0:
        return "now" if left == 0 else f"{count(-left, 'block')} ago"
    return f"in {count(left, 'block')}, about {long(left * spacing)}"


def spacing(tier: TierState) -> float:
    """Seconds between blocks, observed or else as they should be."""
    if tier.observed_spacing_seconds is not None:
        return tier.observed_spacing_seconds
    return tier.cycle_seconds / tier.cycle_blocks if tier.cycle_blocks else 0.0


def position(rank: int, total: int) -> str:
    """A place in a queue as people count: rank 16 of 3,376 nodes is ``17 of 3,376``."""
    return f"{group(rank + 1)} of {group(total)}"


def pill(node: Node, tip: int) -> Badge:
    """The status of a node in a word or two."""
    if node.status == "confirmed":
        soon = node.expires_height is not None and node.expires_height <= tip + SOON
        return Badge("fair", "Confirmed, about to expire") if soon else Badge("good", "Confirmed")
    tones = {"started": "fair", "dos": "poor"}
    return Badge(tones.get(node.status, "plain"), STATUSES[node.status])


def reason(node: Node, restart: Restart | None) -> str:
    """Why a node is in the state it is in, and what follows, in a sentence or two."""
    if node.status == "confirmed":
        return (
            f"It is in the payment queue of its tier, and stays there as long as it confirms again before block "
            f"{group(node.expires_height or 0)}."
        )
    if node.status == "started":
        return (
            "It waits for its first confirmation and is not paid before it. Without one before block "
            f"{group(node.expires_height or 0)} it goes onto the DoS list."
        )
    again = restart_sentence(node, restart)
    if node.status == "dos":
        released = f"It is released at block {group(node.dos_until or 0)}."
        return f"On the DoS list, because no confirmation came in time after its start. {released} {again}".rstrip()
    return f"It left the lists in block {group(node.ended_height or 0)}: {node.reason}. {again}".rstrip()


def restart_sentence(node: Node, restart: Restart | None) -> str:
    """Whether the collateral of a node that is out may start again; empty where nothing can be said."""
    if restart == "lapsed":
        return f"It cannot start again: {flux(node.collateral)} is no collateral of a tier any more."
    if restart == "spent":
        return "It cannot start again: its collateral was spent since."
    if node.restart_from is None:
        return ""
    return f"It may start again {'from' if node.status == 'dos' else 'since'} block {group(node.restart_from)}."


def step(node: Node) -> Step:
    """What comes next for a node, in a list."""
    if node.status == "confirmed":
        return Step("Paid by block", node.pays_by_height or 0)
    if node.status == "started":
        return Step("DoS at block", node.expires_height or 0)
    if node.status == "dos":
        return Step("Released at block", node.dos_until or 0)
    return Step("Left in block", node.ended_height or 0)


def deadline(node: Node) -> Step:
    """When the list that a node is on lets it go."""
    return Step("Expires at block", node.expires_height or 0) if node.status == "confirmed" else step(node)


def hardware(needed: Requirements) -> str:
    """What a node of a tier has to have."""
    return f"{needed.cores} cores, {needed.ram_gb} GB RAM, {needed.storage_gb} GB disk"


def speeds(needed: Requirements) -> str:
    """How fast it has to be, as its benchmark measures it."""
    return f"{group(needed.eps)} EPS, {needed.disk_mbps} MB/s, {needed.bandwidth_mbps} Mbit/s"


def slot_sentence(production: Production) -> str:
    """How long the chain waited for a producer."""
    if production.skipped_slots is None:
        return "the first of proof of node"
    if production.skipped_slots == 0:
        return "none skipped"
    return f"after {count(production.skipped_slots, 'skipped slot')}"


def fleet_sentence(fleet: Fleet) -> str:
    """What an address runs: ``Runs 3 Cumulus and 1 Stratus nodes, 43,000 FLUX locked up as collateral.``"""
    counts = [(getattr(fleet.confirmed, tier), tier.capitalize()) for tier in TIERS]
    parts = [f"{group(number)} {tier}" for number, tier in counts if number]
    total = sum(number for number, _ in counts)
    runs = f"Runs {_listed(parts)} {'node' if total == 1 else 'nodes'}" if parts else "Runs no confirmed node"
    return f"{runs}; {flux(fleet.collateral)} locked up as collateral."


def waiting_sentence(fleet: Fleet) -> str:
    """The nodes of an address that are on the other lists; empty when there are none."""
    parts = [f"{group(fleet.started)} waiting for a first confirmation"] if fleet.started else []
    parts += [f"{group(fleet.dos)} on the DoS list"] if fleet.dos else []
    return f"Besides: {_listed(parts)}." if parts else ""


def _listed(parts: list[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)
