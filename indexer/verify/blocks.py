"""Single blocks derived once more from their stored transactions: merkle root, sums, payouts, what they spent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexer.chain.eras import day_begin
from indexer.chain.hashes import merkle_root, sha256d
from indexer.chain.keys import outkey_txkey, outkey_vout, outpoint, outpoint_text, txkey_index
from indexer.chain.params import Network
from indexer.chain.payouts import CoinbaseOutput, judge_coinbase
from indexer.errors import MerkleMismatch
from indexer.parse.columns import EXACT_P2SH, NODE_START
from indexer.store.base import Document
from indexer.store.codec import (
    Input,
    Transaction,
    confirm_bytes,
    confirm_rows,
    ledger_id,
    ledger_row,
    transaction_outputs,
)
from indexer.verify.finding import Finding, Findings
from indexer.verify.movements import Sums, fee_of
from indexer.verify.view import View

RUNNING = ("transparent", "txouts", "sprout", "sapling", "unspendable")


def check_blocks(view: View, findings: Findings, network: Network, heights: Sequence[int]) -> str:
    """Derive the blocks at these heights; returns how much was looked at."""
    transactions = 0
    for height in view.told(heights, "blocks", len(heights), "block"):
        rows = {row["_id"]: row for row in view.store.scan("blocks", max(height - 1, 0), height + 1)}
        if height in rows:
            before = rows.get(height - 1, dict.fromkeys((*RUNNING, "active_total"), 0))
            transactions += _Block(view, findings, height, rows[height]).check(network, before)
    return f"{len(heights):,} blocks, {transactions:,} transactions"


class _Block:
    """A block as its transactions make it, next to its stored row."""

    def __init__(self, view: View, findings: Findings, height: int, stored: Document) -> None:
        self.view, self.findings = view, findings
        self.height, self.stored = height, stored
        self.sums = Sums()
        self.rows = [self.sums.add(document) for document in view.transactions(height, height + 1)]

    def check(self, network: Network, before: Document) -> int:
        """All of it; returns how many transactions the block has."""
        txids = self._txids()
        expected = self._expected(txids, before)
        expected["active_total"] = before["active_total"] + self._newly_active(day_begin(network, self.height))
        self._compare("blocks", self.height, expected, dict(self.stored))
        self._check_hints(txids)
        self._check_fees()
        self._check_ledger()
        self._check_spent([spent for row in self.rows for spent in row.inputs])
        self._check_payouts(network)
        return len(txids)

    def _compare(self, collection: str, id: object, expected: dict[str, Any], found: dict[str, Any]) -> None:
        self.findings.compare(collection, id, expected, found, self.height)

    def _found(self, collection: str, id: object, what: str, expected: Any, found: Any) -> None:
        self.findings.add(Finding(collection, str(id), what, expected, found, self.height))

    def _txids(self) -> dict[int, bytes]:
        """The txid at each position: the stored ones, and those of the confirmations from their columns."""
        txids = {txkey_index(row.key): row.txid for row in self.rows}
        for document in self.view.store.scan("node_confirms", self.height, self.height + 1):
            points = {n["_id"]: bytes(n["outpoint"]) for n in self.view.store.find("nodes", "_id", document["nodes"])}
            for confirm in confirm_rows(document):
                if confirm.node in points:
                    txids[confirm.index] = sha256d(confirm_bytes(confirm, points[confirm.node]))
                else:
                    self._found("node_confirms", self.height, "node", "a row of nodes", confirm.node)
        return txids

    def _expected(self, txids: dict[int, bytes], before: Document) -> dict[str, Any]:
        """What the stored row of the block must say."""
        starts = sum(row.kind == NODE_START for row in self.rows)
        ordered = [txids[index] for index in sorted(txids)]
        try:
            root = merkle_root(ordered)
        except MerkleMismatch:
            root = b""
        return {
            "tx_count": len(txids),
            "merkle_root": root,
            "starts": starts,
            "confirms": len(txids) - len(self.rows),
            "fees": self.sums.fees,
            "coinbase_value": self.sums.coinbase_value,
            **{name: before[name] + getattr(self.sums, name) for name in RUNNING},
        }

    def _newly_active(self, day: int) -> int:
        """How many of the addresses that the block touches no earlier block of its day touched."""
        addresses = self.sums.movements
        earlier = [(ledger_id(address, day), ledger_id(address, self.height - 1)) for address in addresses]
        known = self.view.store.floors("ledger", earlier) if self.height > day else ()
        return len(addresses) - sum(1 for _ in known)

    def _check_hints(self, txids: dict[int, bytes]) -> None:
        """The prefixes begin with those of the txids and have one more for each node transaction."""
        expected = [int.from_bytes(txids[index][:4], "little", signed=True) for index in sorted(txids)]
        node_transactions = self.stored["starts"] + self.stored["confirms"]
        rows = self.view.store.scan("txids", self.height, self.height + 1)
        hints: list[int] = next((row["prefixes"] for row in rows), [])
        if list(hints[: len(expected)]) != expected:
            wrong = next((i for i, (a, b) in enumerate(zip(expected, hints, strict=False)) if a != b), len(hints))
            self._found("txids", self.height, f"prefix {wrong}", expected[wrong : wrong + 1], hints[wrong : wrong + 1])
        elif len(hints) != len(expected) + node_transactions:
            self._found("txids", self.height, "length", len(expected) + node_transactions, len(hints))

    def _check_fees(self) -> None:
        for row in self.rows:
            if row.fee is not None and row.fee != fee_of(row):
                self._found("transactions", row.key, "fee", fee_of(row), row.fee)

    def _check_ledger(self) -> None:
        """Every address that the block touches has a ledger row that names the same transactions."""
        ids = {ledger_id(address, self.height): address for address in self.sums.movements}
        found = {row.address: row for row in map(ledger_row, self.view.store.find("ledger", "_id", list(ids)))}
        for address, movement in self.sums.movements.items():
            where = f"{address.hex()} at block {self.height}"
            row = found.get(address)
            if row is None:
                self._found("ledger", where, "the row", "present", None)
            elif row.positions != tuple(movement.positions):
                self._found("ledger", where, "x", movement.positions, list(row.positions))

    def _check_spent(self, inputs: list[Input]) -> None:
        """Every input repeats the output that it spends."""
        keys = list({outkey_txkey(spent.outkey) for spent in inputs})
        makers = {document["_id"]: document for document in self.view.store.find("transactions", "_id", keys)}
        outputs = {key: list(transaction_outputs(document)) for key, document in makers.items()}
        txids = {key: bytes(document["txid"]) for key, document in makers.items()}
        for spent in inputs:
            key, vout = outkey_txkey(spent.outkey), outkey_vout(spent.outkey)
            made = [
                (outpoint_text(outpoint(txids[key], vout)), output.address.hex(), output.value)
                for output in outputs.get(key, [])[vout : vout + 1]
            ]
            named = (outpoint_text(spent.outpoint), spent.address.hex(), spent.value)
            if made != [named]:
                self._found("transactions", f"of block {self.height}", "input", made[0] if made else None, named)

    def _check_payouts(self, network: Network) -> None:
        """The stored judgement is the one that the stored coinbase deserves."""
        for document in self.view.store.scan("payouts", self.height, self.height + 1):
            coinbase = next((row for row in self.rows if txkey_index(row.key) == 0), None)
            if coinbase is None:
                return  # the merkle root has told
            payees = list(zip(document["tiers"], map(bytes, document["payees"]), strict=True))
            judged = judge_coinbase(network, self.height, _outputs(coinbase), payees, self.sums.fees)
            expected = {
                "checked": judged.checked,
                "amounts": [payout.amount for payout in judged.payouts],
                "vouts": [-1 if payout.vout is None else payout.vout for payout in judged.payouts],
                "funds": list(judged.funds),
            }
            self._compare("payouts", self.height, expected, dict(document))


def _outputs(coinbase: Transaction) -> list[CoinbaseOutput]:
    return [CoinbaseOutput(o.value, o.address, o.form <= EXACT_P2SH) for o in coinbase.outputs]
