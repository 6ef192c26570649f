"""A chain in the shape of the main net that also obeys the rules.

Coins are spent once and add up, nodes start with real collaterals and confirm when they may, and every coinbase
pays whom the queue names. Signatures and proofs are random bytes. Deterministic by its seed.

A chain has a *ramp*, in which the nodes start one after the other, goes on in the steady state of the mix, and comes to
the fork to PoN. There the interval between two confirmations of a node changes fourfold: as on the main net, nobody
confirms for a while, and then many have to at once, until after some 1,500 blocks they are spread evenly again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from indexer.chain.hashes import hash160
from indexer.chain.keys import P2PKH, hash_text, outpoint, txkey
from indexer.chain.nodes import Collateral, Node, Status, started_node
from indexer.chain.params import COIN, pon_active
from indexer.chain.payouts import tier_payout, tier_payouts
from indexer.chain.queue import BlockEvents, NodeQueue
from indexer.chain.subsidy import block_subsidy
from indexer.chain.tiers import NEW_COLLATERAL, TIERS, windows
from indexer.parse.columns import NodeStart
from indexer.sample.shape import FIRST_START, PON, POW, RAMP, Era, Plan, era_of, network_of, parameters
from indexer.sample.wire import (
    Piece,
    assemble,
    coinbase,
    confirm,
    ordinary,
    p2pkh,
    p2sh,
    pon_header,
    pow_header,
    sapling_transaction,
    start,
)

START_TIME = 1_600_000_000
POW_SPACING, PON_SPACING = 120, 30  # seconds
NODES_OF_AN_OWNER = 5
TIER_WEIGHTS = (60, 25, 15)  # percent of the nodes
COINS = 5_000  # outputs that the transfers begin with
COIN_VALUE = 1000 * COIN
MINERS = 20
FEE = 1000  # zatoshi
NEW_ADDRESS = 0.5  # how many of the payments go to an address never seen before
PORTS = (b"", b"", b":16127", b":16137")
LOOKS = 60  # nodes whose deadline is looked at in a block


def _genesis() -> tuple[bytes, bytes]:
    only = ordinary(coinbase(0, [(0, p2pkh(bytes(20)))]))
    return assemble(lambda root: pow_header(bytes(32), root, START_TIME, bytes(32), bytes(52)), False, [only])


@dataclass(frozen=True, slots=True)
class Owner:
    """A key and its P2PKH script."""

    pubkey: bytes
    script: bytes
    address: bytes


def owner_of(pubkey: bytes) -> Owner:
    """The owner with this public key."""
    key_hash = hash160(pubkey)
    return Owner(pubkey, p2pkh(key_hash), bytes((P2PKH,)) + key_hash)


class Coin(NamedTuple):
    """An output that can be spent: outpoint, zatoshi, script."""

    outpoint: bytes
    value: int
    script: bytes


class Spare(NamedTuple):
    """A collateral that no node has used: outpoint, zatoshi, owner."""

    outpoint: bytes
    value: int
    owner: Owner


def wire(point: bytes) -> bytes:
    """An outpoint as on the wire."""
    return point[:32] + point[:31:-1]


class Chain:
    """A chain in the making: ``tip`` is the hash of the last block, ``time`` its header time."""

    def __init__(self, plan: Plan, seed: int = 1) -> None:
        self.parameters = parameters(plan, hash_text(_genesis()[1]))
        self.network = network_of(self.parameters)
        self.plan = plan
        self.height, self.tip, self.time = -1, bytes(32), START_TIME
        self._eras = {era.pon: era_of(era, plan.nodes) for era in (POW, PON)}
        self._random = rnd = Random(seed)
        self._queue = NodeQueue(self.network, (), -1)
        self._owners = [owner_of(b"\x02" + rnd.randbytes(32)) for _ in range(plan.nodes // NODES_OF_AN_OWNER)]
        self._miners = [p2pkh(rnd.randbytes(20)) for _ in range(MINERS)]
        self._scripts = [p2pkh(rnd.randbytes(20)) for _ in range(COINS)]  # that were paid so far
        self._coins: list[Coin] = []
        self._spares: list[Spare] = []
        self._fresh: list[Node] = []  # started in the block before
        self._turns: deque[Node] = deque()  # the next to confirm first
        self._owed: dict[str, int] = {}

    def blocks(self) -> Iterator[bytes]:
        """All blocks of the plan, from genesis on."""
        plan = self.plan
        yield self._append(*_genesis())
        later = self._eras[False].starts * plan.pow_blocks + self._eras[True].starts * plan.pon_blocks
        yield self._premine(plan.nodes + later // 100 + 1)
        for height in range(2, plan.height + 1):
            self.time += PON_SPACING if height >= plan.pon_height else POW_SPACING
            yield self._block(self._due("starts", self._starts_at(height)))

    def _era(self, height: int) -> Era:
        return self._eras[height >= self.plan.pon_height]

    def _starts_at(self, height: int) -> int:
        """How many STARTs 100 blocks like this one have."""
        if height >= self.plan.steady:
            return self._era(height).starts
        return self.plan.nodes * 100 // RAMP if height >= FIRST_START else 0

    def _append(self, raw: bytes, hash: bytes) -> bytes:
        self.height += 1
        self.tip = hash
        if self.height == 0:
            self._queue.apply(BlockEvents(0))
        return raw

    def _premine(self, collaterals: int) -> bytes:
        """Block 1: the collaterals of all nodes, and the coins that the transfers begin with."""
        rnd = self._random
        tiers = rnd.choices(TIERS, TIER_WEIGHTS, k=collaterals)
        owners = rnd.choices(self._owners, k=collaterals)
        outputs = [(NEW_COLLATERAL[tier], owner.script) for tier, owner in zip(tiers, owners, strict=True)]
        outputs += [(COIN_VALUE, script) for script in self._scripts]
        piece = ordinary(coinbase(1, outputs))
        for vout, (value, script) in enumerate(outputs):
            point = outpoint(piece.txid, vout)
            if vout < collaterals:
                self._spares.append(Spare(point, value, owners[vout]))
            else:
                self._coins.append(Coin(point, value, script))
        self._queue.apply(BlockEvents(1))
        return self._append(*assemble(self._header, False, [piece]))

    def _block(self, starts: int) -> bytes:
        """The next block, with so many STARTs."""
        height = self.height + 1
        started = [self._start(height, index) for index in range(1, starts + 1)]
        pieces = [piece for piece, _ in started]
        chosen = self._confirming(height)
        pieces += [self._confirm(height, node) for node in chosen]
        transfers = [self._transfer(height) for _ in range(self._due("transfers", self._era(height).transfers))]
        pieces += [piece for piece, _ in transfers]
        first = self._coinbase(height, FEE * len(transfers))
        self._queue.apply(
            BlockEvents(
                height,
                [(node, None) for _, node in started],
                [(node.outpoint, node.status == Status.CONFIRMED, node.ip) for node in chosen],
                [point for _, spent in transfers for point in spent],
                tier_payouts(self.network, height),
            )
        )
        self._fresh = [node for _, node in started]
        self._turns.extend(chosen)
        pon = pon_active(self.network, height)
        return self._append(*assemble(self._header, pon, [first, *pieces]))

    def _due(self, what: str, per_hundred: int) -> int:
        """How many of ``what`` this block has, so that any 100 blocks have ``per_hundred``."""
        owed = self._owed.get(what, 0) + per_hundred
        self._owed[what] = owed % 100
        return owed // 100

    def _header(self, root: bytes) -> bytes:
        rnd, height = self._random, self.height + 1
        if not pon_active(self.network, height):
            return pow_header(self.tip, root, self.time, rnd.randbytes(32), rnd.randbytes(52))
        producer = self._turns[rnd.randrange(len(self._turns))].outpoint if self._turns else bytes(36)
        return pon_header(self.tip, root, self.time, wire(producer), rnd.randbytes(71))

    def _coinbase(self, height: int, fees: int) -> Piece:
        """Pays whom the queue names, and the rest to the dev fund or a miner."""
        payees = self._queue.payees(height)
        paid = [(tier_payout(self.network, height, tier), node.payee) for tier, node in payees]
        rest = block_subsidy(self.network, height) - sum(amount for amount, _ in paid) + fees
        pon = pon_active(self.network, height)
        last = p2sh(self.network.funds.dev_fund_address[1:]) if pon else self._random.choice(self._miners)
        return ordinary(coinbase(height, [*((amount, p2pkh(payee[1:])) for amount, payee in paid), (rest, last)]))

    def _start(self, height: int, index: int) -> tuple[Piece, Node]:
        """A START of a spare collateral; in the steady state a node gives up for it and expires."""
        rnd = self._random
        spare = self._spares.pop()
        pubkey, sig_time, sig = b"\x04" + rnd.randbytes(64), self.time, rnd.randbytes(65)
        key = spare.owner.pubkey
        fields = NodeStart(index, 5, 0, spare.outpoint, key, pubkey, b"", sig_time, sig, None)
        collateral = Collateral(spare.value, spare.owner.address, 1)
        node = started_node(self.network, height, txkey(height, index), fields, collateral, None)
        node.ip = b".".join(b"%d" % rnd.randint(1, 254) for _ in range(4)) + rnd.choice(PORTS)
        if len(self._turns) >= self.plan.nodes:
            del self._turns[rnd.randrange(len(self._turns))]
        return start(wire(spare.outpoint), key, pubkey, sig_time, sig), node

    def _confirming(self, height: int) -> list[Node]:
        """Who confirms in this block: newcomers, then those whose turn it is."""
        chosen = list(self._fresh)
        wait = windows(self.network, height).update_after
        due = max(self._due("confirms", self._era(height).confirms if self._turns else 0), self._pressing(height))
        while len(chosen) < due and self._turns and height - self._turns[0].last_confirmed > wait:
            chosen.append(self._turns.popleft())
        return chosen

    def _pressing(self, height: int) -> int:
        """How many confirmations a block must have from now on, so that nobody's time runs out before his turn."""
        turns, limit = self._turns, windows(self.network, height).expiry - height
        stride = len(turns) // LOOKS + 1
        wanted = ((n + stride) / max(1, turns[n].last_confirmed + limit) for n in range(0, len(turns), stride))
        return math.ceil(max(wanted, default=0))

    def _confirm(self, height: int, node: Node) -> Piece:
        rnd, update = self._random, node.status == Status.CONFIRMED
        sigs = rnd.randbytes(65), rnd.randbytes(65)
        return confirm(wire(node.outpoint), self.time, node.tier, update, node.ip, *sigs)

    def _transfer(self, height: int) -> tuple[Piece, list[bytes]]:
        """Two coins become a payment and the change, which goes back; returns the outpoints spent."""
        rnd = self._random
        spent = [self._coins.pop(rnd.randrange(len(self._coins))) for _ in range(2)]
        total = sum(coin.value for coin in spent) - FEE
        if rnd.random() < NEW_ADDRESS:
            self._scripts.append(p2pkh(rnd.randbytes(20)))
            payee = self._scripts[-1]
        else:
            payee = rnd.choice(self._scripts)
        outputs = [(total // 3, payee), (total - total // 3, spent[0].script)]
        inputs = [(wire(coin.outpoint), b"\x48" + rnd.randbytes(72) + b"\x21" + rnd.randbytes(33)) for coin in spent]
        piece = ordinary(sapling_transaction(inputs, outputs, expiry=height + 20))
        self._coins += [Coin(outpoint(piece.txid, n), value, script) for n, (value, script) in enumerate(outputs)]
        return piece, [coin.outpoint for coin in spent]
