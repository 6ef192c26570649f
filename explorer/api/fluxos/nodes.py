"""The methods about nodes: lists, counts, winners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from explorer.api.fluxos.methods import SUCCESS, Asked, Methods
from explorer.api.forms.node_lists import listed, live, written
from explorer.api.forms.nodes import containing, dos_entries, node_counts, start_entries, winners
from explorer.db import Answer
from explorer.queries.live_nodes import LiveNodes

method = Methods()

MOST_LISTED = 9_999_999
LONGEST_FILTER: Final = 200


@method(
    "daemon/viewdeterministicfluxnodelist", "daemon/viewdeterministiczelnodelist",
    "daemon/listfluxnodes", "daemon/listzelnodes",
    parameters=(("filter",), ("limit",)),
)  # fmt: skip
async def node_list(asked: Asked) -> Answer[Any]:
    """The confirmed nodes in payment order; with a filter those that contain it."""
    wanted, limit = asked.given["filter"][:LONGEST_FILTER], asked.number("limit", MOST_LISTED)
    if not wanted and limit >= MOST_LISTED:
        return await written(asked.services, *SUCCESS)
    found = await listed(asked.services)
    entries = containing(found.value.entries, wanted) if wanted else found.value.entries
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
