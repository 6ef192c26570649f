"""Subjects in few words: for cards on other sites and for the previews of links. Nothing in them needs a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from explorer.charts.card import Card
from explorer.db import View
from explorer.errors import NotFound
from explorer.languages import _, ngettext, pgettext
from explorer.languages.phrases import Phrase
from explorer.pages.formats import count, flux, group, utc
from explorer.pages.node_words import long, pill, position
from explorer.pages.supply_words import caps_badge
from explorer.pages.words import KINDS, moved
from explorer.queries.addresses import address
from explorer.queries.blocks import block
from explorer.queries.caps import caps
from explorer.queries.node_results import Node, TierState
from explorer.queries.nodes import node, parse_node
from explorer.queries.queues import parse_tier, tiers
from explorer.queries.results import Block, Transaction
from explorer.queries.supply import supply
from explorer.queries.text import parse_block_reference, parse_txid
from explorer.queries.transactions import transaction
from explorer.queries.units import TIERS
from explorer.services import Services

Make = Callable[[View, Services, str], Awaitable[Card]]

async def tip_card(view: View, asked: Services, reference: str) -> Card:
    """The newest block."""
    found = await block(view, view.tip.height)
    return _block(found, _("Newest block"))


async def block_card(view: View, asked: Services, reference: str) -> Card:
    """A block by height or hash."""
    found = await block(view, parse_block_reference(reference))
    return _block(found, _("Orphaned block") if found.confirmations < 0 else _("Block"))


def _block(found: Block, kind: str) -> Card:
    paid, due = sum(payout.matched for payout in found.payouts), len(found.payouts)
    payouts = _("%(paid)s of %(due)s as the queue says", paid=paid, due=due) if due else _("none due")
    return Card(
        kind,
        group(found.height),
        f"/block/{found.hash}",
        (
            (_("Time"), utc(found.time)),
            (_("Transactions"), group(found.transaction_count)),
            (_("Paid out"), flux(found.coinbase_value)),
            (_("Node payouts"), payouts),
        ),
        found.hash,
        "poor" if found.confirmations < 0 else "accent",
    )


async def transaction_card(view: View, asked: Services, reference: str) -> Card:
    """A transaction by its id."""
    found = await transaction(view, parse_txid(reference), asked.daemon.full_ids)
    facts = [*_mined(found)]
    tone: str
    if found.node is not None:
        facts += [(_("Node"), _short(found.node.node)), (_("Address"), _cut(found.node.address))]
        title, tone = _tier_node(found.node.tier), found.node.tier
    else:
        fee = _("none") if found.fee is None else flux(found.fee)
        facts += [(_("Inputs and outputs"), _ends(found)), (_("Fee"), fee)]
        title, tone = flux(moved(found)), "accent"
    return Card(KINDS[found.type], title, f"/tx/{found.txid}", tuple(facts), found.txid, tone)


def _mined(found: Transaction) -> tuple[tuple[str, str], tuple[str, str]]:
    """In which block a transaction is, and since when."""
    if found.block is None:
        return (pgettext("where", "In"), _("the mempool")), (_("Time"), _("not mined yet"))
    where = _("block %(height)s", height=group(found.block.height))
    return (pgettext("where", "In"), where), (_("Time"), utc(found.block.time))


def _ends(found: Transaction) -> str:
    return f"{count(len(found.inputs), 'input')}, {count(len(found.outputs), 'output')}"


def _tier_node(tier: str) -> str:
    return _("%(tier)s node", tier=tier.capitalize())


async def address_card(view: View, asked: Services, reference: str) -> Card:
    """An address with its balance."""
    found = await address(view, reference, labels=asked.labels)
    run = found.nodes
    nodes = _("unknown") if run is None else count(run.cumulus + run.nimbus + run.stratus, "confirmed node")
    return Card(
        _("Address · %(label)s", label=found.label) if found.label else _("Address"),
        flux(found.balance),
        f"/address/{found.address}",
        (
            (_("Received"), flux(found.received)),
            (_("Sent"), flux(found.sent)),
            (_("Transactions"), group(found.transaction_count)),
            (_("Runs"), nodes),
        ),
        found.address,
    )


async def node_card(view: View, asked: Services, reference: str) -> Card:
    """A node by its collateral, with its place in the queue."""
    found, states = await asyncio.gather(node(view, parse_node(reference)), tiers(view))
    state = states.items[TIERS.index(found.tier)]
    place = _("in none") if found.rank is None else position(found.rank, state.nodes.confirmed)
    due = _("none due")
    if found.pays_by_height is not None:
        due = _("by block %(height)s", height=group(found.pays_by_height))
    return Card(
        _tier_node(found.tier),
        pill(found, view.tip.height).text,
        f"/node/{found.node}",
        (
            (_("Place in the queue"), place),
            (_("Next payout"), due),
            (_("Paid so far"), _paid(found)),
            (_("Address"), _cut(found.address)),
        ),
        found.node,
        found.tier,
    )


def _paid(found: Node) -> str:
    amount = flux(found.paid_total)
    return ngettext("%(amount)s in %(num)s payout", "%(amount)s in %(num)s payouts", found.paid_count, amount=amount)


async def tier_card(view: View, asked: Services, reference: str) -> Card:
    """A tier with what a node of it earns and who is paid next."""
    return tier_facts((await tiers(view)).items[parse_tier(reference) - 1])


def tier_facts(state: TierState) -> Card:
    """A tier in few words."""
    return Card(
        _("%(tier)s nodes", tier=state.tier.capitalize()),
        _("%(nodes)s confirmed", nodes=group(state.nodes.confirmed)),
        f"/nodes/{state.tier}",
        (
            (_("Collateral"), flux(state.collateral)),
            (_("Payout"), flux(state.reward)),
            (_("A turn of the queue"), f"{count(state.cycle_blocks, 'block')}, {long(state.cycle_seconds)}"),
            (_("Next to be paid"), _short(state.next.node) if state.next else _("nobody")),
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
        _("Flux supply"),
        flux(found.native.total),
        "/supply",
        (
            (_("Issued by block %(height)s", height=group(found.at.height)), flux(found.native.issued)),
            (_("All chains, official formula"), _("unknown") if formula is None else flux(formula)),
            (_("Never claimed"), flux(found.native.unclaimed)),
            (_("Caps"), verdict.text),
        ),
        tone=verdict.tone if verdict.tone == "poor" else "accent",
    )


def _short(outpoint: str) -> str:
    """A collateral with an ellipsis in the middle."""
    txid, _colon, n = outpoint.rpartition(":")
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
        raise NotFound(Phrase(
            "there is no card %(kind)s of this form: expected one of %(known)s",
            kind=repr(kind[:20]), known=known,
        ))  # fmt: skip
    return CARDS[kind]
