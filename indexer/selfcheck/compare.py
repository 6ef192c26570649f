"""Two accounts of one block compared: pure, node by node and field by field."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

Value = str | int | None
Entry = tuple[str, Mapping[str, Value]]
"""A node on a list: its outpoint as text, and what is said of it."""

LISTS = ("confirmed", "started", "dos")


@dataclass(frozen=True, slots=True)
class NodeAccount:
    """The node lists after a block; the confirmed ones in payment order, tier after tier."""

    confirmed: Sequence[Entry]
    started: Sequence[Entry]
    dos: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two accounts disagree: a list and a node, or the supply; ``None`` is what an account does not have."""

    subject: str  # confirmed, started, dos or supply
    outpoint: str | None
    field: str
    ours: Value
    theirs: Value

    def __str__(self) -> str:
        where = self.subject if self.outpoint is None else f"{self.subject} node {self.outpoint}"
        return f"{where}: {self.field} is {_text(self.ours)} here, {_text(self.theirs)} in the daemon"

    def row(self) -> dict[str, str | None]:
        """The difference as it is stored, all in text."""
        return {name: None if value is None else str(value) for name, value in asdict(self).items()}


def _text(value: Value) -> str:
    return "absent" if value is None else repr(value) if value == "" else str(value)


def node_differences(ours: NodeAccount, theirs: NodeAccount) -> Iterator[Difference]:
    """Nodes that one of the two lacks or repeats, fields that differ, and confirmed nodes that stand elsewhere."""
    for name in LISTS:
        yield from _list_differences(name, getattr(ours, name), getattr(theirs, name))
    yield from _moved(ours.confirmed, theirs.confirmed)


def supply_differences(ours: Mapping[str, int], theirs: Mapping[str, int]) -> Iterator[Difference]:
    """Sums that differ, of those that the daemon tells."""
    for name, value in theirs.items():
        if ours.get(name) != value:
            yield Difference("supply", None, name, ours.get(name), value)


def _list_differences(name: str, ours: Sequence[Entry], theirs: Sequence[Entry]) -> Iterator[Difference]:
    mine, other = dict(ours), dict(theirs)
    times, other_times = Counter(point for point, _ in ours), Counter(point for point, _ in theirs)
    for point in (*mine, *(point for point in other if point not in mine)):
        if times[point] != other_times[point]:
            yield Difference(name, point, "entries", times[point] or None, other_times[point] or None)
        else:
            yield from _field_differences(name, point, mine[point], other[point])


def _field_differences(
    name: str, point: str, ours: Mapping[str, Value], theirs: Mapping[str, Value]
) -> Iterator[Difference]:
    for field in (*ours, *(field for field in theirs if field not in ours)):
        mine, other = ours.get(field), theirs.get(field)
        if mine != other:
            yield Difference(name, point, field, mine, other)


def _moved(ours: Sequence[Entry], theirs: Sequence[Entry]) -> Iterator[Difference]:
    """The fewest nodes that account for a different order; those that one side lacks do not count."""
    ranks, other_ranks = _ranks(ours), _ranks(theirs)
    places = {point: place for place, point in enumerate(other_ranks)}
    common = [point for point in ranks if point in places]
    order = [places[point] for point in common]
    staying = longest_ascent(order)
    for point, place in zip(common, order, strict=True):
        if place not in staying:
            yield Difference("confirmed", point, "rank", ranks[point], other_ranks[point])


def _ranks(entries: Sequence[Entry]) -> dict[str, int]:
    """The position of each node in its tier, from 0, in the order of the list."""
    counts: Counter[Value] = Counter()
    ranks: dict[str, int] = {}
    for point, fields in entries:
        tier = fields["tier"]
        ranks.setdefault(point, counts[tier])
        counts[tier] += 1
    return ranks


def longest_ascent(numbers: Sequence[int]) -> set[int]:
    """A longest ascending subsequence of distinct numbers (patience sorting, n log n)."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for number in numbers:
        pile = bisect_left(tails, number)
        before[number] = tails[pile - 1] if pile else None
        tails[pile : pile + 1] = [number]
    found: set[int] = set()
    last = tails[-1] if tails else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found
