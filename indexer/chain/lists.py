"""The daemon's node lists at one height: records, payment order, deadlines, and what takes a change back.

The state is a function of the records of the live nodes. What makes a step cheap is derived from them: per
tier the confirmed nodes in payment order, and per list the nodes in order of the height from which their next
deadline counts. A node that joins a tier or is paid goes to the back, because the height it is ordered by
exceeds all earlier ones; so a step sorts nothing but the newcomers of one block. Undoing restores records and
lets the rest be derived anew, once, when it is next asked for.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from indexer.chain.nodes import Node, Status, order_key
from indexer.chain.tiers import TIERS, Tier

Deadlines = deque[tuple[int, list[Node]]]
"""Nodes by the height from which a deadline counts, ascending; an entry may be outdated, so check it when due."""


@dataclass(slots=True)
class Undo:
    """What restores the state after block ``height``, however many blocks were applied since.

    It also tells what a batch touched: ``before`` has each touched node as it was (its last record from an
    earlier life, None when it had none), ``left`` the final record of those that are on no list any more.
    """

    height: int
    before: dict[bytes, Node | None] = field(default_factory=dict)
    left: dict[bytes, Node] = field(default_factory=dict)

    def remember(self, node: Node) -> None:
        """Keep a live record as it is, unless it was kept before."""
        if node.outpoint not in self.before:
            self.before[node.outpoint] = node.copy()


def _deadlines(nodes: Iterable[tuple[int, Node]]) -> Deadlines:
    by_height: defaultdict[int, list[Node]] = defaultdict(list)
    for since, node in nodes:
        by_height[since].append(node)
    return deque(sorted(by_height.items()))


def due(deadlines: Deadlines, until: int) -> Iterator[tuple[int, Node]]:
    """Take the entries that count from ``until`` or before."""
    while deadlines and deadlines[0][0] <= until:
        since, nodes = deadlines.popleft()
        for node in nodes:
            yield since, node


class NodeLists:
    """All nodes on the daemon's lists after block ``height``."""

    def __init__(self, nodes: Iterable[Node] = (), height: int = 0) -> None:
        """``nodes`` are the live records as of ``height``; they belong to the lists from now on."""
        self.height = height
        self._live = {node.outpoint: node for node in nodes}
        self._derive()

    def _derive(self) -> None:
        by_status: defaultdict[int, list[Node]] = defaultdict(list)
        for node in self._live.values():
            by_status[node.status].append(node)
        self._tiers: dict[Tier, OrderedDict[bytes, Node]] = {tier: OrderedDict() for tier in TIERS}
        for node in sorted(by_status[Status.CONFIRMED], key=order_key):
            self._tiers[node.tier][node.outpoint] = node
        self._started = _deadlines((n.started, n) for n in by_status[Status.STARTED])
        self._dos = _deadlines((n.started, n) for n in by_status[Status.DOS])
        self._confirmed = _deadlines((n.last_confirmed, n) for n in by_status[Status.CONFIRMED])
        self._outdated = False

    def _refresh(self) -> None:
        if self._outdated:
            self._derive()

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[Node]:
        return iter(self._live.values())

    def get(self, outpoint: bytes) -> Node | None:
        """The live node with this collateral."""
        return self._live.get(outpoint)

    def with_status(self, status: Status) -> list[Node]:
        """The live nodes with a status, in no particular order."""
        return [node for node in self._live.values() if node.status == status]

    def order(self, tier: Tier) -> Iterable[Node]:
        """The confirmed nodes of a tier in payment order; the position is the rank."""
        self._refresh()
        return self._tiers[tier].values()

    def head(self, tier: Tier) -> Node | None:
        """The node of a tier that is paid next."""
        return next(iter(self.order(tier)), None)

    def count(self, tier: Tier) -> int:
        """How many nodes of a tier are confirmed."""
        self._refresh()
        return len(self._tiers[tier])

    # The moves of one block. They assume that the derived order is up to date.

    def _append_confirmed(self, nodes: Iterable[Node]) -> None:
        for node in sorted(nodes, key=order_key):
            self._tiers[node.tier][node.outpoint] = node

    def _move_to_back(self, node: Node) -> None:
        self._tiers[node.tier].move_to_end(node.outpoint)

    def _drop(self, node: Node) -> None:
        del self._live[node.outpoint]
        self._tiers[node.tier].pop(node.outpoint, None)

    def undo(self, undo: Undo) -> None:
        """Go back to the state in which ``undo`` was begun."""
        for outpoint, image in undo.before.items():
            if image is not None and image.status <= Status.DOS:
                self._live[outpoint] = image.copy()
            else:
                self._live.pop(outpoint, None)
        self.height = undo.height
        self._outdated = True
