"""The part of the API under /api/v1 for those who keep accounts: statements of addresses, and the feed of credits."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from explorer.api.body import Body, query_int
from explorer.api.endpoint import Api, Parameter
from explorer.api.json import amount_text
from explorer.api.lists import CURSOR, LIMIT, paging
from explorer.api.respond import CORS
from explorer.db import Answer, Database
from explorer.errors import BadRequest, ExplorerError
from explorer.paging import MAX_LIMIT, parse_limit
from explorer.queries.balances import MOST
from explorer.queries.credits import Credits, credits
from explorer.queries.statements import Statement, statement
from explorer.services import services
from indexer.chain.keys import hash_text

FORMATS: Final = ("json", "csv")
CSV: Final = ("text/csv",)
COLUMNS: Final = ("date", "height", "txid", "category", "amount", "balance")

FORMAT = Parameter("format", {"type": "string", "enum": list(FORMATS), "default": "json"}, "csv: all of it at once")
FROM = Parameter("from", {"type": "string"}, "first block: a height, or a date in ISO 8601")
TO = Parameter("to", {"type": "string"}, "last block: a height, or a date in ISO 8601, the day included")
ADDRESS = Parameter("address", {"type": "string"}, "transparent address of this network", required=True)
DEPTH = Parameter("min_confirmations", {"type": "integer", "minimum": 1, "default": 1}, "keep credits back until then")

CREDITS_BODY: Final = Body(
    1 << 18, "addresses",
    addresses={"type": "array", "minItems": 1, "maxItems": MOST, "items": {"type": "string"}},
    cursor=CURSOR.schema,
    limit=LIMIT.schema,
    min_confirmations=DEPTH.schema,
)  # fmt: skip

api = Api()


@api.get("/api/v1/addresses/{address}/statement", Statement, FROM, TO, FORMAT, LIMIT, CURSOR, also_written=CSV)
async def get_statement(request: Request) -> Answer[Statement] | Response:
    """What moved on an address in a span of blocks, by category, between its balances before and after."""
    query, db = request.query_params, services(request).db
    written = query.get("format", "json")
    if written not in FORMATS:
        raise BadRequest(f"format is {written[:20]!r}: expected one of {', '.join(FORMATS)}")
    since, until = query.get("from") or None, query.get("to") or None
    address = request.path_params["address"]
    if written == "json":
        return await db.fenced(statement, address, since=since, until=until, **paging(request))
    if "cursor" in query or "limit" in query:
        raise BadRequest("limit and cursor are for format=json: a CSV is the whole statement")
    return _streamed(request, await db.fenced(statement, address, since=since, until=until, limit=MAX_LIMIT))


@api.get("/api/v1/credits", Credits, ADDRESS, CURSOR, LIMIT, DEPTH)
async def get_credits(request: Request) -> Answer[Credits]:
    """What came to one address after a cursor, oldest first; what a reorganisation took comes before it."""
    address = request.query_params.get("address")
    if address is None:
        raise BadRequest("address is missing: whose credits?")
    depth = query_int(request, "min_confirmations")
    return await services(request).db.fenced(credits, [address], min_confirmations=depth, **paging(request))


@api.post("/api/v1/credits", Credits, CREDITS_BODY)
async def post_credits(request: Request) -> Answer[Credits]:
    """What came to up to 1000 addresses after a cursor, as for one."""
    asked = await CREDITS_BODY.read(request)
    limit = asked["limit"]
    return await services(request).db.fenced(
        credits,
        asked["addresses"],
        cursor=asked["cursor"],
        limit=parse_limit(None if limit is None else str(limit)),
        min_confirmations=asked["min_confirmations"],
    )


# --- a statement as CSV -------------------------------------------------------------------------------------


def _streamed(request: Request, first: Answer[Statement]) -> Response:
    """A statement as a file that is sent while it is read: each page is checked before it goes out."""
    found = first.value
    headers = {
        "X-Flux-Height": str(first.tip.height),
        "X-Flux-Hash": hash_text(first.tip.hash),
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{found.address}-{found.from_}-{found.to.height}.csv"',
        **CORS,
    }
    if request.method == "HEAD":
        return Response(headers=headers, media_type="text/csv; charset=utf-8")
    return StreamingResponse(_lines(services(request).db, found), 200, headers, "text/csv; charset=utf-8")


async def _lines(db: Database, page: Statement) -> AsyncIterator[str]:
    """CSV (RFC 4180), a part for each page; the last line is the closing balance, or says that it is incomplete."""
    first, balance = page, page.opening
    yield _csv([COLUMNS, ("", str(page.from_), "", "opening", "", amount_text(page.opening))])
    while True:
        yield _csv(_rows(page))
        balance += sum(line.amount for line in page.items)
        if page.next is None:
            break
        try:
            asked = db.fenced(statement, page.address, since=str(page.from_), cursor=page.next, limit=MAX_LIMIT)
            page = (await asked).value
        except ExplorerError as error:
            yield _csv([("", "", str(error), "incomplete", "", "")])
            return
    whole = balance == first.closing == page.closing
    name = "closing" if whole else "incomplete"
    yield _csv([("", str(first.to.height), "", name, "", amount_text(first.closing) if whole else "")])


def _rows(page: Statement) -> list[tuple[str, ...]]:
    return [
        (
            datetime.fromtimestamp(line.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            str(line.height),
            line.txid,
            line.category,
            amount_text(line.amount),
            amount_text(line.balance_after),
        )
        for line in page.items
    ]


def _csv(rows: list[tuple[str, ...]]) -> str:
    """Lines of CSV. No cell is a stranger's text: a cell that begins with a minus is an amount."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
