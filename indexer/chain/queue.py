"""The life of nodes as a state machine: state after block h - 1 and the events of block h give state after h.

Source: ``main.cpp: ConnectBlock``; ``fluxnode.cpp: CheckFluxnodePayout, Flush``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from indexer.chain import tiers
from indexer.chain.keys import outpoint_text
from indexer.chain.lists import NodeLists, Undo, due
from indexer.chain.nodes import Node, Status
from indexer.chain.params import Network, upgrade_active
from indexer.chain.tiers import TIERS, Tier, Windows
from indexer.errors import ChainError


class Event(Enum):
    """What can befall a node."""

    START = "start"
    CONFIRM = "confirm"
    UPDATE = "update"
    IP_CHANGE = "ip_change"  # detail: the former text
    PAYOUT = "payout"  # detail: zatoshi
    DOS = "dos"
    RELEASED = "released"
    EXPIRED = "expired"
    SPENT = "spent"
    REMOVED = "removed"


ENDINGS = {
    Event.RELEASED: Status.RELEASED,
    Event.EXPIRED: Status.EXPIRED,
    Event.SPENT: Status.SPENT,
    Event.REMOVED: Status.REMOVED,
}

STARTED, CONFIRMED, DOS = Status.STARTED, Status.CONFIRMED, Status.DOS

INITIAL, UPDATE = 0, 1
"""Update types of a confirmation (``transaction.h: FLUXNODE_UPDATE_TYPE``)."""


@dataclass(slots=True)
class BlockEvents:
    """What a block does to nodes."""

    height: int
    starts: Sequence[tuple[Node, Node | None]] = ()  # made by nodes.started_node, with its ``previous``
    confirms: Iterable[tuple[bytes, int, bytes]] = ()  # outpoint, update type, ip; in block order
    spent: Iterable[bytes] = ()  # prevouts of the ordinary transactions, whether of nodes or not
    amounts: Sequence[int] = (0, 0, 0)  # zatoshi due to a node of each tier


@dataclass(slots=True)
class Changes:
    """What a block did: the nodes it paid and those it confirmed, in its order, and every event with its detail."""

    paid: list[tuple[Tier, Node]]
    confirmed: list[Node] = field(default_factory=list)
    events: list[tuple[Event, Node, bytes | int | None]] = field(default_factory=list)


def pays_nodes(network: Network, height: int) -> bool:
    """Whether the coinbase of block ``height`` must pay nodes (``main.cpp: ConnectBlock``)."""
    return height >= network.nodes.payments_from


class NodeQueue(NodeLists):
    """The node lists of one network, stepped block by block."""

    def __init__(self, network: Network, nodes: Iterable[Node] = (), height: int = 0) -> None:
        """``nodes`` are the live records as of ``height``; they belong to the queue from now on."""
        super().__init__(nodes, height)
        self.network = network
        self._sweep_heights = tiers.sweep_heights(network)

    def payees(self, height: int) -> list[tuple[Tier, Node]]:
        """Whom block ``height`` must pay, from the state after ``height`` - 1 (``fluxnode.cpp: GetNextPayment``)."""
        if not pays_nodes(self.network, height):
            return []
        return [(tier, node) for tier in TIERS if (node := self.head(tier)) is not None]

    def apply(self, block: BlockEvents, undo: Undo | None = None) -> Changes:
        """Take the step of one block; ``undo`` collects what takes it back, for one block or a batch.

        The daemon looks everything up in the state before the block and changes it afterwards. Here the
        look-ups that later moves of the same block would disturb, payees and spent collaterals, come first.
        ChainError when the block starts or confirms a node that is not in the state for it: since the daemon
        accepted the block, our record is wrong. What was done of the block by then, ``undo`` takes back.
        """
        if block.height != self.height + 1:
            raise ChainError(f"block {block.height} does not follow height {self.height}: apply blocks in order")
        self._refresh()
        undo = undo if undo is not None else Undo(self.height)
        windows = tiers.windows(self.network, block.height)
        changes = Changes(self.payees(block.height))
        spent = self._spent(block)
        self._start(block, undo, changes)
        self._confirm(block, undo, changes)
        self._expire_starts(block.height, windows, undo, changes)
        self._end(Event.RELEASED, self._releases(block.height, windows), block.height, undo, changes)
        self._end(Event.SPENT, spent, block.height, undo, changes)
        self._end(Event.REMOVED, self._lapsed(block.height), block.height, undo, changes)
        self._end(Event.EXPIRED, self._stale(block.height, windows), block.height, undo, changes)
        self._pay(block, undo, changes)
        self.height = block.height
        return changes

    def _start(self, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        """START: on to the start list (``fluxnode.cpp: AddNewStart``)."""
        for node, previous in block.starts:
            live = self._live.get(node.outpoint)
            if live is not None:
                raise _contradiction(node.outpoint, block.height, "a START", live)
            undo.before.setdefault(node.outpoint, previous)
            undo.left.pop(node.outpoint, None)
            self._live[node.outpoint] = node
            changes.events.append((Event.START, node, None))
        if block.starts:
            self._started.append((block.height, [node for node, _ in block.starts]))

    def _confirm(self, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        """Initial confirmations: to the back of the queue. Updates: a new deadline, and the ip as signed."""
        height, live, before, record = block.height, self._live, undo.before, changes.events.append
        updated, changed = Event.UPDATE, Event.IP_CHANGE  # looked up once: most of the chain passes here
        initial: list[Node] = []
        confirmed = changes.confirmed
        for outpoint, update, ip in block.confirms:
            node = live.get(outpoint)
            if node is None or not _confirmable(node, update, height):
                raise _contradiction(outpoint, height, "an update" if update else "an initial confirmation", node)
            if outpoint not in before:
                before[outpoint] = node.copy()
            if update:
                record((updated, node, None))
                if ip != node.ip:
                    record((changed, node, node.ip))
            else:
                record((Event.CONFIRM, node, None))
                node.status, node.confirmed = CONFIRMED, height
                initial.append(node)
            node.ip, node.last_confirmed = ip, height
            confirmed.append(node)
        if confirmed:
            self._confirmed.append((height, confirmed))
            self._append_confirmed(initial)

    def _expire_starts(self, height: int, windows: Windows, undo: Undo, changes: Changes) -> None:
        """STARTs that waited for their confirmation in vain: to the DoS list."""
        for since, node in due(self._started, height - windows.start_wait):
            if node.status != STARTED:
                continue
            undo.remember(node)
            node.status = DOS
            self._dos.append((since, [node]))
            changes.events.append((Event.DOS, node, None))

    def _releases(self, height: int, windows: Windows) -> Iterator[Node]:
        """DoS entries whose time is over: counted from the START, at that height only before PoN."""
        exact = not upgrade_active(self.network.upgrades.pon, height)
        for since, node in due(self._dos, height - windows.dos_release):
            if node.status == DOS and not (exact and since + windows.dos_release != height):
                yield node

    def _spent(self, block: BlockEvents) -> list[Node]:
        """Nodes confirmed before the block whose collateral it spends; STARTED and DoS nodes stay."""
        live = self._live
        return [
            node for outpoint in block.spent if (node := live.get(outpoint)) is not None and node.status == CONFIRMED
        ]

    def _lapsed(self, height: int) -> list[Node]:
        """Confirmed nodes whose collateral is no amount of any tier any more, from the end of their own transition."""
        if height not in self._sweep_heights:
            return []
        return [
            node
            for tier in TIERS
            if tiers.transition_ended(self.network, tier, height)
            for node in self.order(tier)
            if not tiers.collateral_acceptable(self.network, node.value, height)
        ]

    def _stale(self, height: int, windows: Windows) -> Iterator[Node]:
        """Confirmed nodes whose last confirmation, this block's included, is more than E blocks ago."""
        for since, node in due(self._confirmed, height - windows.expiry - 1):
            if node.status == CONFIRMED and node.last_confirmed == since:
                yield node

    def _end(self, event: Event, nodes: Iterable[Node], height: int, undo: Undo, changes: Changes) -> None:
        """Take nodes off the lists."""
        for node in nodes:
            undo.remember(node)
            undo.left[node.outpoint] = node
            self._drop(node)
            node.status, node.ended = ENDINGS[event], height
            changes.events.append((event, node, None))

    def _pay(self, block: BlockEvents, undo: Undo, changes: Changes) -> None:
        """The payees chosen before the block: paid even if it took them off the list, else to the back."""
        for tier, node in changes.paid:
            undo.remember(node)
            amount = block.amounts[tier - 1]
            node.last_paid = block.height
            node.paid_count += 1
            node.paid_total += amount
            changes.events.append((Event.PAYOUT, node, amount))
            if node.status == CONFIRMED:
                self._move_to_back(node)


def _confirmable(node: Node, update: int, height: int) -> bool:
    """Whether a node may confirm in block ``height``, by its state before; one node transaction a block."""
    if update == UPDATE:
        return node.status == CONFIRMED and node.last_confirmed < height
    return update == INITIAL and node.status == STARTED and node.started < height


def _contradiction(outpoint: bytes, height: int, what: str, node: Node | None) -> ChainError:
    state = f"{Status(node.status).label}, started at {node.started}" if node else "on no list"
    return ChainError(
        f"block {height} has {what} of node {outpoint_text(outpoint)}, which is {state}: "
        "the node lists of this index are wrong; rewind below the START and index again"
    )
