"""The three tiers and their payment queues, after the tip or any block before it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from explorer.db import View
from explorer.errors import BadRequest, NotFound
from explorer.languages.phrases import Phrase
from explorer.paging import Cursor
from explorer.queries.blocks import reference_at
from explorer.queries.node_results import ListCounts, NextPayee, Queue, QueuePlace, Requirements, Tiers, TierState
from explorer.queries.outlook import Outlook, outlook_at
from explorer.queries.past import LastConfirmations, confirmations_of, lists_at, starts_at
from explorer.queries.pinned import mark_of, require_mark, require_pinned
from explorer.queries.requirements import REQUIREMENTS
from explorer.queries.text import tier_name
from explorer.queries.units import TIERS as TIER_NAMES
from indexer.chain.address import encode_address
from indexer.chain.deadlines import pays_by_height
from indexer.chain.keys import outpoint_text
from indexer.chain.nodes import Status
from indexer.chain.params import Network
from indexer.chain.payouts import payouts_ahead, tier_payout
from indexer.chain.queue import pays_nodes
from indexer.chain.replay import Members, PastLists
from indexer.chain.tiers import TIERS, Tier, accepted_amounts
from indexer.store.codec import Document

YEAR_SECONDS = 31_536_000
CURSORS = {tier: Cursor(f"the {tier.label} queue", 3) for tier in TIERS}


def parse_tier(text: str) -> Tier:
    """A tier by its name; BadRequest for another word."""
    if text not in TIER_NAMES:
        raise BadRequest(Phrase("%(text)s is no tier: expected cumulus, nimbus or stratus", text=repr(text[:40])))
    return Tier(TIER_NAMES.index(text) + 1)


async def tiers(view: View, *, at: int | None = None) -> Tiers:
    """The tiers after block ``at``, the tip by default."""
    height = view.tip.height if at is None else view.require_height(at)
    lists, payees, outlook, reference = await asyncio.gather(
        lists_at(view, height),
        view.once("next payees", height, lambda: _payees(view, height)),
        outlook_at(view, height),
        reference_at(view, height),
    )
    needed = REQUIREMENTS if height == view.tip.height else {}
    states = (
        tier_state(view.network, tier, lists, outlook, payees.get(tier), needed.get(tier)) for tier in TIERS
    )
    return Tiers(reference, tuple(states))


async def queue(
    view: View, tier: Tier, *, at: int | None = None, first: int = 0, cursor: str | None = None, limit: int
) -> Queue:
    """The payment queue of a tier after block ``at``, the tip by default, from a rank or a cursor on.

    A cursor stays with its block.
    """
    height, rank, mark = position(view, tier, at, first, cursor)
    _, reference, lists, outlook = await asyncio.gather(
        require_mark(view, height, mark),
        reference_at(view, height),
        lists_at(view, height),
        outlook_at(view, height),
    )
    order = lists.order(tier)
    page = list(islice(order, rank, rank + limit))
    items = await places(view, tier, lists, outlook, {node: rank + n for n, node in enumerate(page)})
    end = rank + len(page)
    following = CURSORS[tier].encode(height, await mark_of(view, height), end) if end < len(order) else None
    return Queue(reference, items, following)


async def places(
    view: View, tier: Tier, lists: PastLists, outlook: Outlook, ranks: Mapping[int, int]
) -> tuple[QueuePlace, ...]:
    """The places of nodes in the queue of a tier, by their ranks; lists and outlook are of the same block."""
    starts, confirmed = await _known(view, list(ranks), lists.height)
    order = lists.order(tier)
    return tuple(
        _place(view.network, outlook, tier, rank, order[node], starts[node], confirmed[node][1])
        for node, rank in ranks.items()
    )


class Position(NamedTuple):
    """A place in the queue after block ``height``; ``mark`` is of the block that a cursor stays with."""

    height: int
    rank: int
    mark: int | None


def position(view: View, tier: Tier, at: int | None, first: int, cursor: str | None) -> Position:
    """What is asked for; Reorganised when the cursor's block is above the tip."""
    if cursor is None:
        return Position(view.tip.height if at is None else view.require_height(at), first, None)
    pinned = CURSORS[tier].decode(cursor)
    if at is not None and at != pinned[0]:
        raise BadRequest(Phrase(
            "the cursor belongs to height %(pinned)s, at is %(at)s: leave at away or pass the same",
            pinned=pinned[0], at=at,
        ))  # fmt: skip
    return Position(require_pinned(view, pinned[0]), pinned[2], pinned[1])


async def _known(view: View, nodes: Sequence[int], height: int) -> tuple[Mapping[int, Document], LastConfirmations]:
    """The START and the last confirmation of every node that is shown; without them the index is not whole."""
    starts, confirmed = await asyncio.gather(starts_at(view, nodes, height), confirmations_of(view, nodes, height))
    if any(node not in starts or node not in confirmed for node in nodes):
        raise NotFound(Phrase("a node of the queue has no START or confirmation: run flux-explorer verify"))
    return starts, confirmed


def _place(
    network: Network, outlook: Outlook, tier: Tier, rank: int, place: tuple[int, int], start: Document, ip: str
) -> QueuePlace:
    confirmed, paid = place
    forecast = outlook.forecast(tier, rank)
    return QueuePlace(
        rank=rank,
        node=outpoint_text(bytes(start["outpoint"])),
        address=encode_address(bytes(start["payee"]), network),
        ip=ip,
        confirmed_height=confirmed,
        last_paid_height=paid or None,
        pays_by_height=forecast.pays_by_height,
        expected_height=forecast.expected_height,
        eta_seconds=forecast.eta_seconds,
        eta=forecast.eta,
    )


async def _payees(view: View, height: int) -> dict[Tier, NextPayee]:
    lists = await lists_at(view, height)
    heads = {tier: next(iter(lists.order(tier))) for tier in TIERS if lists.order(tier)}
    starts, confirmed = await _known(view, list(heads.values()), height)
    return {
        tier: NextPayee(
            outpoint_text(bytes(starts[node]["outpoint"])),
            encode_address(bytes(starts[node]["payee"]), view.network),
            confirmed[node][1],
        )
        for tier, node in heads.items()
    }


def tier_state(
    network: Network,
    tier: Tier,
    lists: PastLists,
    outlook: Outlook,
    payee: NextPayee | None,
    requirements: Requirements | None = None,
) -> TierState:
    """A tier as it is shown; ``payee`` is the node that is due next."""
    height, count = lists.height, lists.count(Status.CONFIRMED, tier)
    year = payouts_ahead(network, tier, height + 1, YEAR_SECONDS)
    return TierState(
        tier=tier_name(tier),
        collateral=accepted_amounts(network, tier, height + 1)[-1],
        reward=tier_payout(network, height + 1, tier) if pays_nodes(network, height + 1) else 0,
        nodes=ListCounts(count, lists.count(Status.STARTED, tier), lists.count(Status.DOS, tier)),
        cycle_blocks=count,
        cycle_seconds=count * outlook.spacing.target,
        observed_spacing_seconds=outlook.spacing.observed,
        observed_cycle_blocks=_observed_cycle(lists.order(tier), height, outlook.payments_from),
        annual_reward_per_node=year // count if count else None,
        requirements=requirements,
        next=payee,
    )


def _observed_cycle(order: Members, height: int, payments_from: int) -> int | None:
    """Between its last payment and the one that is due, of the first in the queue that was paid before."""
    for rank, (_, paid) in enumerate(order.values()):
        if paid:
            return pays_by_height(height, payments_from, rank) - paid
    return None
