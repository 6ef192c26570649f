"""What an address held when the parallel chains were launched: their coins were first given out by such balances."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from explorer.db import View
from explorer.queries.balances import floors
from explorer.queries.entitlements import chains_of
from explorer.queries.text import address_key
from explorer.queries.units import Address, Height, Zatoshi


@dataclass(frozen=True, slots=True)
class SnapshotBalance:
    """A balance after the block of a chain's snapshot; None while that is unknown, or not reached."""

    chain: str
    name: str
    asset: str
    snapshot_height: Height | None
    balance: Zatoshi | None


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The balances of an address at the snapshots of all parallel chains."""

    address: Address
    items: tuple[SnapshotBalance, ...]


async def snapshots(view: View, text: str) -> Snapshots:
    """The balance of an address at each chain's snapshot, exactly, from the ledger."""
    key = address_key(text, view.network)
    chains = [known.chain for known in chains_of(view).chains]
    heights = sorted({c.snapshot_height for c in chains if c.snapshot_height is not None})
    reached = [height for height in heights if height <= view.tip.height]
    rows = await asyncio.gather(*(floors(view, [key], height) for height in reached))
    held = {height: row[0]["b"] if row else 0 for height, row in zip(reached, rows, strict=True)}
    return Snapshots(
        text,
        tuple(
            SnapshotBalance(c.key, c.name, c.asset, c.snapshot_height, held.get(c.snapshot_height or -1))
            for c in chains
        ),
    )
