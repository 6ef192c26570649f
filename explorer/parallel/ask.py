"""One reading of one chain: its reader, its endpoints one after the other, and how long each may take."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from explorer.parallel.algorand import AlgorandReader
from explorer.parallel.base import ParallelChain, Reader, Reading
from explorer.parallel.ergo import ErgoReader
from explorer.parallel.evm import EvmReader
from explorer.parallel.fetch import Fetcher, Throttled, host_of
from explorer.parallel.kadena import KadenaReader
from explorer.parallel.solana import SolanaReader
from explorer.parallel.tron import TronReader
from indexer.errors import SourceError, Unreachable

LONGEST_REASON: Final = 400
MOST_READINGS: Final = 4  # to find two equal ones in a row


class Failed(SourceError):
    """No endpoint of a chain gave a reading; the message says why each did not."""


@dataclass(slots=True)
class Rests:
    """Until when (Unix seconds) each endpoint of a chain wants to be left alone."""

    until: list[float]

    def are_over(self, number: int, now: float) -> bool:
        """Whether an endpoint may be asked."""
        return self.until[number] <= now


class Asker:
    """Asks chains; remembers which endpoint of each answered last, and begins with that one."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._fetcher = Fetcher(timeout)
        self._readers: Mapping[str, Reader] = {
            "evm": EvmReader(self._fetcher),
            "tron": TronReader(self._fetcher),
            "solana": SolanaReader(self._fetcher),
            "kadena": KadenaReader(self._fetcher),
            "ergo": ErgoReader(self._fetcher),
            "algorand": AlgorandReader(self._fetcher),
        }
        self._first: dict[str, int] = {}

    async def close(self) -> None:
        """Drop the connections."""
        await self._fetcher.close()

    def is_of_one_block(self, chain: ParallelChain) -> bool:
        """Whether one reading of a chain cannot be torn."""
        return self._readers[chain.kind].of_one_block

    async def steady(self, chain: ParallelChain, rests: Rests, now: float) -> Reading:
        """A reading that cannot be torn: of one block, or equal to the one before it. Raises Failed."""
        found = await self.once(chain, rests, now)
        if self.is_of_one_block(chain):
            return found
        for _ in range(MOST_READINGS - 1):
            before, found = found, await self.once(chain, rests, now)
            if same(before, found):
                return found
        raise Failed(f"its balances moved during each of {MOST_READINGS} readings")

    async def once(self, chain: ParallelChain, rests: Rests, now: float) -> Reading:
        """What the first endpoint that answers says; ``rests`` learns which asked to be left alone. Raises Failed."""
        problems = []
        for number in self._order(chain):
            endpoint = chain.endpoints[number]
            if not rests.are_over(number, now):
                problems.append(f"{host_of(endpoint)} asked to be left alone for now")
                continue
            try:
                found = await self._at(chain, endpoint, int(now))
            except SourceError as error:
                if isinstance(error, Throttled) and error.seconds is not None:
                    rests.until[number] = now + error.seconds
                problems.append(str(error))
            else:
                self._first[chain.key] = number
                return found
        raise Failed(_joined(problems))

    async def _at(self, chain: ParallelChain, endpoint: str, now: int) -> Reading:
        try:
            async with asyncio.timeout(self._timeout):  # of the whole: an answer may also come byte by byte
                return await self._readers[chain.kind].read(chain, endpoint, now)
        except TimeoutError:
            raise Unreachable(f"{host_of(endpoint)} took more than {self._timeout:g} seconds") from None

    def _order(self, chain: ParallelChain) -> Iterator[int]:
        count, first = len(chain.endpoints), self._first.get(chain.key, 0)
        return ((first + step) % count for step in range(count))


def same(one: Reading, other: Reading) -> bool:
    """Whether nothing moved between two readings."""
    return (one.minted, one.held) == (other.minted, other.held)


def _joined(problems: Sequence[str]) -> str:
    text = "; ".join(dict.fromkeys(problems))
    return text if len(text) <= LONGEST_REASON else f"{text[:LONGEST_REASON]}…"
