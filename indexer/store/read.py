"""What the state asks of the store, in the state's own words (``state.reader.Reader``)."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from indexer.state.delta import Coin, NodeRow, TipMark, Totals
from indexer.store.base import Document, Store
from indexer.store.codec import utxo_row
from indexer.store.commit import TIP
from indexer.store.encode import NODE_FIELDS

LIVE_STATUSES = (1, 2, 3)  # started, confirmed, DoS


class StoreReader:
    """The committed chain; only valid while its owner is the writer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def tip(self) -> TipMark:
        """The last committed block; height -1 when there is none."""
        document = self._store.meta(TIP)
        return TipMark() if document is None else TipMark(document["height"], bytes(document["hash"]), document["time"])

    def totals(self) -> Totals:
        """The running totals of the last committed block."""
        height = self.tip().height
        for block in self._store.scan("blocks", height, height + 1):
            return Totals(**{name: block[name] for name in Totals.__dataclass_fields__})
        return Totals()

    def hash_at(self, height: int) -> bytes | None:
        """The hash of a committed block, wire order; None when there is no such height."""
        if height > self.tip().height:
            return None
        return next((bytes(block["hash"]) for block in self._store.scan("blocks", height, height + 1)), None)

    def coins(self, outpoints: Collection[bytes]) -> dict[bytes, Coin]:
        """Those of the outputs that are unspent."""
        rows = map(utxo_row, self._store.find("utxos", "_id", list(outpoints)))
        return {row.outpoint: Coin(row.outkey, row.address, row.value, row.form) for row in rows}

    def balances(self, addresses: Collection[bytes]) -> dict[bytes, tuple[int, int, int, int, int]]:
        """Balance, received, transactions, unspent outputs and last height of the addresses that were ever used."""
        bounds = [(address + bytes(4), address + b"\xff\xff\xff\xff") for address in addresses]
        found = {}
        for row in self._store.floors("ledger", bounds):
            key = bytes(row["_id"])
            found[key[:21]] = (row["b"], row["r"], row["n"], row["u"], int.from_bytes(key[21:], "big"))
        return found

    def live_nodes(self) -> Iterable[NodeRow]:
        """All nodes that are started, confirmed or on the DoS list."""
        return map(node_row, self._store.find("nodes", "status", LIVE_STATUSES))

    def nodes_by_outpoint(self, outpoints: Collection[bytes]) -> dict[bytes, NodeRow]:
        """Those of the nodes that were ever started, whatever became of them."""
        rows = map(node_row, self._store.find("nodes", "outpoint", list(outpoints)))
        return {row.outpoint: row for row in rows}


def node_row(document: Document) -> NodeRow:
    """A stored node."""
    fields = {name: document[name] for name in NODE_FIELDS}
    for name in ("outpoint", "payee", "pubkey"):
        fields[name] = bytes(fields[name])
    fields["ip"] = fields["ip"].encode("latin-1")
    fields["delegates"] = tuple(map(bytes, fields["delegates"]))
    return NodeRow(document["_id"], **fields)
