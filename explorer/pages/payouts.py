"""Payouts to nodes block by block."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from explorer.api.body import query_int
from explorer.db import View
from explorer.errors import BadRequest
from explorer.languages.phrases import Phrase
from explorer.pages.blocks import limit_of
from explorer.pages.render import page
from explorer.queries.payout_blocks import PayoutBlock, payout_blocks
from explorer.queries.results import Page
from explorer.queries.status import keeping_up
from explorer.queries.status_results import KeepingUp
from explorer.services import services


async def checked_blocks(
    view: View, *, before: int | None, mismatched: bool, cursor: str | None, limit: int
) -> tuple[Page[PayoutBlock], KeepingUp]:
    """One page of blocks with their payouts, and how many payouts were compared in all."""
    blocks = payout_blocks(view, before=before, mismatched=mismatched, cursor=cursor, limit=limit)
    return await asyncio.gather(blocks, keeping_up(view))


async def index(request: Request) -> Response:
    """Whom each block had to pay and whether it did, newest first; ``?mismatched=1`` for those that did not."""
    query = request.query_params
    if query.get("mismatched", "") not in ("", "0", "1"):
        raise BadRequest(Phrase("mismatched is %(text)s: expected 1", text=repr(query["mismatched"][:20])))
    mismatched = query.get("mismatched") == "1"
    before = query_int(request, "before") if query.get("before") else None
    cursor = query.get("cursor")
    s = services(request)
    answer = await s.db.fenced(
        checked_blocks, before=before, mismatched=mismatched, cursor=cursor, limit=limit_of(request)
    )
    blocks, checks = answer.value
    return await page(
        request, "payouts.html", blocks=blocks, mismatched=mismatched, before=before,
        checks=checks, continued=cursor is not None or before is not None,
    )  # fmt: skip
