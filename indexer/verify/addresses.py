"""Addresses derived once more, whole, from the transactions that their ledger rows name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from indexer.chain.keys import VOUT_BITS, outkey_height, outpoint, outpoint_text, txkey
from indexer.store.base import Document
from indexer.store.codec import LedgerRow, Transaction, ledger_row, transaction_row, utxo_row
from indexer.verify.finding import Finding, Findings
from indexer.verify.movements import never_spent
from indexer.verify.view import View

CHUNK = 500  # ledger rows whose transactions are read together
COINS_TOGETHER = 20_000  # coins that are derived before they are compared with the stored ones


class _Coin(NamedTuple):
    outpoint: bytes
    value: int

    def __str__(self) -> str:
        return f"{outpoint_text(self.outpoint)} of {self.value}"


@dataclass(slots=True)
class _Account:
    """An address as its transactions make it: zatoshi, counts, and the coins left by outkey."""

    address: bytes
    balance: int = 0
    received: int = 0
    tx_count: int = 0
    coins: dict[int, _Coin] = field(default_factory=dict)

    def book(self, row: Transaction) -> bool:
        """Follow a transaction; whether it touches the address."""
        touched = False
        for spent in row.inputs:
            if spent.address == self.address:
                touched = True
                self.balance -= spent.value
                self.coins.pop(spent.outkey, None)
        for vout, output in enumerate(row.outputs):
            if output.address == self.address and not never_spent(output):
                touched = True
                self.balance += output.value
                self.received += output.value
                self.coins[row.key << VOUT_BITS | vout] = _Coin(outpoint(row.txid, vout), output.value)
        self.tx_count += touched
        return touched


def check_addresses(view: View, findings: Findings, sample: Iterable[bytes] | None) -> str:
    """Derive the addresses of a sample, or all of them; returns how much was looked at."""
    derivation = _Derivation(view, findings)
    rows = _rows(view, sample)
    while chunk := list(islice(rows, CHUNK)):
        derivation.add(chunk)
    derivation.end()
    return f"{derivation.addresses:,} addresses, {derivation.rows:,} ledger rows"


def _rows(view: View, sample: Iterable[bytes] | None) -> Iterator[LedgerRow]:
    """The ledger rows of the view, address by address."""
    if sample is None:
        documents = view.told(view.store.scan("ledger"), "addresses", 0, "ledger row")
    else:
        chosen = sorted(sample)
        told = view.told(chosen, "addresses", len(chosen), "address")
        documents = chain.from_iterable(view.store.scan("ledger", a + bytes(4), a + b"\xff" * 4) for a in told)
    return (row for row in map(ledger_row, documents) if row.height <= view.height)


class _Derivation:
    """The accounts of one address after the other."""

    def __init__(self, view: View, findings: Findings) -> None:
        self.addresses = self.rows = 0
        self._view, self._findings = view, findings
        self._account: _Account | None = None
        self._closed: dict[bytes, dict[int, _Coin]] = {}  # coins of accounts that wait to be compared
        self._waiting = 0

    def add(self, rows: list[LedgerRow]) -> None:
        """Follow some more ledger rows, in the order of addresses."""
        keys = [txkey(row.height, position) for row in rows for position in row.positions]
        found = {row.key: row for row in map(transaction_row, self._view.store.find("transactions", "_id", keys))}
        for row in rows:
            if self._account is None or self._account.address != row.address:
                self._close()
                self._account = _Account(row.address)
                self.addresses += 1
            self._book(self._account, row, found)
        self.rows += len(rows)

    def end(self) -> None:
        """The last row is in."""
        self._close()
        self._compare_coins()

    def _book(self, account: _Account, row: LedgerRow, found: dict[int, Transaction]) -> None:
        where = f"{row.address.hex()} at block {row.height}"
        for position in row.positions:
            transaction = found.get(txkey(row.height, position))
            if transaction is None:
                self._found("transactions", f"{position} of block {row.height}", "the row", "present", None, row.height)
            elif not account.book(transaction):
                self._found("ledger", where, "x", "a transaction that touches it", position, row.height)
        derived = {"b": account.balance, "r": account.received, "n": account.tx_count, "u": len(account.coins)}
        stored = {"b": row.balance, "r": row.received, "n": row.tx_count, "u": row.utxo_count}
        self._findings.compare("ledger", where, derived, stored, row.height)
        # From here on as stored: one wrong row is one finding, not one for each row after it.
        account.balance, account.received, account.tx_count = row.balance, row.received, row.tx_count

    def _found(self, collection: str, id: str, what: str, expected: object, found: object, height: int) -> None:
        self._findings.add(Finding(collection, id, what, expected, found, height))

    def _close(self) -> None:
        if self._account is None:
            return
        self._closed[self._account.address] = self._account.coins
        self._waiting += 1 + len(self._account.coins)
        if self._waiting > COINS_TOGETHER:
            self._compare_coins()

    def _compare_coins(self) -> None:
        """Compare the coins that the transactions left with the stored ones."""
        stored = self._view.fenced(self._stored_coins)
        for address, derived in self._closed.items():
            for outkey in sorted(derived.keys() | stored[address].keys()):
                expected, found = derived.get(outkey), stored[address].get(outkey)
                if expected != found:
                    self._found("utxos", f"of {address.hex()}", "coin", expected, found, outkey_height(outkey))
        self._closed, self._waiting = {}, 0

    def _stored_coins(self, tip: Document) -> dict[bytes, dict[int, _Coin]]:
        coins: dict[bytes, dict[int, _Coin]] = {address: {} for address in self._closed}
        for row in map(utxo_row, self._view.store.find("utxos", "a", list(self._closed))):
            if row.outkey < self._view.outkeys:
                coins[row.address][row.outkey] = _Coin(row.outpoint, row.value)
        for spent in self._view.spent_since(tip):
            if spent.address in coins:
                coins[spent.address][spent.outkey] = _Coin(spent.outpoint, spent.value)
        return coins
