"""The recorded chain as node events, with what the daemon said of its node lists after each block.

Read once a session: what is here depends on no rule of the queue, so that a changed rule can be run over it.
"""

from __future__ import annotations

import tomllib
from collections import ChainMap
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from indexer.chain import deadlines
from indexer.chain.address import decode_address
from indexer.chain.keys import outpoint, parse_outpoint, txkey
from indexer.chain.lists import Undo
from indexer.chain.nodes import Collateral, Node, Status, started_node
from indexer.chain.params import COIN, Network
from indexer.chain.params_file import network_from_mapping
from indexer.chain.queue import BlockEvents, Changes, NodeQueue
from indexer.chain.tiers import TIERS, Tier
from indexer.parse import parse_block
from indexer.parse.columns import NodeStart, ParsedBlock, ints
from tests import recorded

NETWORK: Network = network_from_mapping(tomllib.loads(recorded.NETWORK_FILE.read_text()), recorded.NETWORK_FILE.name)

# outpoint, ip, started, confirmed, last confirmed, last paid, payee, node key, collateral in zatoshi
Confirmed = tuple[bytes, bytes, int, int, int, int, bytes, bytes, int]
# outpoint, started, blocks left, payee, collateral in zatoshi
Waiting = tuple[bytes, int, int, bytes, int]


@dataclass(frozen=True, slots=True)
class Lists:
    """The daemon's node lists after a block: confirmed nodes by tier in payment order, started, DoS, next payees."""

    confirmed: tuple[list[Confirmed], ...]
    started: list[Waiting]
    dos: list[Waiting]
    winners: list[tuple[Tier, bytes]]


@dataclass(frozen=True, slots=True)
class RecordedBlock:
    """One block as node events, and the daemon's answers after it."""

    height: int
    hash: str
    starts: list[tuple[NodeStart, Collateral]]
    start_txids: list[bytes]
    confirms: list[tuple[bytes, int, bytes]]
    confirm_txids: list[bytes]
    spent: list[bytes]
    paid: frozenset[tuple[bytes, int]]  # address key and zatoshi of the coinbase's outputs
    lists: Lists


@dataclass(frozen=True, slots=True)
class Branch:
    """Blocks that lost a reorganisation, above ``fork``."""

    fork: int
    blocks: list[RecordedBlock]


Outputs = MutableMapping[bytes, Collateral]


def _outputs(height: int, block: ParsedBlock) -> dict[bytes, Collateral]:
    values, starts = ints(block.values, "q"), ints(block.output_start, "I")
    return {
        outpoint(block.txid(t), n): Collateral(values[i], block.addresses[21 * i : 21 * i + 21], height)
        for t in range(block.tx_count)
        for n, i in enumerate(range(starts[t], starts[t + 1]))
    }


def confirms_of(block: ParsedBlock) -> list[tuple[bytes, int, bytes]]:
    """The confirmations of a block in order: outpoint, update type, ip."""
    ends = ints(block.confirm_ip_start, "I")
    return [
        (block.confirm_outpoints[36 * i : 36 * i + 36], update, block.confirm_ips[ends[i] : ends[i + 1]])
        for i, update in enumerate(ints(block.confirm_updates, "b"))
    ]


def _read(height: int, block_hash: str, outputs: Outputs) -> RecordedBlock:
    block = parse_block(recorded.raw_by_hash()[block_hash])
    outputs.update(_outputs(height, block))
    reward = ints(block.output_start, "I")[1]
    return RecordedBlock(
        height,
        block_hash,
        [(start, outputs[start.outpoint]) for start in block.starts],
        [block.txid(start.index) for start in block.starts],
        confirms_of(block),
        [block.txid(index) for index in ints(block.confirm_index, "I")],
        [block.prevouts[i : i + 36] for i in range(0, len(block.prevouts), 36)],
        frozenset((block.addresses[21 * i : 21 * i + 21], ints(block.values, "q")[i]) for i in range(reward)),
        _lists(recorded.states()[block_hash]),
    )


@cache
def _address(text: str) -> bytes:
    return decode_address(text, NETWORK)


@cache
def _outpoint(text: str) -> bytes:
    point = parse_outpoint(text)
    assert point is not None
    return point


def _confirmed(entry: dict[str, Any]) -> Confirmed:
    return (
        _outpoint(entry["collateral"]),
        entry["ip"].encode(),
        entry["added_height"],
        entry["confirmed_height"],
        entry["last_confirmed_height"],
        entry["last_paid_height"],
        _address(entry["payment_address"]),
        bytes.fromhex(entry["pubkey"]),
        int(float(entry["amount"])) * COIN,
    )


def _waiting(entry: dict[str, Any], remaining: str) -> Waiting:
    return (
        _outpoint(entry["collateral"]),
        entry["added_height"],
        entry[remaining],
        _address(entry["payment_address"]),
        int(float(entry["amount"])) * COIN,
    )


def _lists(state: dict[str, Any]) -> Lists:
    nodes, winners = state["snapshot"]["nodes"], state["winner"]
    return Lists(
        tuple([_confirmed(n) for n in nodes if n["tier"] == tier.name] for tier in TIERS),
        [_waiting(entry, "expires_in") for entry in state["startlist"]],
        [_waiting(entry, "eligible_in") for entry in state["doslist"]],
        [(t, _outpoint(winners[key]["collateral"])) for t in TIERS if (key := f"{t.name} Winner") in winners],
    )


@cache
def chain() -> tuple[list[RecordedBlock], list[Branch]]:
    """The active chain by height, and the branches that lost."""
    active: list[RecordedBlock] = []
    branches: list[Branch] = []
    outputs: dict[bytes, Collateral] = {}
    for entry in recorded.blocks():
        active.append(_read(entry["height"], entry["hash"], outputs))
        stale = _stale_after(entry["hash"])
        if stale:
            branch: Outputs = ChainMap({}, outputs)
            branches.append(Branch(entry["height"], [_read(b["height"], b["hash"], branch) for b in stale]))
    return active, branches


def _stale_after(fork: str) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for entry in recorded.stale_blocks():
        if entry["block"]["previousblockhash"] == fork:
            blocks.append(entry)
            fork = entry["hash"]
    return blocks


def lists_of(queue: NodeQueue) -> Lists:
    """The queue's state in the form of the daemon's answers."""
    started, dos = queue.with_status(Status.STARTED), queue.with_status(Status.DOS)
    return Lists(
        tuple(
            [
                (n.outpoint, n.ip, n.started, n.confirmed, n.last_confirmed, n.last_paid, n.payee, n.pubkey, n.value)
                for n in queue.order(tier)
            ]
            for tier in TIERS
        ),
        [_row(*entry) for entry in deadlines.start_list(queue.network, started, queue.height)],
        [_row(*entry) for entry in deadlines.dos_list(queue.network, dos, queue.height)],
        [(tier, node.outpoint) for tier in TIERS if (node := queue.head(tier)) is not None],
    )


def _row(remaining: int, node: Node) -> Waiting:
    return node.outpoint, node.started, remaining, node.payee, node.value


class Follower:
    """A queue that is fed recorded blocks, and keeps what takes them back and the last record of every node."""

    def __init__(self, queue: NodeQueue) -> None:
        self.queue = queue
        self.last: dict[bytes, Node] = {}
        self.undos: list[Undo] = []

    def apply(self, block: RecordedBlock, amounts: Sequence[int] = (0, 0, 0)) -> Changes:
        """Connect a block."""
        undo = Undo(self.queue.height)
        events = BlockEvents(block.height, self.starts(block), block.confirms, block.spent, amounts)
        changes = self.queue.apply(events, undo)
        self.last.update(undo.left)
        self.undos.append(undo)
        return changes

    def starts(self, block: RecordedBlock) -> list[tuple[Node, Node | None]]:
        """The records that the STARTs of a block make, each with its last one."""
        network = self.queue.network
        pairs = []
        for start, collateral in block.starts:
            last = self.last.get(start.outpoint)
            key = txkey(block.height, start.index)
            pairs.append((started_node(network, block.height, key, start, collateral, last), last))
        return pairs

    def disconnect(self) -> None:
        """Take the last block back."""
        undo = self.undos.pop()
        self.queue.undo(undo)
        for point, image in undo.before.items():
            self.last.pop(point, None)
            if image is not None and image.status > Status.DOS:
                self.last[point] = image


def follow(queue: NodeQueue, branches: bool = True) -> Iterator[tuple[RecordedBlock, Follower, Changes]]:
    """Feed the recorded chain to a queue at height 0, each lost branch before the blocks that replaced it.

    Yields after every block; a branch is taken back by ``undo`` before the next block of the active chain.
    """
    active, lost = chain()
    forks = {branch.fork: branch.blocks for branch in lost if branches}
    follower = Follower(queue)
    for block in active:
        if block.height:
            yield block, follower, follower.apply(block)
        for stale in forks.get(block.height, ()):
            yield stale, follower, follower.apply(stale)
        for _ in forks.get(block.height, ()):
            follower.disconnect()
