"""The node lists of any past height: a snapshot below it, and everything that changed in between, replayed.

A snapshot knows nodes by id and in payment order. That is enough to go on from there: who joins a tier or is paid
goes to the back (``lists.py``), and nothing else changes the order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from indexer.chain.keys import txkey_height
from indexer.chain.lists import NodeLists
from indexer.chain.nodes import Status
from indexer.chain.queue import Event
from indexer.chain.tiers import TIERS, Tier
from indexer.errors import ChainError

SNAPSHOT_EVERY = 1024
"""Blocks between two snapshots."""

LISTS = tuple(product((Status.CONFIRMED, Status.STARTED, Status.DOS), TIERS))
"""The lists of a snapshot, in order."""

Place = tuple[int, int]
"""Height of the first confirmation, of the START before that; height of the last payment, 0 for none."""

Members = dict[int, Place]
"""Nodes of a list by id (txkey of the first START); confirmed ones in payment order."""


class Change(NamedTuple):
    """What happened to a node in a block."""

    height: int
    event: Event
    node: int
    tier: Tier


@dataclass(frozen=True, slots=True)
class PastLists:
    """Who was on which list after block ``height``."""

    height: int
    members: dict[tuple[Status, Tier], Members]

    def order(self, tier: Tier) -> Members:
        """The confirmed nodes of a tier in payment order."""
        return self.members[Status.CONFIRMED, tier]

    def count(self, status: Status, tier: Tier) -> int:
        """How many nodes of a tier are on a list."""
        return len(self.members[status, tier])


def no_lists(height: int = -1) -> PastLists:
    """The lists before the first node."""
    return PastLists(height, {name: {} for name in LISTS})


def past_lists(lists: NodeLists) -> PastLists:
    """The lists as they are now, to be kept: the same whatever way led to them."""
    members = {(Status.CONFIRMED, t): {n.id: (n.confirmed, n.last_paid) for n in lists.order(t)} for t in TIERS}
    for status in (Status.STARTED, Status.DOS):
        waiting = sorted(lists.with_status(status), key=lambda node: (node.started, node.id))
        for tier in TIERS:
            members[status, tier] = {node.id: (node.started, 0) for node in waiting if node.tier == tier}
    return PastLists(lists.height, members)


def replay(lists: PastLists, changes: Iterable[Change], height: int) -> PastLists:
    """The lists after block ``height``, from those of a lower height and what happened in between, in order.

    Of one block STARTs come first and payouts last. ``lists`` stays as it is. ChainError when something happens
    to a node that is not on the list for it: then something is missing.
    """
    members = {name: dict(entries) for name, entries in lists.members.items()}
    for change in changes:
        try:
            _step(members, change)
        except KeyError:
            raise ChainError(
                f"block {change.height} has {change.event.value} of a node first started in block "
                f"{txkey_height(change.node)}, which is not on the list for it: the index is not whole; "
                "run flux-explorer verify"
            ) from None
    return PastLists(height, members)


def _step(members: dict[tuple[Status, Tier], Members], change: Change) -> None:
    height, event, node, tier = change
    if event is Event.PAYOUT:
        place = members[Status.CONFIRMED, tier].pop(node, None)
        if place is not None:  # a payee that its own block took off the list is paid and gone
            members[Status.CONFIRMED, tier][node] = place[0], height
    elif event is Event.START:
        members[Status.STARTED, tier][node] = height, 0
    elif event is Event.CONFIRM:
        del members[Status.STARTED, tier][node]
        members[Status.CONFIRMED, tier][node] = height, 0
    elif event is Event.DOS:
        members[Status.DOS, tier][node] = members[Status.STARTED, tier].pop(node)
    elif event is Event.RELEASED:
        del members[Status.DOS, tier][node]
    elif event is not Event.IP_CHANGE:
        del members[Status.CONFIRMED, tier][node]
