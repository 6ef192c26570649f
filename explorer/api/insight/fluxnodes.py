"""The daemon's node lists, in the wrapping of its RPC."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.requests import Request

from explorer.api.forms.exact import Encoded
from explorer.api.forms.node_lists import listed, live, written
from explorer.api.forms.nodes import Entry, dos_entries, start_entries
from explorer.api.insight.answering import Insight, posted
from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.services import services

insight = Insight()

LONGEST_FILTER: Final = 2000
MOST_FILTERS: Final = 20
FAMILIES: Final = ("fluxnode", "zelnode")


@insight.get(*(f"/{family}/{name}" for family in FAMILIES for name in ("listfluxnodes", "listzelnodes")))
async def get_nodes(request: Request) -> Answer[Any]:
    """The confirmed nodes in payment order."""
    found = await written(services(request))
    return Answer(Encoded(b'{"result":' + found.value.text + b',"error":null,"id":1}'), found.tip, found.shown)


@insight.get(*(f"/{family}/{name}/{{filter}}" for family in FAMILIES for name in ("listfluxnodes", "listzelnodes")))
async def get_some_nodes(request: Request) -> Answer[Any]:
    """The confirmed nodes that a filter names."""
    return await _filtered(request, request.path_params["filter"])


@insight.post(*(f"/{family}/{name}" for family in FAMILIES for name in ("listfluxnodes", "listzelnodes")))
async def post_nodes(request: Request) -> Answer[Any]:
    """The confirmed nodes that the filter in the body names; all without one."""
    wanted = (await posted(request)).get("filter") or ""
    if not isinstance(wanted, str):
        raise BadRequest("filter: expected a text")
    return await (_filtered(request, wanted) if wanted else get_nodes(request))


@insight.get(*(f"/{family}/doslist" for family in FAMILIES))
async def get_dos_list(request: Request) -> Answer[Any]:
    """The nodes that missed their confirmation."""
    found = await live(services(request))
    return Answer(_wrapped(dos_entries(found.value)), found.tip, found.shown)


@insight.get(*(f"/{family}/startlist" for family in FAMILIES))
async def get_start_list(request: Request) -> Answer[Any]:
    """The nodes that wait for their confirmation."""
    found = await live(services(request))
    return Answer(_wrapped(start_entries(found.value)), found.tip, found.shown)


async def _filtered(request: Request, text: str) -> Answer[Any]:
    if len(text) > LONGEST_FILTER:
        raise BadRequest(f"a filter has at most {LONGEST_FILTER} characters")
    filters = [part for part in text.split(",") if part][:MOST_FILTERS]
    found = await listed(services(request))
    return Answer(_wrapped([entry for entry in found.value if _matches(entry, filters)]), found.tip, found.shown)


def _matches(entry: Entry, filters: list[str]) -> bool:
    """Whether one of the filters names a node: a collateral, a whole ip, or any part of its JSON."""
    return any(_is_named(entry, text) for text in filters)


def _is_named(entry: Entry, text: str) -> bool:
    if text == f"{entry['txhash']}-{entry['outidx']}":
        return True
    if text.count(".") == 3:
        return bool(entry["ip"] == text)
    return text in json.dumps(entry, separators=(",", ":"))


def _wrapped(entries: list[Entry]) -> dict[str, Any]:
    return {"result": entries, "error": None, "id": 1}
