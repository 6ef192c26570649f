"""The node lists replayed from the first block: at every snapshot, and at the tip, they are the stored ones."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import chain, zip_longest
from operator import attrgetter

from indexer.chain.keys import eventkey, txkey
from indexer.chain.lists import NodeLists
from indexer.chain.nodes import Status
from indexer.chain.replay import LISTS, Change, PastLists, no_lists, past_lists, replay
from indexer.errors import ChainError
from indexer.state.nodes import node_of
from indexer.store.codec import event_change, payout_changes, snapshot_lists, start_change
from indexer.verify.finding import Finding, Findings
from indexer.verify.nodes import LIVE, StoredNodes
from indexer.verify.view import View


def check_queues(view: View, findings: Findings, nodes: StoredNodes) -> str:
    """Replay STARTs, events and payouts; returns how much was looked at."""
    changes = _changes(view)
    pending = next(changes, None)
    lists, snapshots = no_lists(), 0
    live = [node_of(row) for row in nodes.rows.values() if row.status in LIVE]
    tip = past_lists(NodeLists(live, view.height))
    stored = map(snapshot_lists, view.store.scan("queue_snapshots", 0, view.height + 1))
    for expected in chain(stored, (tip,)):
        segment = []
        while pending is not None and pending.height <= expected.height:
            segment.append(pending)
            pending = next(changes, None)
        try:
            lists = replay(lists, segment, expected.height)
        except ChainError as error:
            findings.add(Finding("node_events", f"up to block {expected.height}", "history", "whole", str(error)))
            return "nothing more: the history is not whole"
        snapshots += expected is not tip
        _compare(findings, lists, expected, "nodes" if expected is tip else "queue_snapshots")
        lists = expected
    return f"{snapshots:,} snapshots, {len(live):,} nodes on a list"


def _changes(view: View) -> Iterator[Change]:
    """Everything that happened to the lists, in the order in which it took effect."""
    end = view.height + 1
    starts = map(start_change, view.store.scan("node_starts", 0, txkey(end, 0)))
    events = map(event_change, view.store.scan("node_events", 0, eventkey(end, 0)))
    payouts = chain.from_iterable(map(payout_changes, view.rows("payouts", "queues")))
    return merge(starts, events, payouts, key=attrgetter("height"))


def _compare(findings: Findings, replayed: PastLists, stored: PastLists, collection: str) -> None:
    """Compare lists; of the confirmed nodes the order counts."""
    for name in LISTS:
        status, tier = name
        expected, found = (list(lists.members[name].items()) for lists in (replayed, stored))
        if status is not Status.CONFIRMED:
            expected, found = sorted(expected), sorted(found)
        for rank, (one, other) in enumerate(zip_longest(expected, found)):
            if one != other:
                what = f"{status.label} {tier.label} {rank}: node, since and paid"
                findings.add(Finding(collection, f"after block {stored.height}", what, one, other, stored.height))
                break
