"""The node lists at the tip in the daemon's form, made once for all who ask."""

from __future__ import annotations

import json

from explorer.api.forms.exact import Encoded
from explorer.api.forms.nodes import Entry, list_entries
from explorer.db import Answer
from explorer.queries.live_nodes import LiveNodes, live_nodes
from explorer.services import Services


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
