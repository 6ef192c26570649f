"""Coins moving: what a block's coinbase and transfers take from and give to outputs and addresses."""

from __future__ import annotations

from dataclasses import dataclass, field

from indexer.chain.keys import NO_ADDRESS, outkey, outpoint_text
from indexer.chain.scripts import unspendable
from indexer.errors import ChainError
from indexer.parse.columns import COINBASE, EXACT_P2SH, TRANSFER, ParsedBlock, ints
from indexer.state.delta import Coin, LedgerRow

Balance = tuple[int, int, int, int, int]
"""Balance, received: zatoshi; transactions, unspent outputs: counts; the last height that touched the address."""
NOTHING: Balance = (0, 0, 0, 0, -1)


@dataclass(slots=True)
class Coins:
    """The unspent outputs, and what the batch in hand did to them."""

    unspent: dict[bytes, Coin]
    made: dict[bytes, Coin] = field(default_factory=dict)  # by the batch, and still unspent
    spent: dict[bytes, Coin] = field(default_factory=dict)  # by the batch, from before it

    def take(self, outpoint: bytes, height: int) -> Coin:
        """Spend an output; ChainError when there is none."""
        coin = self.unspent.pop(outpoint, None)
        if coin is None:
            raise ChainError(
                f"block {height} spends {outpoint_text(outpoint)}, which is no unspent output: the utxos of this "
                "index are wrong; index from the start with an empty database"
            )
        if self.made.pop(outpoint, None) is None:
            self.spent[outpoint] = coin
        return coin

    def put(self, outpoint: bytes, coin: Coin) -> None:
        """Make an output."""
        self.unspent[outpoint] = self.made[outpoint] = coin


@dataclass(slots=True)
class _Movement:
    """What a block does to one address."""

    delta: int = 0
    received: int = 0
    utxos: int = 0
    positions: list[int] = field(default_factory=list)

    def touch(self, index: int) -> None:
        if not self.positions or self.positions[-1] != index:
            self.positions.append(index)


@dataclass(slots=True)
class BlockTransfers:
    """The coin movements of one block, summed: zatoshi and counts."""

    height: int
    spent: list[Coin] = field(default_factory=list)
    fees: list[int | None] = field(default_factory=list)
    coinbase_value: int = 0
    fee_sum: int = 0
    transparent: int = 0  # change of the sum of unspent outputs
    txouts: int = 0  # change of their number
    sprout: int = 0  # change of the pool
    sapling: int = 0
    unspendable: int = 0
    active: int = 0  # addresses that no block of the day touched before
    movements: dict[bytes, _Movement] = field(default_factory=dict)

    def add(self, block: ParsedBlock, coins: Coins) -> None:
        """Follow every coin of a block, in block order."""
        inputs, outputs = ints(block.input_start, "I"), ints(block.output_start, "I")
        shielded = zip(
            ints(block.sprout_in, "q"), ints(block.sprout_out, "q"), ints(block.value_balances, "q"), strict=True
        )
        values = ints(block.values, "q")
        self.fees = [None] * block.tx_count
        for index, (kind, (sprout_in, sprout_out, sapling_out)) in enumerate(zip(block.kinds, shielded, strict=True)):
            if kind > TRANSFER:
                continue
            taken = self._take(block, range(inputs[index], inputs[index + 1]), index, coins)
            given = self._give(block, index, outputs[index], values[outputs[index] : outputs[index + 1]], coins)
            self.sprout += sprout_in - sprout_out
            self.sapling -= sapling_out
            if kind == COINBASE:
                self.coinbase_value = given
            else:
                self.fees[index] = fee = taken - given + sapling_out + sprout_out - sprout_in
                self.fee_sum += fee

    def _take(self, block: ParsedBlock, inputs: range, index: int, coins: Coins) -> int:
        """Spend the inputs of a transaction; returns their sum."""
        total = 0
        for number in inputs:
            coin = coins.take(block.prevouts[36 * number : 36 * number + 36], self.height)
            self.spent.append(coin)
            total += coin.value
            if coin.address != NO_ADDRESS:
                movement = self._movement(coin.address, index)
                movement.delta -= coin.value
                movement.utxos -= 1
        self.transparent -= total
        self.txouts -= len(inputs)
        return total

    def _give(self, block: ParsedBlock, index: int, first: int, values: tuple[int, ...], coins: Coins) -> int:
        """Make the outputs of a transaction; returns their sum, unspendable ones included."""
        if self.height == 0:  # the genesis output never enters the set (main.cpp: ConnectBlock)
            return sum(values)
        txid, base = block.txid(index), outkey(self.height, index, 0)
        for vout, value in enumerate(values):
            output = first + vout
            form = block.forms[output]
            if form > EXACT_P2SH and unspendable(block.script(output)):
                self.unspendable += value
                continue
            address = block.addresses[21 * output : 21 * output + 21]
            coins.put(txid + vout.to_bytes(4, "big"), Coin(base | vout, address, value, form))
            self.transparent += value
            self.txouts += 1
            if address != NO_ADDRESS:
                movement = self._movement(address, index)
                movement.delta += value
                movement.received += value
                movement.utxos += 1
        return sum(values)

    def _movement(self, address: bytes, index: int) -> _Movement:
        movement = self.movements.get(address)
        if movement is None:
            movement = self.movements[address] = _Movement()
        movement.touch(index)
        return movement

    def settle(self, balances: dict[bytes, Balance], day: int) -> tuple[LedgerRow, ...]:
        """Book the movements on the balances; the ledger rows of the block. ``day``: the first height of its day."""
        entries = []
        for address, movement in self.movements.items():
            balance, received, tx_count, utxo_count, touched = balances.get(address, NOTHING)
            self.active += touched < day
            after = (
                balance + movement.delta,
                received + movement.received,
                tx_count + len(movement.positions),
                utxo_count + movement.utxos,
            )
            balances[address] = (*after, self.height)
            entries.append(LedgerRow(address, self.height, *after, tuple(movement.positions)))
        return tuple(entries)
