"""Transfers of the demo network in several shapes, made from what the mempool says can be spent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from random import Random

from indexer.chain.params import COIN, upgrade_active
from indexer.demo.blocks import signature
from indexer.demo.chain import COLLATERALS, DemoChain
from indexer.demo.mempool import Mempool
from indexer.demo.serialize import (
    JOINSPLIT_REST,
    OUTPUT_SIZE,
    SAPLING_VERSION,
    SPEND_SIZE,
    Input,
    JoinSplit,
    Output,
    Transfer,
    Wire,
    transfer,
)
from indexer.demo.wallet import COSIGNERS, FUSION_WALLETS, Owner, Role, Wallets, multisig
from indexer.state.delta import Coin

Coins = list[tuple[bytes, Coin]]

MEMOS = ("Happy birthday", "Rent for May", "Invoice 2041", "Thanks for the coffee", "simulated", "Node hosting, paid")
LEAST_FEE, MOST_FEE = 1_000, 20_000
EXPIRY_DELTA = 40
MOST_INPUTS = 12
TRIES = 4


def input_script(owner: Owner, random: Random) -> bytes:
    """A scriptSig in the form in which this owner would sign."""
    sig = signature(random) + b"\x01"
    if not owner.redeem_script:
        return bytes([len(sig)]) + sig + bytes([len(owner.pubkey)]) + owner.pubkey
    other, script = signature(random) + b"\x01", owner.redeem_script
    return b"\0" + bytes([len(sig)]) + sig + bytes([len(other)]) + other + b"\x4c" + bytes([len(script)]) + script


def text_script(text: str) -> bytes:
    """An OP_RETURN script with a text of at most 75 bytes."""
    pushed = text.encode()
    return b"\x6a" + bytes([len(pushed)]) + pushed


class Payments:
    """Makes transfers; nothing is sent by it."""

    def __init__(self, chain: DemoChain, mempool: Mempool, wallets: Wallets) -> None:
        self._chain, self._mempool, self._wallets = chain, mempool, wallets

    def spendable(self, owner: Owner, least: int, most_coins: int = MOST_INPUTS) -> Coins:
        """Coins of an owner, no collaterals, that together have at least ``least`` zatoshi; empty if they do not."""
        found: Coins = []
        total = 0
        for point, coin in islice(self._mempool.coins_of(owner.address), 400):
            if coin.value in COLLATERALS or not coin.value:
                continue
            found.append((point, coin))
            total += coin.value
            if total >= least:
                return found
            if len(found) == most_coins:
                smallest = min(found, key=lambda entry: entry[1].value)
                found.remove(smallest)
                total -= smallest[1].value
        return []

    def send(
        self,
        owner: Owner,
        coins: Coins,
        outputs: Iterable[Output],
        random: Random,
        change_to: Owner | None = None,
        *,
        free: bool = False,
    ) -> Wire:
        """Spend coins of one owner; what is left goes back to the owner, or to ``change_to``.

        A fee goes off before, unless it is ``free``.
        """
        outputs = list(outputs)
        fee = 0 if free else random.randint(LEAST_FEE, MOST_FEE)
        change = sum(c.value for _, c in coins) - sum(o.value for o in outputs) - fee
        if change > 0:
            outputs.insert(random.randint(0, len(outputs)), Output(change, (change_to or owner).script))
        return transfer(self._layout([Input(p, input_script(owner, random)) for p, _ in coins], outputs, random))

    def _layout(self, inputs: Sequence[Input], outputs: Sequence[Output], random: Random) -> Transfer:
        height = self._chain.height + 1
        if not upgrade_active(self._chain.network.upgrades.acadia, height):
            return Transfer(inputs, outputs, version=random.randint(1, 2))
        expiry = height + EXPIRY_DELTA if random.random() < 0.6 else 0
        return Transfer(inputs, outputs, expiry_height=expiry)

    # -- everyday transfers

    def everyday(self, random: Random) -> Wire | None:
        """One of the transfers that fill blocks; None when whoever was to pay has too little."""
        shapes = (self._pay, self._chained, self._memo, self._batch, self._consolidate, self._odd, self._supply,
                  self._cash_in, self._pool, self._shielded)  # fmt: skip
        weights = (40, 12, 8, 4, 8, 3, 8, 10, 8, 3)
        (shape,) = random.choices(shapes, weights)
        return shape(random)

    def _person(self, random: Random) -> Owner:
        return random.choice(self._wallets.people)

    def _payer(self, random: Random, amount: int) -> tuple[Owner, Coins] | None:
        for _ in range(TRIES):
            owner = self._person(random)
            if coins := self.spendable(owner, amount + MOST_FEE):
                return owner, coins
        return None

    def _pay(self, random: Random) -> Wire | None:
        amount = amount_of(random)
        if (payer := self._payer(random, amount)) is None:
            return None
        return self.send(*payer, [Output(amount, self._person(random).script)], random)

    def _chained(self, random: Random) -> Wire | None:
        """Spend an output that is not confirmed yet."""
        by_address = self._wallets.by_address
        waiting = [
            (owner, (point, coin))
            for point, coin in self._mempool.unconfirmed()
            if (owner := by_address.get(coin.address)) and owner.role == Role.PERSON and coin.value > 4 * MOST_FEE
        ]
        if not waiting:
            return self._pay(random)
        owner, entry = random.choice(waiting)
        amount = random.randint(MOST_FEE, entry[1].value - 2 * MOST_FEE)
        return self.send(owner, [entry], [Output(amount, self._person(random).script)], random)

    def _memo(self, random: Random) -> Wire | None:
        amount = amount_of(random)
        if (payer := self._payer(random, amount)) is None:
            return None
        burnt = random.choice((0, 0, 0, 1000))
        outputs = [Output(amount, self._person(random).script), Output(burnt, text_script(random.choice(MEMOS)))]
        return self.send(*payer, outputs, random)

    def _batch(self, random: Random) -> Wire | None:
        """Many outputs, as an exchange pays out."""
        amounts = [amount_of(random) // 10 for _ in range(random.randint(12, 60))]
        if (payer := self._payer(random, sum(amounts))) is None:
            return None
        return self.send(*payer, [Output(amount, self._person(random).script) for amount in amounts], random)

    def _consolidate(self, random: Random) -> Wire | None:
        owner = self._person(random)
        coins = [e for e in islice(self._mempool.coins_of(owner.address), 40) if e[1].value not in COLLATERALS]
        if len(coins) < 3:
            return None
        return self.send(owner, coins, [], random) if sum(c.value for _, c in coins) > MOST_FEE else None

    def _odd(self, random: Random) -> Wire | None:
        """A bare multisig or pay-to-pubkey output."""
        amount = amount_of(random)
        if (payer := self._payer(random, amount)) is None:
            return None
        keys = [self._person(random).pubkey for _ in range(COSIGNERS)]
        scripts = (multisig(keys, 2), bytes([len(keys[0])]) + keys[0] + b"\xac")
        return self.send(*payer, [Output(amount, random.choice(scripts))], random)

    def _supply(self, random: Random) -> Wire | None:
        """The treasury, or one of the funds, pays people, so that nobody runs dry.

        Not the swap pool: what is there backs the coins on the parallel chains.
        """
        funds = [owner for owner in self._wallets.funds if owner.address != FUSION_WALLETS["LOCKED"].address]
        giver = random.choice([self._wallets.treasury, *funds])
        amounts = [random.randint(50, 900) * COIN + random.randrange(COIN) for _ in range(random.randint(2, 8))]
        coins = self.spendable(giver, sum(amounts) + MOST_FEE)
        people = [self._person(random) for _ in amounts]
        outputs = [Output(amount, owner.script) for amount, owner in zip(amounts, people, strict=True)]
        return self.send(giver, coins, outputs, random) if coins else None

    def _cash_in(self, random: Random) -> Wire | None:
        """An operator sells what the nodes have earned."""
        owner = random.choice([*self._wallets.operators, *self._wallets.cosigned_operators])
        amount = random.randint(20, 400) * COIN
        coins = self.spendable(owner, amount + MOST_FEE)
        return self.send(owner, coins, [Output(amount, self._person(random).script)], random) if coins else None

    def _pool(self, random: Random) -> Wire | None:
        """A mining pool pays its miners."""
        owner = random.choice(self._wallets.pools)
        coins = self.spendable(owner, 60 * COIN)
        if not coins:
            return None
        share = (sum(coin.value for _, coin in coins) - MOST_FEE) // 10
        return self.send(owner, coins, [Output(share, self._person(random).script) for _ in range(9)], random)

    # -- shielded parts, in value only

    def _shielded(self, random: Random) -> Wire | None:
        height, upgrades = self._chain.height + 1, self._chain.network.upgrades
        if not upgrade_active(upgrades.flux, height) and random.random() < 0.7:
            return self._shield(random, upgrade_active(upgrades.acadia, height))
        if self._chain.sapling > COIN and upgrade_active(upgrades.acadia, height):
            return self._deshield(random)
        return self._leave_sprout(random) if self._chain.sprout > COIN else None

    def _shield(self, random: Random, acadia: bool) -> Wire | None:
        """From the transparent pool into Sapling, or into Sprout."""
        amount = amount_of(random)
        if (payer := self._payer(random, amount)) is None:
            return None
        owner, coins = payer
        change = sum(c.value for _, c in coins) - amount - random.randint(LEAST_FEE, MOST_FEE)
        inputs = [Input(p, input_script(owner, random)) for p, _ in coins]
        outputs = [Output(change, owner.script)] if change > 0 else []
        if acadia and random.random() < 0.6:
            hidden = [random.randbytes(OUTPUT_SIZE) for _ in range(random.randint(1, 2))]
            return transfer(Transfer(inputs, outputs, value_balance=-amount, shielded_outputs=hidden,
                                     binding_sig=random.randbytes(64)))  # fmt: skip
        split = JoinSplit(amount, 0, random.randbytes(JOINSPLIT_REST[acadia]))
        return transfer(Transfer(inputs, outputs, version=SAPLING_VERSION if acadia else 2, joinsplits=[split],
                                 joinsplit_sig=random.randbytes(96)))  # fmt: skip

    def _deshield(self, random: Random) -> Wire:
        """From Sapling into the transparent pool, some of it back into Sapling as change."""
        amount = random.randint(COIN // 10, self._chain.sapling // 2)
        hidden = [random.randbytes(OUTPUT_SIZE)] if random.random() < 0.5 else []
        outputs = [Output(amount - MOST_FEE, self._person(random).script)]
        spends = [random.randbytes(SPEND_SIZE) for _ in range(random.randint(1, 3))]
        return transfer(Transfer([], outputs, value_balance=amount, shielded_spends=spends, shielded_outputs=hidden,
                                 binding_sig=random.randbytes(64)))  # fmt: skip

    def _leave_sprout(self, random: Random) -> Wire:
        acadia = upgrade_active(self._chain.network.upgrades.acadia, self._chain.height + 1)
        amount = random.randint(COIN // 10, self._chain.sprout // 2)
        split = JoinSplit(0, amount, random.randbytes(JOINSPLIT_REST[acadia]))
        outputs = [Output(amount - MOST_FEE, self._person(random).script)]
        return transfer(Transfer([], outputs, version=SAPLING_VERSION if acadia else 2, joinsplits=[split],
                                 joinsplit_sig=random.randbytes(96)))  # fmt: skip


def amount_of(random: Random) -> int:
    """An amount as people pay it: often round, mostly small, never a collateral."""
    whole = int(10 ** random.uniform(0, 2.7))
    fraction = random.choice((0, 50_000_000, random.randrange(COIN)))
    return whole * COIN + fraction
