"""Events: what happened, where in the history of this index, and who wants to know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from explorer.api.json import encode, to_json
from explorer.api.respond import tip_json
from explorer.meta import Tip

Kind: TypeAlias = Literal["block", "reorg", "transaction", "payout", "node"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

DONE: Final = 99_998  # ordinal: everything in the block has been told
WAITING: Final = 99_999  # ordinal of what is in no block

_POSITION = re.compile(r"(\d{6})-(\d{9})-(\d{5})-(\d{15})\Z", re.ASCII)


class Position(NamedTuple):
    """A place in the history of the index; positions sort as events follow each other, and so do their texts.

    ``reorgs`` counts the reorganisations so far, ``ordinal`` the events of the block at ``height``, ``sequence`` the
    arrivals in the mempool: milliseconds of the clock, made to rise.
    """

    reorgs: int
    height: int
    ordinal: int
    sequence: int

    def __str__(self) -> str:
        return f"{self.reorgs:06}-{self.height:09}-{self.ordinal:05}-{self.sequence:015}"


def parse_position(text: str) -> Position | None:
    """The position that an event was told with; None when the text is none."""
    found = _POSITION.match(text)
    return None if found is None else Position(*map(int, found.groups()))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, once for all listeners; ``body`` is the JSON of ``value`` and the tip.

    ``addresses`` and ``nodes`` (outpoints) are those that it concerns, as text. ``mined`` marks a transaction that
    is told because a block has it.
    """

    position: Position
    kind: Kind
    value: Any
    tip: Tip
    body: bytes
    addresses: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()
    mined: bool = False

    def text(self) -> bytes:
        """The event as a stream carries it."""
        return message(self.kind, self.body, self.position)


def event(
    position: Position,
    kind: Kind,
    value: Any,
    tip: Tip,
    *,
    addresses: Iterable[str | None] = (),
    nodes: Iterable[str | None] = (),
    mined: bool = False,
) -> Event:
    """An event with a result object of the queries, written as JSON here and nowhere else."""
    body = encode({"tip": tip_json(tip), **to_json(value)})
    concerned = frozenset(a for a in addresses if a), frozenset(n for n in nodes if n)
    return Event(position, kind, value, tip, body, *concerned, mined)


def message(name: str, body: bytes, position: Position | None = None) -> bytes:
    """A message of an event stream (HTML, 9.2.6); the body has no line breaks."""
    id = b"" if position is None else f"id: {position}\n".encode()
    return b"%sevent: %s\ndata: %s\n\n" % (id, name.encode(), body)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a listener wants to hear of: kinds, and of some of them only what concerns addresses or nodes."""

    kinds: frozenset[Kind] = frozenset(KINDS)
    addresses: frozenset[str] = frozenset()
    nodes: frozenset[str] = frozenset()

    def matches(self, event: Event) -> bool:
        """Whether the listener wants an event; blocks and reorganisations concern everybody."""
        if event.kind not in self.kinds:
            return False
        if event.kind in ("block", "reorg"):
            return True
        if not self.addresses and not self.nodes:
            return not event.mined
        return not (self.addresses.isdisjoint(event.addresses) and self.nodes.isdisjoint(event.nodes))

    @property
    def sources(self) -> frozenset[str]:
        """What has to be read of a block for this listener."""
        mined = {"mined"} if self.addresses and "transaction" in self.kinds else set()
        return frozenset({*self.kinds, *mined})
