"""The node lists at the tip in the daemon's form, made once for all who ask, beside the event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass

from explorer.api.forms.exact import Body
from explorer.api.forms.nodes import Entry, list_entries
from explorer.db import Answer
from explorer.queries.live_nodes import LiveNodes, live_nodes
from explorer.services import Services

GZIP_LEVEL = 5


@dataclass(frozen=True, slots=True)
class Listed:
    """The entries of the list of confirmed nodes, and each as JSON text."""

    entries: list[Entry]
    texts: list[str]


async def live(s: Services) -> Answer[LiveNodes]:
    """The node lists at the tip, read once for all who ask."""
    return await s.shared.get("live nodes", s.db.meta.tip, lambda: s.db.fenced(live_nodes))


async def listed(s: Services) -> Answer[Listed]:
    """The entries of the list of confirmed nodes, made once for all who ask."""

    async def make() -> Answer[Listed]:
        found = await live(s)
        return Answer(await asyncio.to_thread(_listed, found.value), found.tip, found.shown)

    return await s.shared.get("node entries", s.db.meta.tip, make)


async def written(s: Services, head: bytes, tail: bytes) -> Answer[Body]:
    """The whole list as a body between ``head`` and ``tail``, written once for all who ask."""

    async def make() -> Answer[Body]:
        found = await listed(s)
        return Answer(await asyncio.to_thread(_written, found.value.texts, head, tail), found.tip, found.shown)

    return await s.shared.get(f"node list in {head!r}", s.db.meta.tip, make)


def _listed(found: LiveNodes) -> Listed:
    entries = list_entries(found)
    return Listed(entries, [json.dumps(entry, separators=(",", ":")) for entry in entries])


def _written(texts: Iterable[str], head: bytes, tail: bytes) -> Body:
    text = b"".join((head, b"[", ",".join(texts).encode("ascii"), b"]", tail))
    return Body(text, gzip.compress(text, GZIP_LEVEL))
