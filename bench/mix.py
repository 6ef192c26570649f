"""A valid linked chain of raw blocks in the shape of the main net, for every bench.

Per 100 blocks of the proof-of-work node era: 6,000 confirmations, 15 starts, 100 coinbases of 4 outputs, 150
transfers of 2 inputs and 2 outputs; of the proof-of-node era 1,340, 5, 100 and 100. Three quarters of the blocks
are of the first kind. Signatures and proofs are random bytes; hashes, links and merkle roots are real.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from indexer.sample.chain import PON_SPACING, POW_SPACING, START_TIME
from indexer.sample.shape import PON, POW, Era
from indexer.sample.wire import (
    Piece,
    assemble,
    coinbase,
    confirm,
    ordinary,
    p2pkh,
    pon_header,
    pow_header,
    sapling_transaction,
    start,
    wire_outpoint,
)

COIN = 10**8
NODES = 15_000


@dataclass(slots=True)
class Node:
    """A node of the mix."""

    collateral: bytes
    tier: int
    payee: bytes
    ip: bytes


@dataclass(slots=True)
class Mix:
    """A chain in the making; deterministic by its seed.

    Transfers spend earlier outputs: those of the opening coinbase, then change. Node collaterals and input
    signatures are random: a parser and an indexer do not judge them.
    """

    seed: int = 1
    height: int = 0
    tip: bytes = bytes(32)
    time: int = START_TIME
    random: Random = field(init=False)
    nodes: list[Node] = field(init=False)
    coins: list[tuple[bytes, int]] = field(init=False, default_factory=list)
    owed: dict[str, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.nodes = [self._new_node() for _ in range(NODES)]

    def blocks(self, count: int, pow_share: float = 0.75) -> Iterator[bytes]:
        """The next ``count`` raw blocks: the proof-of-work ones first."""
        pow_blocks = round(count * pow_share)
        for i in range(count):
            yield self.block(POW if i < pow_blocks else PON)

    def block(self, era: Era) -> bytes:
        """The next raw block."""
        self.height += 1
        self.time += PON_SPACING if era.pon else POW_SPACING
        transactions = [self._coinbase()]
        transactions += [self._start() for _ in range(self._due("starts", era.starts))]
        confirms = self._due("confirms", era.confirms)
        transactions += [self._confirm(n) for n in self.random.sample(self.nodes, confirms)]
        transactions += [t for t in (self._transfer() for _ in range(self._due("transfers", era.transfers))) if t]
        raw, self.tip = assemble(lambda root: self._header(era, root), era.pon, transactions)
        return raw

    def _due(self, what: str, per_hundred: int) -> int:
        """How many of ``what`` this block has, so that any 100 blocks have ``per_hundred``."""
        owed = self.owed.get(what, 0) + per_hundred
        self.owed[what] = owed % 100
        return owed // 100

    def _header(self, era: Era, root: bytes) -> bytes:
        rnd = self.random.randbytes
        if era.pon:
            return pon_header(self.tip, root, self.time, self.random.choice(self.nodes).collateral, rnd(71))
        return pow_header(self.tip, root, self.time, rnd(32), rnd(52))

    def _new_node(self) -> Node:
        rnd = self.random
        ip = ".".join(str(rnd.randint(1, 254)) for _ in range(4)) + rnd.choice(["", "", ":16127", ":16137"])
        return Node(wire_outpoint(rnd.randbytes(32), rnd.randrange(3)), rnd.choice([1, 1, 1, 2, 3]), rnd.randbytes(20),
                    ip.encode())  # fmt: skip

    def _coinbase(self) -> Piece:
        outputs = [(value * COIN // 100, p2pkh(node.payee)) for value, node in zip(
            (3750, 563, 938, 2250), self.random.sample(self.nodes, 4), strict=True)]  # fmt: skip
        if self.height == 1:
            outputs = [(1000 * COIN, p2pkh(self.random.randbytes(20))) for _ in range(5000)]
        piece = ordinary(coinbase(self.height, outputs))
        if self.height == 1:
            self.coins += [(wire_outpoint(piece.txid, i), 1000 * COIN) for i in range(len(outputs))]
        return piece

    def _start(self) -> Piece:
        rnd = self.random.randbytes
        node = self._new_node()
        self.nodes[self.random.randrange(NODES)] = node
        return start(node.collateral, b"\x02" + rnd(32), b"\x04" + rnd(64), self.time, rnd(65))

    def _confirm(self, node: Node) -> Piece:
        rnd = self.random.randbytes
        return confirm(node.collateral, self.time, node.tier, True, node.ip, rnd(65), rnd(65))

    def _transfer(self) -> Piece | None:
        if len(self.coins) < 2:
            return None
        rnd = self.random.randbytes
        spent = [self.coins.pop(self.random.randrange(len(self.coins))) for _ in range(2)]
        total = sum(value for _, value in spent) - 1000
        inputs = [(point, b"\x48" + rnd(72) + b"\x21" + rnd(33)) for point, _ in spent]
        outputs = [(total // 3, p2pkh(rnd(20))), (total - total // 3, p2pkh(rnd(20)))]
        piece = ordinary(sapling_transaction(inputs, outputs, expiry=self.height + 20))
        self.coins += [(wire_outpoint(piece.txid, i), value) for i, (value, _) in enumerate(outputs)]
        return piece


def mix(count: int, seed: int = 1) -> list[bytes]:
    """``count`` raw blocks of the mix, without the opening block that funds its transfers."""
    chain = Mix(seed)
    chain.block(POW)
    return list(islice(chain.blocks(count), count))
