"""The difficulty that the next block must have."""

from __future__ import annotations

from explorer.db import View
from indexer.chain.params import pon_active
from indexer.chain.pon import difficulty, next_bits


async def next_difficulty(view: View) -> float:
    """As ``getdifficulty`` tells it; before Proof of Node, whose rule alone the index can follow, that of the tip."""
    height, window = view.tip.height + 1, view.network.pon.window
    first = max(height - window, 0)
    by_height = await view.rows("blocks", (first, view.tip.height))
    tip = by_height[view.tip.height]
    bits = tip["bits"]
    if pon_active(view.network, height):
        bits = next_bits(view.network, height, bits, tip["time"] - by_height[first]["time"])
    return float(f"{difficulty(view.network, bits):.16g}")
