"""The methods about nodes: lists, counts, winners."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from explorer.api.fluxos.methods import Asked, Encoded, Methods
from explorer.api.forms.nodes import (
    Entry,
    containing,
    dos_entries,
    list_entries,
    node_counts,
    start_entries,
    winners,
)
from explorer.db import Answer
from explorer.queries.live_nodes import LiveNodes, live_nodes
from explorer.services import Services

method = Methods()

MOST_LISTED = 9_999_999
LONGEST_FILTER: Final = 200


async def live(s: Services) -> Answer[LiveNodes]:
    """The node lists at the tip, read once for all who ask."""
    return await s.shared.get("live nodes", s.db.meta.tip, lambda: s.db.fenced(live_nodes))


async def listed(s: Services) -> Answer[list[Entry]]:
    """The entries of the list of confirmed nodes, made once for all who ask."""

    async def make() -> Answer[list[Entry]]:
        found = await live(s)
        return Answer(list_entries(found.value), found.tip, found.shown)

    return await s.shared.get("node entries", s.db.meta.tip, make)


async def written(s: Services) -> Answer[Encoded]:
    """The whole list as JSON text, written once for all who ask."""

    async def make() -> Answer[Encoded]:
        found = await listed(s)
        return Answer(Encoded(json.dumps(found.value, separators=(",", ":")).encode("ascii")), found.tip, found.shown)

    return await s.shared.get("node list", s.db.meta.tip, make)


@method(
    "daemon/viewdeterministicfluxnodelist", "daemon/viewdeterministiczelnodelist",
    "daemon/listfluxnodes", "daemon/listzelnodes",
    parameters=(("filter",), ("limit",)),
)  # fmt: skip
async def node_list(asked: Asked) -> Answer[Any]:
    """The confirmed nodes in payment order; with a filter those that contain it."""
    wanted, limit = asked.given["filter"][:LONGEST_FILTER], asked.number("limit", MOST_LISTED)
    if not wanted and limit >= MOST_LISTED:
        return await written(asked.services)
    found = await listed(asked.services)
    entries = containing(found.value, wanted) if wanted else found.value
    return Answer(entries[:limit], found.tip, found.shown)


async def _of_lists(asked: Asked, make: Callable[[LiveNodes], Any]) -> Answer[Any]:
    found = await live(asked.services)
    return Answer(make(found.value), found.tip, found.shown)


@method("daemon/getfluxnodecount", "daemon/getzelnodecount")
async def count(asked: Asked) -> Answer[Any]:
    """How many nodes are confirmed."""
    return await _of_lists(asked, node_counts)


@method("daemon/fluxnodecurrentwinner", "daemon/zelnodecurrentwinner")
async def winner(asked: Asked) -> Answer[Any]:
    """The nodes that are paid next."""
    return await _of_lists(asked, winners)


@method("daemon/getstartlist")
async def start_list(asked: Asked) -> Answer[Any]:
    """The nodes that wait for their confirmation."""
    return await _of_lists(asked, start_entries)


@method("daemon/getdoslist")
async def dos_list(asked: Asked) -> Answer[Any]:
    """The nodes that missed their confirmation."""
    return await _of_lists(asked, dos_entries)
