"""The unconfirmed transactions of the simulated daemon, and the coins as they will be once those are mined."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from indexer.chain.keys import NO_ADDRESS, is_coinbase, outkey_height
from indexer.demo.chain import DemoChain
from indexer.demo.rules import (
    ALREADY_IN_CHAIN,
    DECODE_FAILED,
    MISSING_INPUTS,
    RpcError,
    check_layout,
    check_node,
    rejected,
)
from indexer.demo.serialize import Wire
from indexer.errors import ParseError
from indexer.parse import parse_transaction
from indexer.parse.columns import COINBASE, NODE_START, TRANSFER, ParsedBlock, ParsedTransaction, ints
from indexer.state.delta import Coin

MOST_BYTES = 1_900_000  # of transactions in a block: room is left for header and coinbase


@dataclass(frozen=True, slots=True)
class Entry:
    """A transaction that waits: its fee in zatoshi, when it came, and the txids it depends on."""

    tx: ParsedTransaction
    fee: int
    time: int
    height: int
    depends: tuple[bytes, ...]


class Mempool:
    """Transactions that the next block may hold, in the order of their coming: parents before children."""

    def __init__(self, chain: DemoChain) -> None:
        self._chain = chain
        self.entries: dict[bytes, Entry] = {}
        self._spenders: dict[bytes, bytes] = {}  # outpoint -> txid
        self._nodes: dict[bytes, bytes] = {}  # collateral -> txid of its START or CONFIRM
        self._made: dict[bytes, Coin] = {}
        self._made_for: dict[bytes, dict[bytes, Coin]] = {}

    # -- the coins

    def coin(self, point: bytes) -> Coin | None:
        """An output that nothing spends, confirmed or not; the outkey of an unconfirmed one is -1."""
        if point in self._spenders:
            return None
        return self._chain.coins.get(point) or self._made.get(point)

    def coins_of(self, address: bytes) -> Iterator[tuple[bytes, Coin]]:
        """What an address can spend in the next block, confirmed coins first."""
        height = self._chain.height + 1
        for point, coin in self._chain.coins_of.get(address, {}).items():
            if point not in self._spenders and self._mature(coin, height):
                yield point, coin
        for point, coin in self._made_for.get(address, {}).items():
            if point not in self._spenders:
                yield point, coin

    def has_node(self, outpoint: bytes) -> bool:
        """Whether a START or CONFIRM of this collateral waits."""
        return outpoint in self._nodes

    def unconfirmed(self) -> list[tuple[bytes, Coin]]:
        """Outputs of waiting transactions that nothing spends yet."""
        return [(point, coin) for point, coin in self._made.items() if point not in self._spenders]

    def _mature(self, coin: Coin, height: int) -> bool:
        maturity = self._chain.network.coinbase_maturity
        return not is_coinbase(coin.outkey) or height - outkey_height(coin.outkey) >= maturity

    # -- coming

    def accept(self, raw: bytes) -> bytes:
        """Take a transaction in; its txid. RpcError with the daemon's code and reason when it is refused."""
        try:
            tx = parse_transaction(raw)
        except ParseError:
            raise RpcError(DECODE_FAILED, "TX decode failed") from None
        if tx.txid in self.entries:
            return tx.txid
        height = self._chain.height + 1
        if tx.kind == COINBASE:
            raise rejected("coinbase")
        if len(raw) > MOST_BYTES:
            raise rejected("bad-txns-oversize")
        if tx.kind == TRANSFER:
            self._refuse_mined(tx)
            check_layout(self._chain.network, tx, height)
            self._add(tx, self._fee(tx, height))
        else:
            outpoint = _collateral(tx)
            if outpoint in self._nodes:
                raise rejected("fluxnode-tx-already-in-mempool", 18)
            check_node(self._chain, tx, height)
            self._nodes[outpoint] = tx.txid
            self._add(tx, 0)
        return tx.txid

    def _refuse_mined(self, tx: ParsedTransaction) -> None:
        outputs = range(len(tx.forms))
        mined = tx.txid in self._chain.transactions
        if mined and any(tx.txid + n.to_bytes(4, "big") in self._chain.coins for n in outputs):
            raise RpcError(ALREADY_IN_CHAIN, "transaction already in block chain")

    def _fee(self, tx: ParsedTransaction, height: int) -> int:
        taken = 0
        for point in _points(tx):
            coin = self.coin(point)
            if coin is None:
                if point in self._spenders:
                    raise rejected("txn-mempool-conflict", 18)
                raise RpcError(MISSING_INPUTS, "Missing inputs")
            if coin.outkey >= 0 and not self._mature(coin, height):
                raise rejected("bad-txns-premature-spend-of-coinbase")
            taken += coin.value
        self._check_pools(tx)
        fee = taken - sum(ints(tx.values, "q")) + tx.value_balance + tx.sprout_out - tx.sprout_in
        if fee < 0:
            raise rejected("bad-txns-in-belowout")
        return fee

    def _check_pools(self, tx: ParsedTransaction) -> None:
        if tx.value_balance <= 0 and not tx.sprout_out:
            return
        waiting = [entry.tx for entry in self.entries.values()]
        sapling = self._chain.sapling - sum(max(w.value_balance, 0) for w in waiting)
        sprout = self._chain.sprout - sum(w.sprout_out for w in waiting)
        if tx.value_balance > sapling or tx.sprout_out > sprout:
            raise rejected("turnstile-violation")

    def _add(self, tx: ParsedTransaction, fee: int) -> None:
        points = _points(tx)
        depends = tuple(dict.fromkeys(point[:32] for point in points if point in self._made))
        self.entries[tx.txid] = Entry(tx, fee, int(time.time()), self._chain.height, depends)
        for point in points:
            self._spenders[point] = tx.txid
        for vout, value in enumerate(ints(tx.values, "q")):
            address = tx.addresses[21 * vout : 21 * vout + 21]
            coin = Coin(-1, address, value, tx.forms[vout])
            point = tx.txid + vout.to_bytes(4, "big")
            self._made[point] = coin
            if address != NO_ADDRESS:
                self._made_for.setdefault(address, {})[point] = coin

    # -- going

    def remove(self, txid: bytes) -> Entry | None:
        """Let a transaction go; those that depend on it stay."""
        entry = self.entries.pop(txid, None)
        if entry is None:
            return None
        for point in _points(entry.tx):
            self._spenders.pop(point, None)
        if entry.tx.kind >= NODE_START:
            self._nodes.pop(_collateral(entry.tx), None)
        for vout in range(len(entry.tx.forms)):
            point = txid + vout.to_bytes(4, "big")
            coin = self._made.pop(point)
            if coin.address != NO_ADDRESS:
                made = self._made_for[coin.address]
                del made[point]
                if not made:
                    del self._made_for[coin.address]
        return entry

    def confirmed(self, block: ParsedBlock) -> None:
        """A block has become the tip: what it holds goes."""
        for index in range(block.tx_count):
            self.remove(block.txid(index))

    def revalidate(self, returned: Sequence[bytes] = ()) -> list[bytes]:
        """After the chain has moved: drop what it does not allow any more; the txids that went.

        ``returned`` are the transactions of blocks that left the chain, in block order: they go before the others,
        which may depend on them.
        """
        waiting = list(self.entries.values())
        for entry in waiting:
            self.remove(entry.tx.txid)
        for raw in returned:
            with suppress(RpcError):
                self.accept(raw)
        return [entry.tx.txid for entry in waiting if not self._accepts_again(entry)]

    def _accepts_again(self, entry: Entry) -> bool:
        try:
            self.accept(entry.tx.raw)
        except RpcError:
            return False
        self.entries[entry.tx.txid] = Entry(
            entry.tx, entry.fee, entry.time, entry.height, self.entries[entry.tx.txid].depends
        )
        return True

    def select(self, random: Random, share: float) -> list[Wire]:
        """What the next block takes: each transfer with the chance ``share``, if all that it depends on is taken.

        Node transactions are always taken, as far as there is room: their windows are short.
        """
        taken: dict[bytes, Wire] = {}
        room = MOST_BYTES
        for txid, entry in self.entries.items():
            complete = all(parent in taken or parent not in self.entries for parent in entry.depends)
            wanted = complete and (entry.tx.kind >= NODE_START or random.random() < share)
            if wanted and len(entry.tx.raw) <= room:
                taken[txid] = Wire(entry.tx.raw, txid)
                room -= len(entry.tx.raw)
        return list(taken.values())

    def fees(self, txs: list[Wire]) -> int:
        """The fees of selected transactions, zatoshi."""
        return sum(self.entries[tx.txid].fee for tx in txs)


def _points(tx: ParsedTransaction) -> list[bytes]:
    return [tx.prevouts[at : at + 36] for at in range(0, len(tx.prevouts), 36)]


def _collateral(tx: ParsedTransaction) -> bytes:
    if tx.start is not None:
        return tx.start.outpoint
    assert tx.confirm is not None
    return tx.confirm.outpoint
