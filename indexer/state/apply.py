"""The meaning of a block, given the state after the block below it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from indexer.chain.eras import day_begin
from indexer.chain.keys import hash_text
from indexer.chain.params import Network, checkpoint
from indexer.chain.payouts import CoinbaseOutput, judge_coinbase
from indexer.chain.replay import SNAPSHOT_EVERY, past_lists
from indexer.errors import ChainError, NotConnected
from indexer.parse.columns import EXACT_P2SH, ParsedBlock, ints, slices
from indexer.state.cache import BoundedCache
from indexer.state.delta import AppliedBlock, Coin, Delta, TipMark, Totals
from indexer.state.nodes import NodeBook, changes_of, start_of
from indexer.state.reader import Reader
from indexer.state.transfers import Balance, BlockTransfers, Coins

# Measured with tracemalloc: a cached output costs about 330 bytes of memory, a balance about 320.
COIN_BYTES = 330
BALANCE_BYTES = 320


class ChainState:
    """Everything that the next block's meaning depends on, after the last applied block.

    ``memory`` bounds the caches, in bytes. After any error the state is worthless: make a new one. At every
    height that ``snapshot_every`` divides the node lists are kept as they are.
    """

    def __init__(self, network: Network, reader: Reader, memory: int, snapshot_every: int = SNAPSHOT_EVERY) -> None:
        self.network = network
        self._snapshot_every = snapshot_every
        self.tip = reader.tip()
        self.totals = reader.totals()
        empty = self.tip.height < 0
        half = memory // 2
        self._coins: BoundedCache[Coin] = BoundedCache(reader.coins, half // COIN_BYTES, complete=empty)
        self._balances: BoundedCache[Balance] = BoundedCache(reader.balances, half // BALANCE_BYTES, complete=empty)
        self.nodes = NodeBook(network, reader, self.tip.height)

    def apply(self, blocks: Sequence[ParsedBlock]) -> Delta:
        """What a batch of blocks on top of the tip changes.

        Errors: NotConnected, ChainError; NotConnected leaves the state as it was.
        """
        self._check_links(blocks)
        self._load(blocks)
        delta = Delta(self.tip, self.tip)
        coins = Coins(self._coins.entries, delta.made, delta.spent)
        touched: set[bytes] = set()
        for block in blocks:
            applied = self._apply_block(block, coins)
            delta.blocks.append(applied)
            touched.update(entry.address for entry in applied.ledger)
        delta.tip = self.tip
        delta.nodes, delta.nodes_before, delta.made_nodes = self.nodes.rows()
        self._coins.pin(delta.made)
        self._balances.pin(touched)
        return delta

    def committed(self) -> None:
        """The oldest batch not yet committed is in the store."""
        self._coins.unpin()
        self._balances.unpin()
        self.nodes.committed()

    def _check_links(self, blocks: Iterable[ParsedBlock]) -> None:
        """Each block follows the one before, begins at our genesis block and agrees with the checkpoints."""
        height, parent = self.tip.height, self.tip.hash
        for block in blocks:
            height += 1
            if block.prev_hash != parent:
                raise NotConnected(
                    f"block {hash_text(block.hash)} at height {height} follows {hash_text(block.prev_hash)}, "
                    f"not our block {hash_text(parent)}"
                )
            expected = checkpoint(self.network, height)
            if expected is not None and hash_text(block.hash) != expected:
                raise ChainError(
                    f"block {height} is {hash_text(block.hash)}; on network {self.network.name} it must be {expected}: "
                    "the daemon serves another chain; set network.name or network.params_file to its network"
                )
            parent = block.hash

    def _load(self, blocks: Sequence[ParsedBlock]) -> None:
        """Read what the batch needs and the caches lack, in three reads."""
        starts = [start.outpoint for block in blocks for start in block.starts]
        self.nodes.begin(starts)
        if not self._coins.complete:
            made_here = {block.txid(index) for block in blocks for index in range(block.tx_count)}
            points = (p for block in blocks for p in slices(block.prevouts, 36))
            self._coins.load({*starts, *(point for point in points if point[:32] not in made_here)})
        if not self._balances.complete:
            self._balances.load(self._addresses(blocks))

    def _addresses(self, blocks: Sequence[ParsedBlock]) -> set[bytes]:
        """All addresses that the batch touches, as far as they are known before it is applied."""
        addresses = {address for block in blocks for address in slices(block.addresses, 21)}
        spent = (self._coins.entries.get(point) for block in blocks for point in slices(block.prevouts, 36))
        addresses.update(coin.address for coin in spent if coin is not None)
        return addresses

    def _apply_block(self, block: ParsedBlock, coins: Coins) -> AppliedBlock:
        height = self.tip.height + 1
        payees = self.nodes.queue.payees(height)
        producer = self.nodes.producer(block)
        starts = [(start, self.nodes.start(height, start, coins.unspent.get(start.outpoint))) for start in block.starts]
        transfers = BlockTransfers(height)
        transfers.add(block, coins)
        judged = judge_coinbase(
            self.network,
            height,
            coinbase_outputs(block),
            [(tier, node.payee) for tier, node in payees],
            transfers.fee_sum,
        )
        changes = self.nodes.apply(block, height, [records for _, records in starts], slices(block.prevouts, 36))
        tiers = [int(node.tier) for node in changes.confirmed]
        mismatched = sum(payout.vout is None for payout in judged.payouts)
        ledger = transfers.settle(self._balances.entries, day_begin(self.network, height))
        self.totals = _advance(self.totals, block, transfers, len(judged.payouts), mismatched)
        require_identity(self.totals, height)
        self.tip = TipMark(height, block.hash, block.time)
        return AppliedBlock(
            height=height,
            parsed=block,
            spent=tuple(transfers.spent),
            fees=tuple(transfers.fees),
            coinbase_value=transfers.coinbase_value,
            fee_sum=transfers.fee_sum,
            starts=tuple(start_of(records[0], start) for start, records in starts),
            confirm_nodes=tuple([node.id for node in changes.confirmed]),
            confirm_tiers=(tiers.count(1), tiers.count(2), tiers.count(3)),
            producer=producer,
            payouts=judged,
            payout_nodes=tuple(node.id for _, node in payees),
            changes=changes_of(changes),
            snapshot=None if height % self._snapshot_every else past_lists(self.nodes.queue),
            ledger=ledger,
            totals=self.totals,
        )


def coinbase_outputs(block: ParsedBlock) -> list[CoinbaseOutput]:
    """The outputs of a block's coinbase, as the rules of payouts see them."""
    end = ints(block.output_start[4:8], "I")[0]
    values = ints(block.values[: 8 * end], "q")
    return [
        CoinbaseOutput(value, block.addresses[21 * n : 21 * n + 21], block.forms[n] <= EXACT_P2SH)
        for n, value in enumerate(values)
    ]


def require_identity(totals: Totals, height: int) -> None:
    """Every coin made is somewhere: raise ChainError with both sides unless it is so after block ``height``."""
    parts = {name: getattr(totals, name) for name in ("transparent", "sprout", "sapling", "unspendable")}
    if totals.issued != sum(parts.values()):
        told = ", ".join(f"{name} {amount}" for name, amount in parts.items())
        raise ChainError(
            f"after block {height} the coinbases have made {totals.issued} zatoshi, but {sum(parts.values())} are "
            f"accounted for ({told}): the running totals of this index are wrong; flux-explorer verify says from "
            "which block on, rewind to the one before it or index from the start with an empty database"
        )


def _advance(totals: Totals, block: ParsedBlock, transfers: BlockTransfers, checked: int, mismatched: int) -> Totals:
    """The running totals with one block more."""
    return Totals(
        max_time=max(totals.max_time, block.time),
        txs_total=totals.txs_total + block.tx_count,
        issued=totals.issued + transfers.coinbase_value - transfers.fee_sum,
        transparent=totals.transparent + transfers.transparent,
        txouts=totals.txouts + transfers.txouts,
        sprout=totals.sprout + transfers.sprout,
        sapling=totals.sapling + transfers.sapling,
        unspendable=totals.unspendable + transfers.unspendable,
        payouts_checked=totals.payouts_checked + checked,
        payouts_mismatched=totals.payouts_mismatched + mismatched,
        fees_total=totals.fees_total + transfers.fee_sum,
        active_total=totals.active_total + transfers.active,
    )
