"""The routes under ``/api/v2``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from explorer.api.blockbook import accounts, ask, chain, history
from explorer.api.blockbook.fees import fee_rates, rate_text
from explorer.api.blockbook.status import status
from explorer.api.body import read_bytes
from explorer.api.forms.reply import Passing, reply
from explorer.api.json import encode
from explorer.api.respond import CORS, RETRY_SECONDS, json_response
from explorer.daemon import LONGEST_TRANSACTION
from explorer.db import Answer
from explorer.errors import BadRequest, ExplorerError, TooLarge
from explorer.negotiate import prefers_html
from explorer.services import services

Handler = Callable[[Request], Awaitable[Answer[Any]]]

SERVER_FAULTS: Final = 500
NOT_STORED: Final = {"Cache-Control": "no-store"}


def answering(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """A route's function: the value as JSON with an ETag; errors as Blockbook words them."""

    @wraps(handler)
    async def answer(request: Request) -> Response:
        try:
            found = await handler(request)
        except ExplorerError as error:
            return refusal(request, error)
        value, lasting = (found.value.value, False) if isinstance(found.value, Passing) else (found.value, True)
        return reply(request, found, encode(value), lasting=lasting)

    return answer


def refusal(request: Request, error: ExplorerError) -> Response:
    """``{"error": text}``: 400 whatever was wrong with the question, 503 when the answer has to wait."""
    status_code = error.status if error.status >= SERVER_FAULTS else BadRequest.status
    headers = NOT_STORED | ({"Retry-After": RETRY_SECONDS[status_code]} if status_code in RETRY_SECONDS else {})
    return json_response(request, {"error": str(error)}, status=status_code, headers=headers)


async def get_blockbook_status(request: Request) -> Answer[Any]:
    """How index and daemon are."""
    found = await services(request).db.fenced(status)
    return Answer(Passing(found.value), found.tip)


async def get_blockbook_hash(request: Request) -> Answer[Any]:
    """The hash of the block at a height."""
    height = ask.whole(request.path_params, "height")
    found = await services(request).db.fenced(chain.block_hash, height or 0)
    return Answer({"blockHash": found.value}, found.tip, found.shown)


async def get_blockbook_block(request: Request) -> Answer[Any]:
    """A block with a page of its transactions."""
    page = ask.page_of(request.query_params)
    return await services(request).db.fenced(chain.block_page, request.path_params["reference"], page)


async def get_blockbook_raw_block(request: Request) -> Answer[Any]:
    """The serialized block."""
    return await chain.raw_block(services(request), request.path_params["reference"])


async def get_blockbook_transaction(request: Request) -> Answer[Any]:
    """A transaction."""
    return await chain.one_transaction(services(request), request.path_params["txid"])


async def get_blockbook_specific(request: Request) -> Answer[Any]:
    """A transaction in the daemon's words."""
    return await chain.daemon_transaction(services(request), request.path_params["txid"])


async def get_blockbook_address(request: Request) -> Answer[Any]:
    """An address with a page of its transactions."""
    wanted = ask.wanted_of(request.query_params, "txids", accounts.MOST_ON_PAGE)
    return await services(request).db.fenced(accounts.account, request.path_params["descriptor"], wanted)


async def get_blockbook_utxo(request: Request) -> Answer[Any]:
    """The unspent outputs of an address."""
    confirmed = ask.flag(request.query_params, "confirmed")
    descriptor = request.path_params["descriptor"]
    return await services(request).db.fenced(accounts.unspent, descriptor, confirmed=confirmed)


async def get_blockbook_history(request: Request) -> Answer[Any]:
    """What an address received and sent, by stretches of time."""
    given, descriptor = request.query_params, request.path_params["descriptor"]
    since, until = ask.whole(given, "from"), ask.whole(given, "to")
    stretch = ask.whole(given, "groupBy") or history.HOUR
    return await services(request).db.fenced(
        history.balance_history, descriptor, since=since, until=until, stretch=stretch
    )


async def get_blockbook_fee(request: Request) -> Response:
    """The fee for a transaction to be mined within so many blocks, in FLUX per 1000 bytes."""
    try:
        (rate,) = await fee_rates(services(request).daemon, [ask.whole(request.path_params, "blocks") or 1])
    except ExplorerError as error:
        return refusal(request, error)
    return json_response(request, {"result": rate_text(rate)}, headers=NOT_STORED)


async def send_blockbook_transaction(request: Request) -> Response:
    """Hand a transaction to the daemon: in the path, or as the body of a POST."""
    try:
        text = request.path_params.get("hex") or (await read_bytes(request, 2 * LONGEST_TRANSACTION, "body")).decode(
            "ascii", "replace"
        )
        txid = await services(request).daemon.broadcast(text.strip())
    except ExplorerError as error:
        is_told = error.status >= SERVER_FAULTS or isinstance(error, TooLarge)
        status_code = error.status if is_told else BadRequest.status
        return json_response(request, {"error": {"message": str(error)}}, status=status_code, headers=NOT_STORED)
    return json_response(request, {"result": txid}, headers=NOT_STORED)


async def get_blockbook_raw_transaction(request: Request) -> Response:
    """The serialized transaction as hex."""
    try:
        text = await chain.raw_transaction(services(request), request.path_params["txid"])
    except ExplorerError as error:
        return refusal(request, error)
    return PlainTextResponse(text, headers=NOT_STORED | CORS)


class ProgramRoute(Route):
    """A route that exists only for clients that do not prefer HTML; others find the page behind the same path."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """No match for a browser."""
        if scope["type"] == "http" and prefers_html(scope):
            return Match.NONE, {}
        return super().matches(scope)


ANSWERS: Final = (
    ("/api/v2", get_blockbook_status),
    ("/api/v2/", get_blockbook_status),
    ("/api/v2/status", get_blockbook_status),
    ("/api/v2/block-index/{height}", get_blockbook_hash),
    ("/api/v2/block/{reference}", get_blockbook_block),
    ("/api/v2/rawblock/{reference}", get_blockbook_raw_block),
    ("/api/v2/tx/{txid}", get_blockbook_transaction),
    ("/api/v2/tx-specific/{txid}", get_blockbook_specific),
    ("/api/v2/address/{descriptor}", get_blockbook_address),
    ("/api/v2/xpub/{descriptor}", get_blockbook_address),
    ("/api/v2/utxo/{descriptor}", get_blockbook_utxo),
    ("/api/v2/balancehistory/{descriptor}", get_blockbook_history),
)


def routes() -> list[BaseRoute]:
    """The routes of this module."""
    return [
        *(ProgramRoute(path, answering(get_blockbook_status)) for path in ("/api", "/api/")),
        *(Route(path, answering(handler)) for path, handler in ANSWERS),
        Route("/api/v2/rawtx/{txid}", get_blockbook_raw_transaction),
        Route("/api/v2/estimatefee/{blocks}", get_blockbook_fee),
        Route("/api/v2/sendtx/", send_blockbook_transaction, methods=["POST"]),
        Route("/api/v2/sendtx/{hex}", send_blockbook_transaction),
    ]
