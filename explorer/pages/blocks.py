"""A block and its transactions; the list of blocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from explorer.api.body import query_int
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.pages.render import page, with_query
from explorer.paging import parse_limit
from explorer.queries.blocks import latest_blocks
from explorer.queries.search import first_at
from explorer.queries.text import parse_block_reference
from explorer.queries.transactions import block_with_transactions
from explorer.services import services

PER_PAGE: Final = 50


def limit_of(request: Request) -> int:
    """How many items a page of a list shows."""
    given = request.query_params.get("limit")
    return PER_PAGE if given is None else parse_limit(given)


async def show(request: Request) -> Response:
    """A block by height or hash."""
    reference = parse_block_reference(request.path_params["reference"])
    cursor = request.query_params.get("cursor")
    answer = await services(request).db.fenced(
        block_with_transactions, reference, cursor=cursor, limit=limit_of(request)
    )
    found, transactions = answer.value
    return await page(
        request, "block.html", block=found, transactions=transactions, continued=cursor is not None, tip=answer.tip
    )


async def index(request: Request) -> Response:
    """Blocks, newest first, from a height downwards."""
    cursor = request.query_params.get("cursor")
    before = query_int(request, "before") if request.query_params.get("before") else None
    answer = await services(request).db.fenced(latest_blocks, before=before, cursor=cursor, limit=limit_of(request))
    return await page(
        request, "blocks.html", blocks=answer.value, before=before, continued=bool(cursor) or before is not None,
        tip=answer.tip,
    )


async def of_day(request: Request) -> Response:
    """The blocks of a day (UTC), newest first: the list from the first block of the day after."""
    try:
        after = date.fromisoformat(request.path_params["day"]) + timedelta(days=1)
        end = datetime(after.year, after.month, after.day, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadRequest(
            Phrase("%(day)s is no day: expected one such as 2026-10-25", day=repr(request.path_params["day"][:20]))
        ) from None
    answer = await services(request).db.fenced(first_at, int(end.timestamp()))
    return RedirectResponse(with_query("/blocks", before=answer.value), 302)
