"""What stored transactions say of addresses and pools: the sums that other rows must agree with."""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.chain.keys import NO_ADDRESS, txkey_height, txkey_index
from indexer.chain.scripts import unspendable
from indexer.parse.columns import COINBASE, TRANSFER
from indexer.store.base import Document
from indexer.store.codec import Output, Transaction, is_odd, transaction_row


@dataclass(slots=True)
class Movement:
    """What a block does to one address: zatoshi, change of the number of coins, positions in the block."""

    delta: int = 0
    received: int = 0
    coins: int = 0
    positions: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Sums:
    """What the stored transactions of one block add up to: zatoshi and counts."""

    coinbase_value: int = 0
    fees: int = 0
    transparent: int = 0
    txouts: int = 0
    sprout: int = 0
    sapling: int = 0
    unspendable: int = 0
    movements: dict[bytes, Movement] = field(default_factory=dict)

    def add(self, document: Document) -> Transaction:
        """Add a stored transaction; returns its row."""
        row = transaction_row(document)
        if row.kind <= TRANSFER:
            self._add(row)
        return row

    def _add(self, row: Transaction) -> None:
        index = txkey_index(row.key)
        for spent in row.inputs:
            self._move(spent.address, index, -spent.value, -1)
        for output in coins_of(row):
            self._move(output.address, index, output.value, 1)
        given = sum(output.value for output in row.outputs)
        self.unspendable += sum(o.value for o in row.outputs if never_spent(o)) if txkey_height(row.key) else 0
        if row.shielded is not None:
            self.sprout += row.shielded.sprout_in - row.shielded.sprout_out
            self.sapling -= row.shielded.value_balance
        if row.kind == COINBASE:
            self.coinbase_value += given
        else:
            self.fees += fee_of(row)

    def _move(self, address: bytes, index: int, value: int, coins: int) -> None:
        self.transparent += value
        self.txouts += coins
        if address == NO_ADDRESS:
            return
        movement = self.movements.setdefault(address, Movement())
        movement.delta += value
        movement.received += max(value, 0)
        movement.coins += coins
        if movement.positions[-1:] != [index]:
            movement.positions.append(index)


def never_spent(output: Output) -> bool:
    """Whether an output never enters the set of unspent ones."""
    return is_odd(output.form) and unspendable(output.script)


def coins_of(row: Transaction) -> list[Output]:
    """The outputs that a transaction adds to the set; the genesis block adds none (``main.cpp: ConnectBlock``)."""
    return [output for output in row.outputs if not never_spent(output)] if txkey_height(row.key) else []


def fee_of(row: Transaction) -> int:
    """What goes in less what comes out, pools included, in zatoshi."""
    fee = sum(spent.value for spent in row.inputs) - sum(output.value for output in row.outputs)
    if row.shielded is not None:
        fee += row.shielded.value_balance + row.shielded.sprout_out - row.shielded.sprout_in
    return fee
