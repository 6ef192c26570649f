"""Fees: the daemon's estimate, or what it demands to relay where it has none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from explorer.api.json import amount_text
from explorer.daemon import Daemon
from explorer.errors import BadRequest, UpstreamUnavailable
from indexer.chain.params import COIN
from indexer.errors import Refused

MOST_TARGETS: Final = 32
MOST_BLOCKS: Final = 1008
BYTES_PER_RATE: Final = 1000


async def fee_rates(daemon: Daemon, targets: Sequence[int]) -> list[int]:
    """For each number of blocks to wait, the fee in zatoshi per 1000 bytes.

    Blocks are far from full, so that the daemon seldom has an estimate: then it is what it asks to relay at all
    (``getnetworkinfo``). BadRequest for too many targets.
    """
    if not 1 <= len(targets) <= MOST_TARGETS or not all(1 <= target <= MOST_BLOCKS for target in targets):
        raise BadRequest(f"blocks: expected 1 to {MOST_TARGETS} numbers from 1 to {MOST_BLOCKS}")
    distinct = sorted(set(targets))
    least, *estimates = await asyncio.gather(_least(daemon), *(_estimate(daemon, target) for target in distinct))
    rates = dict(zip(distinct, estimates, strict=True))
    return [max(least, rates[target]) for target in targets]


def fee_of(rate: int, size: int) -> int:
    """The fee in zatoshi of a transaction of ``size`` bytes, rounded up."""
    return -(-rate * size // BYTES_PER_RATE)


def rate_text(rate: int) -> str:
    """A rate in FLUX per 1000 bytes, without trailing zeros, as Blockbook's REST writes it."""
    return amount_text(rate).rstrip("0").rstrip(".")


async def _least(daemon: Daemon) -> int:
    network = await daemon.call("getnetworkinfo")
    try:
        return _zatoshi(network["relayfee"])
    except (KeyError, TypeError, ValueError) as error:
        raise UpstreamUnavailable("the daemon tells no relay fee: ask again later") from error


async def _estimate(daemon: Daemon, target: int) -> int:
    """The daemon's estimate; 0 when it has none."""
    try:
        found = await daemon.call("estimatefee", target)
    except Refused:
        return 0
    return _zatoshi(found) if isinstance(found, int | Decimal) and found > 0 else 0


def _zatoshi(amount: int | Decimal) -> int:
    return int(amount * COIN)
