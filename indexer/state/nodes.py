"""The node lists over the store: the pure queue, fed with parsed blocks, and what a batch did to node records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter

from indexer.chain.keys import outkey_height, outpoint_text, txkey
from indexer.chain.lists import Undo
from indexer.chain.nodes import Collateral, Node, Status, order_key, started_node
from indexer.chain.params import Network
from indexer.chain.payouts import tier_payouts
from indexer.chain.queue import BlockEvents, Changes, Event, NodeQueue
from indexer.chain.tiers import Tier
from indexer.errors import ChainError
from indexer.parse.columns import NodeStart, ParsedBlock, ints
from indexer.state.delta import Coin, NodeChange, NodeRow, Start
from indexer.state.reader import Reader

_row_of = attrgetter(*NodeRow._fields)

# What happens to nodes and is kept elsewhere: with the STARTs, the confirmations, the payouts.
_KEPT_ELSEWHERE = (Event.START, Event.UPDATE, Event.PAYOUT)


class NodeBook:
    """Every live node in memory, the others by the reader."""

    def __init__(self, network: Network, reader: Reader, height: int) -> None:
        self._network = network
        self._reader = reader
        self.queue = NodeQueue(network, map(node_of, reader.live_nodes()), height)
        self._undo = Undo(height)
        self._known: dict[bytes, Node] = {}  # former nodes that start again in this batch
        self._left: list[dict[bytes, Node]] = [{}]  # nodes that left the lists, by batch not yet committed

    def begin(self, outpoints: Iterable[bytes]) -> None:
        """A batch begins in which these outpoints start: have their former records at hand."""
        self._undo = Undo(self.queue.height)
        self._left.append(self._undo.left)
        missing = [point for point in outpoints if self.queue.get(point) is None and self._former(point) is None]
        rows = self._reader.nodes_by_outpoint(missing) if missing else {}
        self._known = {point: node_of(row) for point, row in rows.items()}

    def start(self, height: int, start: NodeStart, coin: Coin | None) -> tuple[Node, Node | None]:
        """The record that a START makes, and the former one of its outpoint."""
        if coin is None:
            raise ChainError(
                f"START of {outpoint_text(start.outpoint)} in block {height}: its collateral is no unspent output; "
                "the utxos of this index are wrong: index from the start with an empty database"
            )
        collateral = Collateral(coin.value, coin.address, outkey_height(coin.outkey))
        former = self._former(start.outpoint)
        return started_node(self._network, height, txkey(height, start.index), start, collateral, former), former

    def producer(self, block: ParsedBlock) -> tuple[int, int] | None:
        """Id and status of the node that produced the next block, on whichever list it is; None for no node.

        Only confirmed nodes produce with stock software, but a block of a started or a DoS node is valid too
        (``pon/pon.cpp: ContextualCheckPONBlockHeader``).
        """
        node = self.queue.get(block.producer) if block.producer else None
        return None if node is None else (node.id, int(node.status))

    def apply(
        self, block: ParsedBlock, height: int, starts: Sequence[tuple[Node, Node | None]], spent: Iterable[bytes]
    ) -> Changes:
        """Step the queue by one block."""
        events = BlockEvents(height, starts, confirmations(block), spent, tier_payouts(self._network, height))
        return self.queue.apply(events, self._undo)

    def rows(self) -> tuple[list[NodeRow], list[NodeRow], list[int]]:
        """What the batch did: nodes as they are, as they were, and the ids of those that were not there."""
        after, before, made = [], [], []
        for outpoint, former in self._undo.before.items():
            node = self.queue.get(outpoint) or self._undo.left[outpoint]
            after.append(node_row(node))
            if former is None:
                made.append(node.id)
            else:
                before.append(node_row(former))
        return after, before, made

    def committed(self) -> None:
        """The oldest batch is in the store: its former nodes can be read there."""
        self._left.pop(0)

    def _former(self, outpoint: bytes) -> Node | None:
        for left in reversed(self._left):
            if outpoint in left:
                return left[outpoint]
        return self._known.get(outpoint)


def confirmations(block: ParsedBlock) -> Iterable[tuple[bytes, int, bytes]]:
    """Outpoint, update type and ip of each confirmation of a block, in order."""
    points = block.confirm_outpoints
    ip_start = ints(block.confirm_ip_start, "I")
    return zip(
        [points[at : at + 36] for at in range(0, len(points), 36)],
        block.confirm_updates,
        map(block.confirm_ips.__getitem__, map(slice, ip_start, ip_start[1:])),
        strict=True,
    )


def changes_of(changes: Changes) -> tuple[NodeChange, ...]:
    """What the last block did to nodes, in the order in which it takes effect.

    First confirmations come in the order in which they join the queue, so that whoever reads the rows needs no
    outpoint to know it.
    """
    joined = sorted((node for event, node, _ in changes.events if event is Event.CONFIRM), key=order_key)
    others = (entry for entry in changes.events if entry[0] not in _KEPT_ELSEWHERE and entry[0] is not Event.CONFIRM)
    return (
        *(NodeChange(Event.CONFIRM, node.id, node.tier, node.ip) for node in joined),
        *(_node_change(event, node, detail) for event, node, detail in others),
    )


def _node_change(event: Event, node: Node, detail: bytes | int | None) -> NodeChange:
    if event is Event.IP_CHANGE:
        assert isinstance(detail, bytes)
        return NodeChange(event, node.id, node.tier, node.ip, detail)
    return NodeChange(event, node.id, node.tier)


def start_of(node: Node, start: NodeStart) -> Start:
    """A START with what its record says."""
    return Start(start, node.id, node.tier, node.value, node.payee, node.payee_kind)


def node_row(node: Node) -> NodeRow:
    """A node as it is now."""
    return NodeRow._make(_row_of(node))


def node_of(row: NodeRow) -> Node:
    """A node from its stored record."""
    fields = row._asdict()
    fields["status"], fields["tier"] = Status(row.status), Tier(row.tier)
    return Node(**fields)
