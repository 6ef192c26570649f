"""The daemon's node lists, in the wrapping of its RPC."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request

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
    return await written(services(request), b'{"result":', b',"error":null,"id":1}')


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
    pairs = zip(found.value.entries, found.value.texts, strict=True)
    some = [entry for entry, written in pairs if any(_is_named(entry, written, text) for text in filters)]
    return Answer(_wrapped(some), found.tip, found.shown)


def _is_named(entry: Entry, written: str, text: str) -> bool:
    """Whether a filter names a node: by its collateral, its whole ip, or any part of its JSON."""
    if text.count(".") == 3:
        return bool(entry["ip"] == text)
    return text in written or text == f"{entry['txhash']}-{entry['outidx']}"


def _wrapped(entries: list[Entry]) -> dict[str, Any]:
    return {"result": entries, "error": None, "id": 1}
