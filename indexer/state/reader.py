"""What the state asks of the store: reads in batches, nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from indexer.state.delta import Coin, NodeRow, TipMark, Totals


class Reader(Protocol):
    """The store as the state sees it: everything at or below the committed tip."""

    def tip(self) -> TipMark:
        """The last committed block."""

    def totals(self) -> Totals:
        """The running totals of the last committed block."""

    def hash_at(self, height: int) -> bytes | None:
        """The hash of a committed block, wire order; None when there is no such height."""

    def coins(self, outpoints: Collection[bytes]) -> dict[bytes, Coin]:
        """Those of the outputs that are unspent."""

    def balances(self, addresses: Collection[bytes]) -> dict[bytes, tuple[int, int, int, int, int]]:
        """Balance, received, transactions, unspent outputs and last height of the addresses that were ever used."""

    def live_nodes(self) -> Iterable[NodeRow]:
        """All nodes that are started, confirmed or on the DoS list."""

    def nodes_by_outpoint(self, outpoints: Collection[bytes]) -> dict[bytes, NodeRow]:
        """Those of the nodes that were ever started, whatever became of them."""
