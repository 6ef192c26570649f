"""Parallel chains for tests, with the issuer addresses of the main net's where a test needs no others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from explorer.parallel.ask import Asker, Rests
from explorer.parallel.base import Issuer, ParallelChain, Reading
from explorer.parallel.chains import PACKAGED, read_chains

MAIN = {chain.key: chain for chain in read_chains(PACKAGED).chains}
TIMEOUT = 2.0  # seconds


def at(key: str, *urls: str, **more: Any) -> ParallelChain:
    """A chain of the main net, asked at other endpoints."""
    return replace(MAIN[key], endpoints=urls, **more)


def issuers(addresses: Sequence[str]) -> tuple[Issuer, ...]:
    """Issuer addresses with roles."""
    roles = ("SNAPSHOT", "MINING", "SWAP", "LOCKED", "LOCKED SNAPSHOT", "LOCKED MINING")
    return tuple(Issuer(roles[n % 6], address) for n, address in enumerate(addresses))


def read(chain: ParallelChain, timeout: float = TIMEOUT, steady: bool = False) -> Reading:
    """One reading of a chain by all of its endpoints, or a steady one."""

    async def ask() -> Reading:
        asker = Asker(timeout)
        try:
            one = asker.steady if steady else asker.once
            return await one(chain, Rests([0.0] * len(chain.endpoints)), 0.0)
        finally:
            await asker.close()

    return asyncio.run(ask())
