"""The demo chain's state after its tip: coins, node lists, pools, parallel chains; what takes the last blocks back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from indexer.chain.keys import NO_ADDRESS, hash_text, outkey, outkey_height, txkey
from indexer.chain.lists import Undo
from indexer.chain.nodes import Collateral, Node, started_node
from indexer.chain.params import Network
from indexer.chain.payouts import tier_payouts
from indexer.chain.queue import BlockEvents, NodeQueue
from indexer.chain.scripts import unspendable
from indexer.chain.tiers import NEW_COLLATERAL, OLD_COLLATERAL
from indexer.demo.files import BlockFile
from indexer.demo.parallel.bridge import Bridge
from indexer.errors import ChainError
from indexer.parse import parse_block
from indexer.parse.columns import EXACT_P2SH, TRANSFER, NodeStart, ParsedBlock, ints
from indexer.state.delta import Coin
from indexer.state.nodes import confirmations

KEPT_UNDO = 20
COLLATERALS = frozenset((*OLD_COLLATERAL.values(), *NEW_COLLATERAL.values()))


class Place(NamedTuple):
    """A block: its hash, header fields, and where its bytes are in the block file."""

    hash: bytes
    prev_hash: bytes
    time: int
    bits: int
    height: int
    at: int
    size: int


@dataclass(slots=True)
class BlockUndo:
    """What takes one block back."""

    queue: Undo
    spent: list[tuple[bytes, Coin]] = field(default_factory=list)
    made: list[tuple[bytes, Coin]] = field(default_factory=list)
    former: list[tuple[bytes, Node | None]] = field(default_factory=list)
    txids: list[tuple[bytes, tuple[int, int] | None]] = field(default_factory=list)
    sprout: int = 0
    sapling: int = 0


class DemoChain:
    """The active chain of a block file, block by block."""

    def __init__(self, network: Network, file: BlockFile) -> None:
        self.network = network
        self.file = file
        self.active: list[Place] = []
        self.by_hash: dict[bytes, Place] = {}  # those that lost a reorganisation too
        self.coins: dict[bytes, Coin] = {}
        self.coins_of: dict[bytes, dict[bytes, Coin]] = {}  # by address key
        self.collaterals: dict[bytes, Coin] = {}  # coins of an exact collateral amount
        self.queue = NodeQueue(network, height=-1)
        self.former: dict[bytes, Node] = {}
        self.transactions: dict[bytes, tuple[int, int]] = {}  # txid -> height, index; of equal ones the last
        self.sprout = self.sapling = 0
        self.bridge = Bridge(network)
        self._undo: deque[BlockUndo] = deque(maxlen=KEPT_UNDO)

    @property
    def height(self) -> int:
        """The height of the tip, -1 before the genesis block."""
        return len(self.active) - 1

    @property
    def tip(self) -> Place:
        """The last block."""
        return self.active[-1]

    def raw(self, place: Place) -> bytes:
        """The bytes of a block."""
        return self.file.read(place.at, place.size)

    def parsed(self, place: Place) -> ParsedBlock:
        """A block as columns."""
        return parse_block(self.raw(place))

    def append(self, raw: bytes) -> ParsedBlock:
        """Write a block and make it the tip."""
        block = parse_block(raw)
        self.connect(self.note(block, *self.file.append(raw)), block)
        return block

    def note(self, block: ParsedBlock, at: int, size: int) -> Place:
        """Know a block of the file, on whichever branch it is."""
        parent = self.by_hash.get(block.prev_hash)
        if parent is None and self.by_hash:
            raise ChainError(f"block {hash_text(block.hash)} of the demo chain follows none that is known")
        height = parent.height + 1 if parent else 0
        place = Place(block.hash, block.prev_hash, block.time, block.bits, height, at, size)
        self.by_hash[block.hash] = place
        return place

    def connect(self, place: Place, block: ParsedBlock) -> None:
        """Make a noted block, the child of the tip, the tip."""
        undo = BlockUndo(Undo(self.height))
        starts = [self._started(place.height, start) for start in block.starts]
        self._move_coins(block, place.height, undo)
        self.queue.apply(
            BlockEvents(
                place.height,
                starts,
                confirmations(block),
                [point for point, _ in undo.spent],
                tier_payouts(self.network, place.height),
            ),
            undo.queue,
        )
        undo.former = [(point, self.former.get(point)) for point in undo.queue.left]
        self.former.update(undo.queue.left)
        for index in range(block.tx_count):
            undo.txids.append((block.txid(index), self.transactions.get(block.txid(index))))
            self.transactions[block.txid(index)] = place.height, index
        self.bridge.connected(place.height, block, dict(undo.spent))
        self.active.append(place)
        self._undo.append(undo)

    def _started(self, height: int, start: NodeStart) -> tuple[Node, Node | None]:
        coin, former = self.coins[start.outpoint], self.former.get(start.outpoint)
        collateral = Collateral(coin.value, coin.address, outkey_height(coin.outkey))
        return started_node(self.network, height, txkey(height, start.index), start, collateral, former), former

    def _move_coins(self, block: ParsedBlock, height: int, undo: BlockUndo) -> None:
        inputs, outputs = ints(block.input_start, "I"), ints(block.output_start, "I")
        values = ints(block.values, "q")
        for index, kind in enumerate(block.kinds):
            if kind > TRANSFER:
                continue
            for number in range(inputs[index], inputs[index + 1]):
                point = block.prevouts[36 * number : 36 * number + 36]
                undo.spent.append((point, self._take(point)))
            txid = block.txid(index)
            for vout, output in enumerate(range(outputs[index], outputs[index + 1])):
                form, address = block.forms[output], block.addresses[21 * output : 21 * output + 21]
                if height and not (form > EXACT_P2SH and unspendable(block.script(output))):
                    point = txid + vout.to_bytes(4, "big")
                    coin = Coin(outkey(height, index, vout), address, values[output], form)
                    self._put(point, coin)
                    undo.made.append((point, coin))
        undo.sprout = sum(ints(block.sprout_in, "q")) - sum(ints(block.sprout_out, "q"))
        undo.sapling = -sum(ints(block.value_balances, "q"))
        self.sprout += undo.sprout
        self.sapling += undo.sapling

    def _put(self, point: bytes, coin: Coin) -> None:
        self.coins[point] = coin
        if coin.address != NO_ADDRESS:
            self.coins_of.setdefault(coin.address, {})[point] = coin
        if coin.value in COLLATERALS:
            self.collaterals[point] = coin

    def _take(self, point: bytes) -> Coin:
        coin = self.coins.pop(point)
        if coin.address != NO_ADDRESS:
            del self.coins_of[coin.address][point]
        self.collaterals.pop(point, None)
        return coin

    def disconnect(self) -> ParsedBlock:
        """Take the tip off the active chain; its block is returned."""
        undo, place = self._undo.pop(), self.active.pop()
        self.bridge.disconnected()
        self.queue.undo(undo.queue)
        for point, former in undo.former:
            if former is None:
                del self.former[point]
            else:
                self.former[point] = former
        made = dict(undo.made)
        for point in made:
            if point in self.coins:
                self._take(point)
        for point, coin in undo.spent:
            if point not in made:
                self._put(point, coin)
        self.sprout -= undo.sprout
        self.sapling -= undo.sapling
        self._forget(undo)
        return self.parsed(place)

    def _forget(self, undo: BlockUndo) -> None:
        for txid, before in reversed(undo.txids):
            if before is None:
                del self.transactions[txid]
            else:
                self.transactions[txid] = before

    @property
    def undoable(self) -> int:
        """How many blocks can be taken off."""
        return len(self._undo)


def load(network: Network, file: BlockFile) -> DemoChain:
    """The chain of a block file: of the longest branches the one that was first (``main.cpp:FindMostWorkChain``)."""
    chain = DemoChain(network, file)
    best: Place | None = None
    for at, size in file.places():
        place = chain.note(parse_block(file.read(at, size)), at, size)
        if best is None or place.height > best.height:
            best = place
    branch: list[Place] = []
    while best is not None:
        branch.append(best)
        best = chain.by_hash.get(best.prev_hash)
    for place in reversed(branch):
        chain.connect(place, chain.parsed(place))
    return chain
