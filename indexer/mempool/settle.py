"""Which unconfirmed transactions can be told whole: those whose every input and node is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from indexer.chain.params import Network
from indexer.parse.columns import NODE_CONFIRM, NODE_START, ParsedTransaction
from indexer.state.delta import Coin, NodeRow
from indexer.state.reader import Reader
from indexer.store.base import Document
from indexer.store.codec import slices
from indexer.store.unconfirmed import Paid, confirm_row, output_of, start_row, transfer_row

Rows = Mapping[bytes, Document]


def settle(
    waiting: Mapping[bytes, ParsedTransaction], rows: Rows, reader: Reader, network: Network, height: int
) -> dict[bytes, Document]:
    """The rows of those waiting transactions (by txid) that spend only what is known, parents before children.

    Known are the committed outputs and nodes, and the outputs of the transactions that are in ``rows`` or settle
    now. What an output says never changes, so that it does not matter which block the store is at; ``height`` is
    the block that a START may be mined in.
    """
    known = _Known(reader, waiting, rows, network, height)
    settled: dict[bytes, Document] = {}
    left = dict(waiting)
    while ready := {txid: row for txid, tx in left.items() if (row := known.row(tx, settled)) is not None}:
        settled |= ready
        left = {txid: tx for txid, tx in left.items() if txid not in ready}
    return settled


class _Known:
    """What a round of settling looks up, asked of the store once."""

    def __init__(
        self, reader: Reader, waiting: Mapping[bytes, ParsedTransaction], rows: Rows, network: Network, height: int
    ) -> None:
        needed = {point for tx in waiting.values() for point in _needed(tx)}
        points = {point for point in needed if point[:32] not in rows and point[:32] not in waiting}
        confirmed = {tx.confirm.outpoint for tx in waiting.values() if tx.confirm is not None}
        self._rows, self._network, self._height = rows, network, height
        self._coins: Mapping[bytes, Coin] = reader.coins(points) if points else {}
        self._nodes: Mapping[bytes, NodeRow] = reader.nodes_by_outpoint(confirmed) if confirmed else {}

    def row(self, tx: ParsedTransaction, settled: Rows) -> Document | None:
        """The row of a transaction, or None while something that it names is unknown."""
        if tx.kind == NODE_START and tx.start is not None:
            coin = self._coins.get(tx.start.outpoint)
            return None if coin is None else start_row(tx, tx.start, coin, self._network, self._height)
        if tx.kind == NODE_CONFIRM and tx.confirm is not None:
            node = self._nodes.get(tx.confirm.outpoint)
            return None if node is None else confirm_row(tx, tx.confirm, node)
        spent = [self._spent(point, settled) for point in slices(tx.prevouts, 36)]
        return transfer_row(tx, [paid for paid in spent if paid is not None]) if None not in spent else None

    def _spent(self, point: bytes, settled: Rows) -> Paid | None:
        parent = self._rows.get(point[:32]) or settled.get(point[:32])
        if parent is not None:
            return output_of(parent, int.from_bytes(point[32:], "big"))
        coin = self._coins.get(point)
        return None if coin is None else (coin.address, coin.value)


def _needed(tx: ParsedTransaction) -> Iterator[bytes]:
    yield from slices(tx.prevouts, 36)
    if tx.start is not None:
        yield tx.start.outpoint
