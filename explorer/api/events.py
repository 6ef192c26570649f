"""Events as they happen: the question, and what may be asked."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request

from explorer.api.endpoint import Api, Parameter
from explorer.errors import BadRequest
from explorer.events.event import KINDS, Kind, Wanted, parse_position
from explorer.events.stream import EventStream
from explorer.queries.nodes import parse_node
from explorer.queries.text import address_key
from explorer.services import services
from indexer.chain.keys import outpoint_text

MOST_NAMED = 100
TEXT = {"type": "string"}
WANTED_KINDS = Parameter("kinds", TEXT, f"some of {', '.join(KINDS)}; all by default")
ADDRESSES = Parameter("address", TEXT, f"only what concerns these addresses, up to {MOST_NAMED}; blocks come anyway")
NODES = Parameter("node", TEXT, f"only what concerns these nodes, up to {MOST_NAMED}; blocks come anyway")
LAST = Parameter("last_event_id", TEXT, "for who cannot send the header Last-Event-ID")

api = Api()


@api.get("/api/v1/events", EventStream, WANTED_KINDS, ADDRESSES, NODES, LAST, errors=(400, 429), revalidate=False)
async def get_events(request: Request) -> EventStream:
    """What happens, as it happens: server-sent events that begin after Last-Event-ID, or now."""
    s = services(request)
    wanted = Wanted(
        frozenset(_kinds(request)),
        frozenset(_addresses(request)),
        frozenset(outpoint_text(parse_node(text)) for text in _named(request, "node")),
    )
    last = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
    since = last and (parse_position(last) or last)
    return EventStream(s.db, s.watcher, s.places, wanted, since or None)


def _named(request: Request, name: str) -> list[str]:
    """What a parameter names: it may be repeated, and hold several separated by commas."""
    found = [part for text in request.query_params.getlist(name) for part in text.split(",") if part]
    if len(found) > MOST_NAMED:
        raise BadRequest(f"{name} names {len(found)}: at most {MOST_NAMED} are followed by one stream")
    return found


def _kinds(request: Request) -> Iterator[Kind]:
    given = _named(request, "kinds")
    for text in given:
        if text not in KINDS:
            raise BadRequest(f"kinds has {text[:20]!r}: expected some of {', '.join(KINDS)}")
    yield from (kind for kind in KINDS if not given or kind in given)


def _addresses(request: Request) -> Iterator[str]:
    for text in _named(request, "address"):
        address_key(text, services(request).network)
        yield text
