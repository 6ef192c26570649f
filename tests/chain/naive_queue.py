"""The node lists once more, as slowly and literally as the daemon's steps are told: nothing is kept sorted.

A second reading of the same rules (``main.cpp: ConnectBlock``, ``fluxnode.cpp: Flush``), for comparison with the
incremental queue. Every block copies the state, looks at every node and sorts every tier.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

Outpoint = bytes


@dataclass(frozen=True)
class Rules:
    """Constants by height: pairs of first height and value."""

    start_wait: list[tuple[int, int]]
    dos_release: list[tuple[int, int]]
    expiry: list[tuple[int, int]]
    payments_from: int
    amounts: dict[int, list[tuple[int, int, int | None]]]  # by tier: zatoshi, first height, first height refused
    sweep: tuple[int, int]


def at(pairs: list[tuple[int, int]], height: int) -> int:
    return max((first, value) for first, value in pairs if first <= height)[1]


@dataclass(frozen=True)
class Record:
    """What the daemon keeps of a node; ``where`` is its list."""

    where: str  # started, confirmed, dos
    tier: int
    value: int
    added: int
    confirmed: int = 0
    last_confirmed: int = 0
    last_paid: int = 0
    ip: bytes = b""


@dataclass(frozen=True)
class NaiveBlock:
    """A block as node events."""

    starts: list[tuple[Outpoint, int, int]]  # outpoint, tier, value
    initial: list[tuple[Outpoint, bytes]]
    updates: list[tuple[Outpoint, bytes]]
    spent: set[Outpoint]


@dataclass
class NaiveQueue:
    """The state after ``height``."""

    rules: Rules
    height: int = 0
    nodes: dict[Outpoint, Record] = field(default_factory=dict)

    def order(self, tier: int) -> list[Outpoint]:
        """Confirmed nodes of a tier, the next payee first."""
        tier_nodes = [(p, r) for p, r in self.nodes.items() if r.where == "confirmed" and r.tier == tier]

        def triple(entry: tuple[Outpoint, Record]) -> tuple[int, int, bytes, int]:
            point, record = entry
            key = record.last_paid if record.last_paid > 0 else record.confirmed
            return key, 1 if record.last_paid > 0 else 0, point[:32], int.from_bytes(point[32:], "big")

        return [point for point, _ in sorted(tier_nodes, key=triple)]

    def payee(self, tier: int) -> Outpoint | None:
        """The first of the queue."""
        return next(iter(self.order(tier)), None)

    def _acceptable(self, value: int, tiers: set[int]) -> bool:
        h = self.height + 1
        return any(
            value == amount and first <= h and (end is None or h < end)
            for tier in tiers
            for amount, first, end in self.rules.amounts[tier]
        )

    def _bad_collateral(self, record: Record) -> bool:
        h, (begin, end) = self.height + 1, self.rules.sweep
        ended = min(last for _, _, last in self.rules.amounts[record.tier] if last is not None) <= h
        return begin <= h < end and ended and not self._acceptable(record.value, {1, 2, 3})

    def after(self, block: NaiveBlock) -> NaiveQueue:
        """The state after one more block."""
        h, rules, before = self.height + 1, self.rules, self.nodes
        remembered = [p for tier in (1, 2, 3) if h >= rules.payments_from and (p := self.payee(tier)) is not None]
        initial, updates = dict(block.initial), dict(block.updates)
        confirmed = {p for p, r in before.items() if r.where == "confirmed"}
        stale = {p for p in confirmed if before[p].last_confirmed < h - at(rules.expiry, h) and p not in updates}
        bad = {p for p in confirmed if self._bad_collateral(before[p])}
        expire = stale | bad | (block.spent & confirmed)
        waits = {p for p, r in before.items() if r.where == "started" and r.added == h - at(rules.start_wait, h)}
        release = {p for p, r in before.items() if r.where == "dos" and r.added == h - at(rules.dos_release, h)}

        nodes = dict(before)
        for point, tier, value in block.starts:
            nodes[point] = Record("started", tier, value, h)
        for point in waits - initial.keys():
            nodes[point] = replace(nodes[point], where="dos")
        for point in release:
            del nodes[point]
        for point, ip in initial.items():
            nodes[point] = replace(nodes[point], where="confirmed", confirmed=h, last_confirmed=h, last_paid=0, ip=ip)
        for point, ip in updates.items():
            nodes[point] = replace(nodes[point], last_confirmed=h, ip=ip)
        for point in expire:
            del nodes[point]
        for point in remembered:
            if point in nodes:
                nodes[point] = replace(nodes[point], last_paid=h)
        return NaiveQueue(rules, h, nodes)
