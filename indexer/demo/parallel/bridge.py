"""Fusion as the parallel chains see it: what the blocks of the native chain make happen on them.

A transaction that names an account of a chain in an OP_RETURN, such as ``BSC:0x12…``, is a leg of a move. What it
brings to Fusion's wallets, Fusion frees on that chain for the account; what it takes from them, the account has
locked there. Both legs take effect with the block, so that all chains together always have what was issued.
Blocks also launch the chains and move coins from one parallel chain to another.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import NamedTuple

from indexer.chain.params import COIN, Network
from indexer.demo.parallel.chains import BY_KEY, CHAINS, EXCHANGE, HOLDERS, TokenChain
from indexer.demo.parallel.ledger import REFILL, Ledgers, Transfer
from indexer.demo.wallet import FUSION_WALLETS
from indexer.parse.columns import NULLDATA, TRANSFER, ParsedBlock, ints
from indexer.state.delta import Coin

EXCHANGE_PERCENT = 55  # of what a launch gives out
CROSSINGS = 0.2  # moves from one parallel chain to another, per block
LARGEST_CROSSING = 8_000  # FLUX
ADDRESS_SIZE, POINT_SIZE = 21, 36
MEMO_AT = 2  # behind OP_RETURN and the size of the text


class Memo(NamedTuple):
    """The account of a parallel chain that a native transaction names."""

    chain: TokenChain
    account: str

    @property
    def text(self) -> str:
        """As an OP_RETURN has it."""
        return f"{self.chain.key.upper()}:{self.account}"


Record = Callable[[Transfer], None]


def read_memo(script: bytes) -> Memo | None:
    """The memo in an OP_RETURN script; None when it is something else."""
    key, colon, account = script[MEMO_AT:].decode("latin-1").partition(":")
    chain = BY_KEY.get(key.lower())
    return Memo(chain, account) if chain and colon and account.isprintable() else None


class Bridge:
    """Keeps the ledgers of the parallel chains in step with the native chain."""

    def __init__(self, network: Network) -> None:
        self.ledgers = Ledgers()
        self._network = network
        self._launches = {chain.launch_height(network): chain for chain in CHAINS}
        self._first = min(self._launches)
        self._wallets = frozenset(owner.address for owner in FUSION_WALLETS.values())

    def connected(self, height: int, block: ParsedBlock, spent: dict[bytes, Coin]) -> None:
        """A block has become the tip; ``spent`` are the coins that it spends."""
        self.ledgers.open_block()
        if height < self._first:
            return
        if height in self._launches:
            self._launch(self._launches[height])
        if NULLDATA in block.forms:
            self._legs(block, spent)
        self._cross(height, Random(f"{block.hash.hex()}/parallel"))

    def disconnected(self) -> None:
        """The tip has been taken back."""
        self.ledgers.undo_block()

    def launched(self, height: int) -> list[TokenChain]:
        """The chains that there are at a native height."""
        return [chain for chain in CHAINS if chain.launch_height(self._network) <= height]

    # -- what a block does

    def _launch(self, chain: TokenChain) -> None:
        """Give out on the chain what the swap pool has just been paid, so that every coin is backed."""
        total = self._network.funds.swap_pool.amount
        random = Random(f"launch of {chain.key}")
        shares = [total // 100 * EXCHANGE_PERCENT]
        cuts = sorted(random.randint(0, total - shares[0]) for _ in range(HOLDERS - 2))
        shares += [end - begin for begin, end in pairwise([0, *cuts, total - shares[0]])]
        for number, share in enumerate(shares):
            self._free(chain, chain.holder(number), share)

    def _legs(self, block: ParsedBlock, spent: dict[bytes, Coin]) -> None:
        bounds = ints(block.output_start, "I")
        for index, (begin, end) in enumerate(pairwise(bounds)):
            if block.kinds[index] != TRANSFER or NULLDATA not in block.forms[begin:end]:
                continue
            memos = (read_memo(block.script(n)) for n in range(begin, end) if block.forms[n] == NULLDATA)
            if memo := next(filter(None, memos), None):
                self.transfer(memo, self._gain(block, index, spent))

    def _gain(self, block: ParsedBlock, index: int, spent: dict[bytes, Coin]) -> int:
        """What a transaction brings to Fusion's wallets, zatoshi; negative when it takes."""
        begin, end = ints(block.output_start, "I")[index : index + 2]
        values = ints(block.values, "q")
        owners = (block.addresses[ADDRESS_SIZE * n : ADDRESS_SIZE * (n + 1)] for n in range(begin, end))
        gain = sum(values[n] for n, owner in enumerate(owners, begin) if owner in self._wallets)
        begin, end = ints(block.input_start, "I")[index : index + 2]
        coins = (spent[block.prevouts[POINT_SIZE * n : POINT_SIZE * (n + 1)]] for n in range(begin, end))
        return gain - sum(coin.value for coin in coins if coin.address in self._wallets)

    def transfer(self, memo: Memo, gain: int) -> None:
        """The leg on the parallel chain of a move that brought ``gain`` zatoshi to Fusion's native wallets."""
        if gain > 0:
            self._free(memo.chain, memo.account, gain)
        elif gain < 0:
            self._lock(memo.chain, memo.account, -gain)

    def _cross(self, height: int, random: Random) -> None:
        """Now and then someone moves coins from one parallel chain to another."""
        chains = self.launched(height)
        if len(chains) < 2 or random.random() >= CROSSINGS:
            return
        origin, target = random.sample(chains, 2)
        account = origin.holder(random.randrange(1, HOLDERS))
        amount = random.randint(1, LARGEST_CROSSING) * COIN + random.choice((0, random.randrange(COIN)))
        if self.ledgers.balance(origin.key, account) >= amount and self.can_free(target, amount):
            self._lock(origin, account, amount)
            self._free(target, target.holder(random.randrange(1, HOLDERS)), amount)

    def move(self, origin: TokenChain, target: TokenChain, amount: int) -> None:
        """The exchange moves coins between two parallel chains, at once: with no block, and for good."""
        self._lock(origin, origin.holder(EXCHANGE), amount, self.ledgers.impose)
        self._free(target, target.holder(EXCHANGE), amount, self.ledgers.impose)

    # -- the issuer's wallets

    def can_free(self, chain: TokenChain, amount: int) -> bool:
        """Whether the issuer has so much, with something to spare."""
        return self.ledgers.balance(chain.key, chain.issuer("LOCKED")) >= amount + REFILL

    def _free(self, chain: TokenChain, account: str, amount: int, record: Record | None = None) -> None:
        """From the SWAP wallet, which LOCKED refills, to an account; what the issuer lacks stays in custody."""
        key, swap, locked, ledgers = chain.key, chain.issuer("SWAP"), chain.issuer("LOCKED"), self.ledgers
        record = record or ledgers.note
        if (lacking := amount - ledgers.balance(key, swap)) > 0:
            record(Transfer(key, locked, swap, min(lacking + REFILL // 4, ledgers.balance(key, locked))))
        record(Transfer(key, swap, account, min(amount, ledgers.balance(key, swap))))

    def _lock(self, chain: TokenChain, account: str, amount: int, record: Record | None = None) -> None:
        """From an account to the SWAP wallet; what the account lacks it has bought at the exchange just before."""
        key, exchange, ledgers = chain.key, chain.holder(EXCHANGE), self.ledgers
        record = record or ledgers.note
        if (lacking := amount - ledgers.balance(key, account)) > 0:
            record(Transfer(key, exchange, account, min(lacking, ledgers.balance(key, exchange))))
        record(Transfer(key, account, chain.issuer("SWAP"), min(amount, ledgers.balance(key, account))))
