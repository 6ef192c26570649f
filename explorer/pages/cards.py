"""Subjects in few words: for cards on other sites and for the previews of links. Nothing in them needs a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from explorer.charts.card import Card
from explorer.db import View
from explorer.errors import NotFound
from explorer.pages.formats import count, flux, group, utc
from explorer.pages.node_words import long, pill, position
from explorer.pages.supply_words import caps_badge
from explorer.pages.words import KINDS, moved
from explorer.queries.addresses import address
from explorer.queries.blocks import block
from explorer.queries.caps import caps
from explorer.queries.node_results import TierState
from explorer.queries.nodes import node, parse_node
from explorer.queries.queues import parse_tier, tiers
from explorer.queries.results import Block, Transaction
from explorer.queries.supply import supply
from explorer.queries.text import parse_block_reference, parse_txid
from explorer.queries.transactions import transaction
from explorer.queries.units import TIERS
from explorer.services import Services

Make = Callable[[View, Services, str], Awaitable[Card]]

UNKNOWN: Final = "unknown"


async def tip_card(view: View, asked: Services, reference: str) -> Card:
    """The newest block."""
    found = await block(view, view.tip.height)
    return _block(found, "Newest block")


async def block_card(view: View, asked: Services, reference: str) -> Card:
    """A block by height or hash."""
    found = await block(view, parse_block_reference(reference))
    return _block(found, "Orphaned block" if found.confirmations < 0 else "Block")


def _block(found: Block, kind: str) -> Card:
    paid = sum(payout.matched for payout in found.payouts)
    payouts = f"{paid} of {len(found.payouts)} as the queue says" if found.payouts else "none due"
    return Card(
        kind,
        group(found.height),
        f"/block/{found.hash}",
        (
            ("Time", utc(found.time)),
            ("Transactions", group(found.transaction_count)),
            ("Paid out", flux(found.coinbase_value)),
            ("Node payouts", payouts),
        ),
        found.hash,
        "poor" if found.confirmations < 0 else "accent",
    )


async def transaction_card(view: View, asked: Services, reference: str) -> Card:
    """A transaction by its id."""
    found = await transaction(view, parse_txid(reference), asked.daemon.full_ids)
    where = f"block {group(found.block.height)}" if found.block else "the mempool"
    facts = [("In", where), ("Time", utc(found.block.time) if found.block else "not mined yet")]
    tone: str
    if found.node is not None:
        facts += [("Node", _short(found.node.node)), ("Address", _cut(found.node.address))]
        title, tone = f"{found.node.tier.capitalize()} node", found.node.tier
    else:
        facts += [("Inputs and outputs", _ends(found)), ("Fee", "none" if found.fee is None else flux(found.fee))]
        title, tone = flux(moved(found)), "accent"
    return Card(KINDS[found.type], title, f"/tx/{found.txid}", tuple(facts), found.txid, tone)


def _ends(found: Transaction) -> str:
    return f"{count(len(found.inputs), 'input')}, {count(len(found.outputs), 'output')}"


async def address_card(view: View, asked: Services, reference: str) -> Card:
    """An address with its balance."""
    found = await address(view, reference, labels=asked.labels)
    running = found.nodes
    nodes = UNKNOWN if running is None else count(running.cumulus + running.nimbus + running.stratus, "confirmed node")
    return Card(
        f"Address · {found.label}" if found.label else "Address",
        flux(found.balance),
        f"/address/{found.address}",
        (
            ("Received", flux(found.received)),
            ("Sent", flux(found.sent)),
            ("Transactions", group(found.transaction_count)),
            ("Runs", nodes),
        ),
        found.address,
    )


async def node_card(view: View, asked: Services, reference: str) -> Card:
    """A node by its collateral, with its place in the queue."""
    found, states = await asyncio.gather(node(view, parse_node(reference)), tiers(view))
    state = states.items[TIERS.index(found.tier)]
    place = UNKNOWN if found.rank is None else position(found.rank, state.nodes.confirmed)
    due = None if found.pays_by_height is None else f"by block {group(found.pays_by_height)}"
    return Card(
        f"{found.tier.capitalize()} node",
        pill(found, view.tip.height).text,
        f"/node/{found.node}",
        (
            ("Place in the queue", "in none" if found.rank is None else place),
            ("Next payout", due or "none due"),
            ("Paid so far", f"{flux(found.paid_total)} in {count(found.paid_count, 'payout')}"),
            ("Address", _cut(found.address)),
        ),
        found.node,
        found.tier,
    )


async def tier_card(view: View, asked: Services, reference: str) -> Card:
    """A tier with what a node of it earns and who is paid next."""
    return tier_facts((await tiers(view)).items[parse_tier(reference) - 1])


def tier_facts(state: TierState) -> Card:
    """A tier in few words."""
    return Card(
        f"{state.tier.capitalize()} nodes",
        f"{group(state.nodes.confirmed)} confirmed",
        f"/nodes/{state.tier}",
        (
            ("Collateral", flux(state.collateral)),
            ("Payout", flux(state.reward)),
            ("A turn of the queue", f"{count(state.cycle_blocks, 'block')}, {long(state.cycle_seconds)}"),
            ("Next to be paid", _short(state.next.node) if state.next else "nobody"),
        ),
        tone=state.tier,
    )


async def supply_card(view: View, asked: Services, reference: str) -> Card:
    """The supply, native and by the official formula, and whether the caps hold."""
    wallets = asked.labels.fusion
    found, checks = await asyncio.gather(supply(view, wallets=wallets), caps(view, wallets=wallets))
    formula = found.totals.all_chains_formula
    verdict = caps_badge(checks)
    return Card(
        "Flux supply",
        flux(found.native.total),
        "/supply",
        (
            ("Issued by block " + group(found.at.height), flux(found.native.issued)),
            ("All chains, official formula", UNKNOWN if formula is None else flux(formula)),
            ("Never claimed", flux(found.native.unclaimed)),
            ("Caps", verdict.text),
        ),
        tone=verdict.tone if verdict.tone == "poor" else "accent",
    )


def _short(outpoint: str) -> str:
    """A collateral with an ellipsis in the middle."""
    txid, _, n = outpoint.rpartition(":")
    return f"{_cut(txid)}:{n}"


def _cut(text: str) -> str:
    """A hash or an address with an ellipsis in the middle."""
    return f"{text[:8]}…{text[-8:]}"


CARDS: Final[Mapping[str, Make]] = {
    "tip": tip_card,
    "supply": supply_card,
    "block": block_card,
    "tx": transaction_card,
    "address": address_card,
    "node": node_card,
    "tier": tier_card,
}
ALONE: Final = ("tip", "supply")  # of which there is only one


def maker(kind: str, reference: str) -> Make:
    """How a card is made; NotFound when there is none of this kind, or none without a reference."""
    if kind not in CARDS or (kind in ALONE) != (not reference):
        known = ", ".join(name if name in ALONE else f"{name}/…" for name in CARDS)
        raise NotFound(f"there is no card {kind[:20]!r} of this form: expected one of {known}")
    return CARDS[kind]
