"""What a first page shows of the chain, as one answer: it follows from the tip, not from the clock."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from explorer.db import View
from explorer.labels import Wallet
from explorer.queries.block_rows import block_row
from explorer.queries.blocks import block, latest_blocks
from explorer.queries.caps import caps
from explorer.queries.node_results import Tiers
from explorer.queries.queues import tiers
from explorer.queries.results import Block, BlockSummary
from explorer.queries.supply import supply
from explorer.queries.supply_results import Caps, Supply
from explorer.queries.units import Bytes

LATEST: Final = 12


@dataclass(frozen=True, slots=True)
class PayoutChecks:
    """The payouts that the node queue predicted so far, and those that a coinbase did not pay."""

    checked: int
    mismatched: int


@dataclass(frozen=True, slots=True)
class WaitingSum:
    """How many transactions wait for a block, and their size together."""

    count: int
    bytes: Bytes


@dataclass(frozen=True, slots=True)
class Home:
    """The newest block with its payouts, those before it, tiers, supply, caps; ``mempool`` null while unknown.

    ``spacing_seconds`` is the mean between the latest blocks, null with only one.
    """

    block: Block
    latest: tuple[BlockSummary, ...]
    spacing_seconds: int | None
    payouts: PayoutChecks
    tiers: Tiers
    supply: Supply
    caps: Caps
    mempool: WaitingSum | None
    reorgs: int


async def home(view: View, *, wallets: Sequence[Wallet] = ()) -> Home:
    """What a first page shows; ``wallets`` are those of the bridge."""
    tip, latest, states, coins, checks, row = await asyncio.gather(
        block(view, view.tip.height),
        latest_blocks(view, limit=LATEST),
        tiers(view),
        supply(view, wallets=wallets),
        caps(view, wallets=wallets),
        block_row(view, view.tip.height),
    )
    pool = view.pool
    return Home(
        block=tip,
        latest=latest.items,
        spacing_seconds=spacing(latest.items),
        payouts=PayoutChecks(row["payouts_checked"], row["payouts_mismatched"]),
        tiers=states,
        supply=coins,
        caps=checks,
        mempool=None if pool is None else WaitingSum(pool.count, pool.bytes),
        reorgs=view.tip.reorgs,
    )


def spacing(latest: Sequence[BlockSummary]) -> int | None:
    """Mean seconds between blocks, newest first; None for fewer than two."""
    if len(latest) < 2:
        return None
    return max(0, latest[0].time - latest[-1].time) // (len(latest) - 1)
