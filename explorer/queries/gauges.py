"""The chain in numbers for monitoring: a handful of reads a block, however often it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, get_args

from explorer.db import View
from explorer.labels import Wallet
from explorer.queries.block_rows import block_row
from explorer.queries.blocks import difficulty_of
from explorer.queries.caps import caps
from explorer.queries.node_results import Tiers
from explorer.queries.queues import tiers
from explorer.queries.supply_results import Caps, CapState
from indexer.chain.subsidy import scheduled_issue
from indexer.store.codec import Document

KEPT: Final = "gauges"
STATES: Final[tuple[str, ...]] = get_args(CapState)
SUMS: Final = ("issued", "transparent", "sprout", "sapling", "unspendable")

Gauges = dict[str, float]
Made = tuple[int, int, Gauges]
"""The height and the revision of the parallel chains that gauges are of."""


async def chain_gauges(view: View, *, wallets: Sequence[Wallet] = ()) -> Gauges:
    """Samples by name and labels: nodes, supply in zatoshi, caps, what the newest block is; kept until the next one."""
    revision = view.meta.revisions("parallel").get("parallel", 0)
    made: Made | None = view.kept(KEPT, view.tip.height)
    if made is None or made[:2] != (view.tip.height, revision):
        row, states, checks = await asyncio.gather(
            block_row(view, view.tip.height), tiers(view), caps(view, wallets=wallets)
        )
        found = dict([*_block(view, row), *_nodes(states), *_supply(view, row), *_caps(checks)])
        made = view.tip.height, revision, found
        view.keep(KEPT, view.tip.height, made)
    return made[2]


def _block(view: View, row: Document) -> Iterator[tuple[str, float]]:
    yield "payouts_checked", row["payouts_checked"]
    yield "payouts_mismatched", row["payouts_mismatched"]
    yield "difficulty", difficulty_of(view, row)
    yield "transactions", row["txs_total"]
    yield "unspent_outputs", row["txouts"]
    yield "fees_zatoshi", row["fees_total"]


def _nodes(states: Tiers) -> Iterator[tuple[str, float]]:
    for state in states.items:
        for status in ("confirmed", "started", "dos"):
            yield f'nodes{{tier="{state.tier}",status="{status}"}}', getattr(state.nodes, status)
    for state in states.items:
        yield f'payout_zatoshi{{tier="{state.tier}"}}', state.reward


def _supply(view: View, row: Document) -> Iterator[tuple[str, float]]:
    yield 'supply_zatoshi{part="schedule"}', scheduled_issue(view.network, row["_id"])
    for part in SUMS:
        yield f'supply_zatoshi{{part="{part}"}}', row[part]


def _caps(checks: Caps) -> Iterator[tuple[str, float]]:
    for check in checks.checks:
        for state in STATES:
            yield f'cap_state{{cap="{check.name}",state="{state}"}}', int(check.state == state)
    for check in checks.checks:
        if check.headroom is not None:
            yield f'cap_headroom_zatoshi{{cap="{check.name}"}}', check.headroom
