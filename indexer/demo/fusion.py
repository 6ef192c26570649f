"""What the bridge Fusion and its users send on the native chain.

Fusion's own transactions carry no fee: what leaves its wallets is what is moved, to the zatoshi.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from indexer.chain.params import COIN
from indexer.demo.chain import DemoChain
from indexer.demo.mempool import Mempool
from indexer.demo.parallel.bridge import Memo
from indexer.demo.parallel.chains import BY_KEY, HOLDERS, TokenChain
from indexer.demo.payments import MOST_FEE, Coins, Payments, text_script
from indexer.demo.serialize import Output, Wire
from indexer.demo.wallet import FUSION_WALLETS, Owner, Wallets

MOVES = 0.35  # per block, between the native chain and the parallel ones
SMALLEST, LARGEST = 20, 5_000  # FLUX
HOT = {"SWAP": 500_000 * COIN, "MINING": 250_000 * COIN}
"""What LOCKED gives a hot wallet that has less than a fifth of it, zatoshi."""
COLD_RESERVE = 1_000_000 * COIN
MANY_COINS = 60
EXAMPLE_AMOUNT, EXAMPLE_CHAIN, EXAMPLE_DELAY = 2_000 * COIN, "bsc", 200


class Fusion:
    """Makes the bridge's transactions; nothing is sent by it."""

    def __init__(self, chain: DemoChain, mempool: Mempool, payments: Payments, wallets: Wallets) -> None:
        self._chain, self._mempool, self._payments, self._wallets = chain, mempool, payments, wallets
        pool = chain.network.funds.swap_pool
        self._opening = pool.start + chain.network.coinbase_maturity
        last_launch = pool.start + (pool.times - 1) * pool.interval
        self._example = max(self._opening, last_launch) + EXAMPLE_DELAY

    def traffic(self, random: Random) -> Iterator[Wire]:
        """What is sent for the next block: refills of the hot wallets, and perhaps a user's move."""
        height = self._chain.height + 1
        if height < self._opening:
            return
        yield from self._refills(random)
        wire = self._everyday(random) if random.random() < MOVES else None
        if height == self._example:
            wire = self.to_native(BY_KEY[EXAMPLE_CHAIN], EXAMPLE_AMOUNT, random)
        if wire is not None:
            yield wire

    # -- moves

    def _everyday(self, random: Random) -> Wire | None:
        chain = random.choice(self._chain.bridge.launched(self._chain.height))
        amount = int(SMALLEST * (LARGEST / SMALLEST) ** random.random()) * COIN
        amount += random.choice((0, 50_000_000, random.randrange(1, COIN)))
        if random.random() < 0.5:
            return self.to_native(chain, amount, random, "MINING" if random.random() < 0.15 else "SWAP")
        return self.to_parallel(chain, amount, random)

    def to_native(self, chain: TokenChain, amount: int, random: Random, wallet: str = "SWAP") -> Wire | None:
        """Fusion pays a person what a holder locks on ``chain`` with the same block; None when a side lacks it."""
        account = chain.holder(random.randrange(1, HOLDERS))
        if self._chain.bridge.ledgers.balance(chain.key, account) < 2 * amount:
            return None
        return self.pay_out(Memo(chain, account), random.choice(self._wallets.people), amount, random, wallet)

    def pay_out(self, memo: Memo, to: Owner, amount: int, random: Random, wallet: str = "SWAP") -> Wire | None:
        """One of Fusion's wallets pays for what ``memo`` names as locked; None when it has too little."""
        owner = FUSION_WALLETS[wallet]
        outputs = [Output(amount, to.script), Output(0, text_script(memo.text))]
        coins = self._payments.spendable(owner, amount)
        return self._payments.send(owner, coins, outputs, random, free=True) if coins else None

    def to_parallel(self, chain: TokenChain, amount: int, random: Random) -> Wire | None:
        """A person pays Fusion, which frees as much on ``chain``; None when nobody asked has it."""
        if not self._chain.bridge.can_free(chain, amount):
            return None
        memo = Memo(chain, chain.holder(random.randrange(1, HOLDERS)))
        person = random.choice(self._wallets.people)
        return self.deposit(memo, person, amount, random)

    def deposit(self, memo: Memo, person: Owner, amount: int, random: Random) -> Wire | None:
        """Someone pays the SWAP wallet for the account that ``memo`` names; None when that one has too little."""
        outputs = [Output(amount, FUSION_WALLETS["SWAP"].script), Output(0, text_script(memo.text))]
        coins = self._payments.spendable(person, amount + MOST_FEE)
        return self._payments.send(person, coins, outputs, random) if coins else None

    # -- Fusion's wallets among themselves

    def _refills(self, random: Random) -> Iterator[Wire]:
        for role, amount in HOT.items():
            coins = list(self._mempool.coins_of(FUSION_WALLETS[role].address))
            held = sum(coin.value for _, coin in coins)
            if held < amount // 5:
                yield from self._internal("LOCKED", role, amount, random)
            elif held > 3 * amount:
                yield from self._internal(role, "COLD", amount, random)
            elif len(coins) > MANY_COINS:
                yield self._gather(role, coins, random)
        if next(self._mempool.coins_of(FUSION_WALLETS["COLD"].address), None) is None:
            yield from self._internal("LOCKED", "COLD", COLD_RESERVE, random)

    def _internal(self, origin: str, target: str, amount: int, random: Random) -> Iterator[Wire]:
        owner = FUSION_WALLETS[origin]
        if coins := self._payments.spendable(owner, amount):
            yield self._payments.send(owner, coins, [Output(amount, FUSION_WALLETS[target].script)], random, free=True)

    def _gather(self, role: str, coins: Coins, random: Random) -> Wire:
        return self._payments.send(FUSION_WALLETS[role], coins[: MANY_COINS // 2], [], random, free=True)
