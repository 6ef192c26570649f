"""Builds the demo chain: the first blocks at once, then one more whenever asked, now and then another branch."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

from indexer.chain import tiers
from indexer.chain.hashes import merkle_root
from indexer.chain.keys import hash_text
from indexer.chain.params import COIN, Network, pon_active
from indexer.chain.pon import next_bits
from indexer.demo import blocks
from indexer.demo.blocks import EMPTY_SAPLING_ROOT, PON_VERSION, POW_VERSION
from indexer.demo.chain import DemoChain
from indexer.demo.fusion import Fusion
from indexer.demo.mempool import Mempool
from indexer.demo.messages import confirm_message, start_message
from indexer.demo.nodes import Act, Actors, missing_collaterals
from indexer.demo.payments import Payments
from indexer.demo.rules import RpcError
from indexer.demo.serialize import Header, Output, Wire
from indexer.demo.wallet import Owner, Wallets
from indexer.parse.columns import ParsedBlock, ints

FIRST_BLOCKS = 3000
DEEPEST_REORG = 4
JITTER = 3  # seconds
GRANT = 2_000 * COIN  # what each person begins with, about


class Builder:
    """The demo network's miners, nodes and users, on one chain."""

    def __init__(self, chain: DemoChain, seed: int) -> None:
        self.chain = chain
        self.seed = seed
        self.network = chain.network
        self.wallets = Wallets(seed)
        self.mempool = Mempool(chain)
        self.payments = Payments(chain, self.mempool, self.wallets)
        self.fusion = Fusion(chain, self.mempool, self.payments, self.wallets)
        owners = [*self.wallets.operators, *self.wallets.cosigned_operators]
        self._actors = Actors(chain, seed, {owner.address: owner for owner in owners})

    def random(self, *salt: object) -> Random:
        """Chance that depends on the seed, the tip and ``salt`` alone."""
        return Random(f"{self.seed}/{hash_text(self.chain.tip.hash)}/{'/'.join(map(str, salt))}")

    # -- what people and nodes send

    def node_traffic(self, time: int) -> Iterator[Wire]:
        """What the owners of collaterals send for the next block: STARTs, CONFIRMs and spent collaterals."""
        random, height = self.random("nodes"), self.chain.height + 1
        for act, point, owner in list(self._actors.due(height)):
            if self.mempool.has_node(point) or self.mempool.coin(point) is None:
                continue
            wire = self._node_message(act, point, owner, time, random)
            if wire is not None:
                yield wire

    def _node_message(self, act: Act, point: bytes, owner: Owner, time: int, random: Random) -> Wire | None:
        height, node = self.chain.height + 1, self.chain.queue.get(point)
        if act == Act.START:
            return start_message(self.network, height, time, point, owner, self.chain.former.get(point), random)
        if act in (Act.SPEND, Act.MIGRATE):
            return self._spend_collateral(act, point, owner, random)
        if node is None:
            return None
        moved = act == Act.MOVE or (act == Act.UPDATE and random.random() < 0.04)
        return confirm_message(
            self.network, height, time, node, random, update=act != Act.CONFIRM, moved=moved
        )

    def _spend_collateral(self, act: Act, point: bytes, owner: Owner, random: Random) -> Wire:
        coin = self.chain.coins[point]
        outputs = []
        if act == Act.MIGRATE:
            tier = next(tier for tier in tiers.TIERS if tiers.OLD_COLLATERAL[tier] == coin.value)
            outputs = [Output(tiers.NEW_COLLATERAL[tier], owner.script)] * (2 if tier == tiers.Tier.CUMULUS else 1)
        return self.payments.send(owner, [(point, coin)], outputs, random, change_to=self.wallets.treasury)

    def everyday_traffic(self, random: Random, count: int) -> Iterator[Wire]:
        """Transfers of people; those that nobody can pay for are left out."""
        for _ in range(count):
            if (wire := self.payments.everyday(random)) is not None:
                yield wire

    def founding_traffic(self, random: Random) -> Iterator[Wire]:
        """What the treasury does: divide the premine, give everybody something, fund new collaterals."""
        height, treasury = self.chain.height + 1, self.wallets.treasury
        opening = self.network.subsidy.premine_height + self.network.coinbase_maturity
        if height < opening:
            return
        if height == opening:
            parts = [Output(150_000 * COIN + random.randrange(COIN), treasury.script) for _ in range(80)]
            yield self.payments.send(treasury, self.payments.spendable(treasury, 1), parts, random)
            return
        if height <= opening + 6:
            people = self.wallets.people[height - opening - 1 :: 6]
            grants = [Output(GRANT + random.randrange(GRANT), person.script) for person in people]
            if coins := self.payments.spendable(treasury, sum(g.value for g in grants) + COIN):
                yield self.payments.send(treasury, coins, grants, random)
        yield from self._fund_collaterals(random)

    def _fund_collaterals(self, random: Random) -> Iterator[Wire]:
        amounts = missing_collaterals(self.chain, random, 8)
        if not amounts:
            return
        late = self.chain.height + 1 + tiers.COLLATERAL_DEPTH >= self.network.upgrades.halving
        operators = self.wallets.operators + (self.wallets.cosigned_operators * 2 if late else [])
        # The square of a uniform number: a few operators run many nodes.
        chosen = [operators[int(len(operators) * random.random() ** 2)] for _ in amounts]
        if late and random.random() < 0.4:
            chosen[0] = random.choice(self.wallets.cosigned_operators)
        outputs = [Output(amount, owner.script) for amount, owner in zip(amounts, chosen, strict=True)]
        if coins := self.payments.spendable(self.wallets.treasury, sum(amounts) + COIN):
            yield self.payments.send(self.wallets.treasury, coins, outputs, random)

    def offer(self, wire: Wire) -> bool:
        """Send a transaction; False when it is refused, as when a plan has become impossible."""
        try:
            self.mempool.accept(wire.raw)
        except RpcError:
            return False
        return True

    # -- blocks

    def next_block(self, time: int, *, share: float = 1.0, salt: object = "") -> bytes:
        """The bytes of a block on the tip with what waits; its time is ``time`` or what the rules make of it.

        ``share`` is the chance of a waiting transfer to be taken, ``salt`` tells siblings apart.
        """
        chain, height, random = self.chain, self.chain.height + 1, self.random("block", salt)
        txs = self.mempool.select(random, share)
        miner = random.choice(self.wallets.pools)
        pon = pon_active(self.network, height)
        waste = blocks.WASTE if not pon and height > 2 and random.random() < 0.01 else 0
        fees = self.mempool.fees(txs)
        script = self.wallets.treasury.script if height == self.network.subsidy.premine_height else miner.script
        txs.insert(0, blocks.coinbase(self.network, height, chain.queue, fees, script, random, waste=waste))
        time, bits, by = max(time, chain.tip.time + 1), self.network.pow_limit_bits, b""
        if pon:
            bits = self._pon_bits(height)
            by, time = blocks.producer(self.network, chain.queue, chain.tip.hash, bits, time, random)
        version = PON_VERSION if pon else POW_VERSION
        root = merkle_root([tx.txid for tx in txs])
        header = Header(version, chain.tip.hash, root, EMPTY_SAPLING_ROOT, time, bits)
        if pon:
            return blocks.pon_block(header, txs, by, random)
        return blocks.pow_block(self.network, height, header, txs, random)

    def _pon_bits(self, height: int) -> int:
        tip, window = self.chain.tip, self.network.pon.window
        return next_bits(self.network, height, tip.bits, tip.time - self.chain.active[height - window].time)

    def extend(self, time: int, *, share: float = 1.0, salt: object = "") -> None:
        """Make the next block and put it on the chain."""
        parsed = self.chain.append(self.next_block(time, share=share, salt=salt))
        self.mempool.confirmed(parsed)
        if self.mempool.entries:
            self.mempool.revalidate()

    def reorganise(self, depth: int, time: int) -> None:
        """Replace the last ``depth`` blocks by a branch that is one block longer.

        What left the chain waits again; not all of it comes back at once, and one of the payments may be replaced
        by another that spends the same coins.
        """
        random = self.random("reorg")
        returned = self._disconnect(depth)
        first = self.chain.tip.time
        self.mempool.revalidate(self._with_a_double_spend(returned, random))
        for number in range(depth + 1):
            if number:
                self.fill(first + number, random, 1)
            self.extend(max(first + number + 1, time - depth + number), share=0.6, salt=f"branch {number}")

    def take_back(self, depth: int) -> None:
        """Take the last ``depth`` blocks off the chain; what they held waits again."""
        self.mempool.revalidate(self._disconnect(depth))

    def _disconnect(self, depth: int) -> list[bytes]:
        returned: list[bytes] = []
        for _ in range(depth):
            returned = transactions_of(self.chain.disconnect())[1:] + returned
        return returned

    def _with_a_double_spend(self, returned: list[bytes], random: Random) -> list[bytes]:
        """The transactions, perhaps without one: its sender has thought better of it."""
        if returned and random.random() < 0.3:
            returned.pop(random.randrange(len(returned)))
        return returned

    def fill(self, time: int, random: Random, count: int) -> None:
        """Let everybody send what the next block should hold."""
        for wire in self.founding_traffic(random):
            self.offer(wire)
        for wire in self.node_traffic(time):
            self.offer(wire)
        for wire in self.everyday_traffic(random, count):
            self.offer(wire)
        for wire in self.fusion.traffic(self.random("fusion")):
            self.offer(wire)

    def build(self, last: int, time: int, *, most: int = 1 << 30) -> None:
        """Extend the chain at once to height ``last``, by at most so many blocks.

        ``time`` (Unix seconds) is that of block ``last``.
        """
        first = self.chain.height + 1
        for height in range(first, min(last + 1, first + most)):
            random = self.random("traffic")
            at = time - sum_of_spacings(self.network, height, last) - random.randint(0, JITTER)
            self.fill(at, random, random.choice((0, 1, 1, 2, 3)))
            self.extend(at)


def transactions_of(block: ParsedBlock) -> list[bytes]:
    """The bytes of each transaction of a block."""
    return [block.raw[begin:end] for begin, end in pairwise(ints(block.tx_start, "I"))]


def sum_of_spacings(network: Network, height: int, last: int) -> int:
    """Seconds from block ``height`` to block ``last`` when every block comes in time."""
    pon = max(network.upgrades.pon, height)
    pow_blocks = max(0, min(network.upgrades.pon, last) - height)
    return pow_blocks * network.pow_target_spacing + max(0, last - pon) * network.pon_target_spacing
