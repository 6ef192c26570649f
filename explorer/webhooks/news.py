"""What a webhook is to be told next: credits by their feed, and what blocks did to its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from explorer.api.json import encode, to_json
from explorer.api.respond import tip_json
from explorer.db import View
from explorer.events.chain import block_events
from explorer.events.event import DONE, Event, Position
from explorer.meta import Tip
from explorer.queries.credits import credits
from explorer.queries.forks import Forks, read_forks
from explorer.webhooks.hooks import Webhook

AT_ONCE: Final = 100  # credits, and blocks whose events are looked through, in one question

Feed = Literal["credit", "life", "tested"]


@dataclass(frozen=True, slots=True)
class News:
    """One thing to tell: its name, the body of the delivery, its feed, and the place in that after it."""

    seq: str
    body: bytes
    feed: Feed
    place: str


async def news_of_credits(view: View, hook: Webhook, after: str) -> tuple[list[News], str]:
    """The next credits and reversals after a place in the feed, and the place reached."""
    found = await credits(
        view, hook.addresses, cursor=after, limit=AT_ONCE, min_confirmations=hook.min_confirmations
    )
    bodies = (_body(view, hook, item.seq, item.kind, to_json(item)) for item in found.items)
    told = [News(item.seq, body, "credit", item.seq) for item, body in zip(found.items, bodies, strict=True)]
    return told, found.next


def news_of_test(hook: Webhook, asked: str, tip: Tip) -> News:
    """A test: it has no effect and says when it was asked for, Unix seconds."""
    seq = f"test-{asked}"
    told = {"asked_at": int(asked.partition("-")[0])}
    return News(seq, _written(tip, hook, seq, "test", told), "tested", asked)


async def news_of_nodes(view: View, hook: Webhook, after: Position) -> tuple[list[News], Position]:
    """What the next blocks after a position did to the nodes, and the position reached.

    A reorganisation below the position is told first: what was told of blocks above its fork is void then. Positions
    carry the reorganisation that made the block, so that an event keeps its name for as long as its block stays.
    """
    forks = await read_forks(view)
    told: list[News] = []
    while (number := forks.took(after.height, after.reorgs)) is not None:
        after = Position(number, forks.fork(number), DONE, 0)
        told.append(_undone(view, hook, after))
    begun = after.ordinal < DONE  # of its block only a part was told
    last = max(after.height, min(view.tip.height, after.height + AT_ONCE))
    for height in range(after.height if begun else after.height + 1, last + 1):
        events = await _events_of_block(view, forks, height)
        new = (event for event in events if height > after.height or event.position > after)
        told += [_news(view, hook, event) for event in new if _is_wanted(hook, event)]
    return told, Position(len(forks), last, DONE, 0)


async def _events_of_block(view: View, forks: Forks, height: int) -> list[Event]:
    at = Position(forks.made(height, len(forks)), height, 0, 0)
    return [event async for event in block_events(view, at, ("payout", "node"))]


def _is_wanted(hook: Webhook, event: Event) -> bool:
    name = "payout" if event.kind == "payout" else event.value.event
    return name in hook.events and not hook.nodes.isdisjoint(event.nodes)


def _news(view: View, hook: Webhook, event: Event) -> News:
    seq = str(event.position)
    return News(seq, _body(view, hook, seq, event.kind, to_json(event.value)), "life", seq)


def _undone(view: View, hook: Webhook, at: Position) -> News:
    told = {"number": at.reorgs, "fork_height": at.height}
    return News(str(at), _body(view, hook, str(at), "reorg", told), "life", str(at))


def _body(view: View, hook: Webhook, seq: str, event: str, told: Any) -> bytes:
    return _written(view.tip, hook, seq, event, told)


def _written(tip: Tip, hook: Webhook, seq: str, event: str, told: Any) -> bytes:
    """What is sent: which webhook, what, and the block that it was true for."""
    return encode({"webhook": hook.name, "seq": seq, "event": event, "tip": tip_json(tip), event: told})
