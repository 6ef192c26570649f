"""The API under /api/v1: questions, and the queries that answer them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.routing import BaseRoute

from explorer.api import accounts, charts, events, holdings, messages, nodes, operator, planning, signed_in, supply
from explorer.api.body import Body, query_int
from explorer.api.endpoint import Api, Parameter
from explorer.api.lists import AT, CURSOR, LIMIT, WHOLE, paging
from explorer.api.respond import Immutable
from explorer.db import Answer
from explorer.errors import BadRequest, Syncing
from explorer.guard.tolls import charge
from explorer.negotiate import JsonRoute
from explorer.queries import addresses, blocks, transactions
from explorer.queries.balances import MOST, Balances, balances
from explorer.queries.mempool import Mempool, mempool
from explorer.queries.results import (
    Accepted,
    AddressSummary,
    Block,
    BlockSummary,
    Movement,
    Page,
    Raw,
    Transaction,
    Unspent,
)
from explorer.queries.search import Hits, search
from explorer.queries.status import status
from explorer.queries.status_results import Status
from explorer.queries.suggestions import suggestions
from explorer.queries.text import parse_block_reference, parse_txid
from explorer.services import services

IMMUTABLE_DEPTH = 100

CONFIRMATIONS = Parameter("confirmations", {"type": "integer", "minimum": 1}, "the height with so many confirmations")
BEFORE = Parameter("before", WHOLE, "only blocks below this height")
SOUGHT = "height, hash, txid, address, outpoint, IP, key, tier, name, date, tip, halving"
Q = Parameter("q", {"type": "string"}, SOUGHT, required=True)
BEGUN = Parameter("q", {"type": "string"}, "what has been typed so far")

BALANCES_BODY = Body(
    1 << 18, "addresses",
    addresses={"type": "array", "maxItems": MOST, "items": {"type": "string"}},
    at=WHOLE,
    confirmations=CONFIRMATIONS.schema,
)  # fmt: skip
TRANSACTION_BODY = Body(
    (1 << 22) + (1 << 10), "hex", hex={"type": "string", "pattern": "^([0-9a-fA-F]{2})+$"}
)

api = Api()


def moment(request: Request) -> dict[str, int | None]:
    """``at`` and ``depth`` of a question about the past."""
    return {"at": query_int(request, "at"), "depth": query_int(request, "confirmations")}


@api.get("/api/v1/status", Status, errors=(503,), revalidate=False)
async def get_status(request: Request) -> Answer[Status]:
    """The state of daemon, index and checks."""
    s = services(request)
    return await s.db.fenced(status, started_at=s.started_at, simulated=s.simulated)


@api.get("/api/v1/blocks", Page[BlockSummary], BEFORE, LIMIT, CURSOR, errors=(400, 409, 503))
async def get_blocks(request: Request) -> Answer[Page[BlockSummary]]:
    """Blocks, newest first."""
    before = query_int(request, "before")
    return await services(request).db.fenced(blocks.latest_blocks, before=before, **paging(request))


@api.get("/api/v1/blocks/{reference}", Block)
async def get_block(request: Request) -> Answer[Block]:
    """A block by height or hash; an orphaned one has confirmations -1 and replaced_by."""
    reference = parse_block_reference(request.path_params["reference"])
    return await services(request).db.fenced(blocks.block, reference)


@api.get("/api/v1/blocks/{reference}/transactions", Page[Transaction], LIMIT, CURSOR)
async def get_block_transactions(request: Request) -> Answer[Page[Transaction]]:
    """The transactions of a block in block order; outputs without spent_by."""
    reference = parse_block_reference(request.path_params["reference"])
    return await services(request).db.fenced(transactions.block_transactions, reference, **paging(request))


@api.get("/api/v1/blocks/{reference}/raw", Raw)
async def get_raw_block(request: Request) -> Answer[Raw] | Immutable:
    """The serialized block, asked of the daemon."""
    s = services(request)
    found = await s.db.fenced(blocks.stored_hash, parse_block_reference(request.path_params["reference"]))
    block_hash, depth = found.value
    answer = Answer(Raw((await s.daemon.raw_block(block_hash)).hex()), found.tip)
    return Immutable(answer) if depth >= IMMUTABLE_DEPTH else answer


@api.get("/api/v1/transactions/{txid}", Transaction, errors=(400, 404, 503))
async def get_transaction(request: Request) -> Answer[Transaction]:
    """A transaction by txid, unconfirmed ones too; a node transaction also by the id over its full bytes."""
    s = services(request)
    txid = parse_txid(request.path_params["txid"])
    return await s.db.fenced(transactions.transaction, txid, s.daemon.full_ids)


@api.get("/api/v1/transactions/{txid}/raw", Raw, errors=(400, 404, 503))
async def get_raw_transaction(request: Request) -> Answer[Raw] | Immutable:
    """The serialized transaction, cut from the daemon's block; an unconfirmed one from the daemon's mempool."""
    s = services(request)
    txid = parse_txid(request.path_params["txid"])
    found = await s.db.fenced(transactions.place_of, txid, s.daemon.full_ids)
    place = found.value
    if place is None:
        raw = await s.daemon.raw_unconfirmed(txid)
    else:
        raw = await s.daemon.raw_transaction(place.hash, place.index)
    return Answer(Raw(raw.hex()), found.tip)


@api.post("/api/v1/transactions", Accepted, TRANSACTION_BODY, errors=(400, 503))
async def post_transaction(request: Request) -> Answer[Accepted]:
    """Hand a transaction to the daemon's mempool."""
    s = services(request)
    asked = await TRANSACTION_BODY.read(request)
    tip = s.db.meta.tip
    if tip is None:
        raise Syncing("no block has been indexed yet: ask again later")
    return Answer(Accepted(await s.daemon.broadcast(asked["hex"])), tip)


@api.get("/api/v1/mempool", Mempool, LIMIT, CURSOR, errors=(400, 503))
async def get_mempool(request: Request) -> Answer[Mempool]:
    """The unconfirmed transactions, newest first, and how many there are of each kind."""
    return await services(request).db.fenced(mempool, **paging(request))


@api.get("/api/v1/addresses/{address}", AddressSummary, AT, CONFIRMATIONS, errors=(400, 409, 503))
async def get_address(request: Request) -> Answer[AddressSummary]:
    """An address at the tip or at a height; zeros when it was never used."""
    s = services(request)
    return await s.db.fenced(addresses.address, request.path_params["address"], labels=s.labels, **moment(request))


@api.get("/api/v1/addresses/{address}/transactions", Page[Movement], LIMIT, CURSOR, errors=(400, 503))
async def get_history(request: Request) -> Answer[Page[Movement]]:
    """What the transactions of an address changed for it, newest first."""
    return await services(request).db.fenced(addresses.history, request.path_params["address"], **paging(request))


@api.get("/api/v1/addresses/{address}/utxos", Page[Unspent], LIMIT, CURSOR, errors=(400, 503))
async def get_unspent(request: Request) -> Answer[Page[Unspent]]:
    """The unspent outputs of an address in the chain, newest first; one that is about to be spent is marked."""
    return await services(request).db.fenced(addresses.unspent, request.path_params["address"], **paging(request))


@api.post("/api/v1/balances", Balances, BALANCES_BODY, errors=(400, 409, 503))
async def post_balances(request: Request) -> Answer[Balances]:
    """The balances of up to 1000 addresses at one height, in the order asked."""
    s = services(request)
    body = await BALANCES_BODY.read(request)
    asked, at, depth = body["addresses"], body["at"], body["confirmations"]
    charge(request, len(asked))
    name = "balances", tuple(asked), at, depth  # an exchange asks for the same ones many times a block
    return await s.shared.get(name, s.db.meta.tip, lambda: s.db.fenced(balances, asked, at=at, depth=depth))


@api.get("/api/v1/search", Hits, Q, errors=(400, 503))
async def get_search(request: Request) -> Answer[Hits]:
    """What a text names: a block, transaction, output or address."""
    text = request.query_params.get("q")
    if text is None:
        raise BadRequest("q is missing: what should be looked for?")
    s = services(request)
    return await s.db.fenced(search, text, s.daemon.full_ids, s.labels)


@api.get("/api/v1/search/suggest", Hits, BEGUN, errors=(400, 503))
async def get_suggestions(request: Request) -> Answer[Hits]:
    """What a text names or begins, at most eight: for suggestions while somebody types."""
    s = services(request)
    return await s.db.fenced(suggestions, request.query_params.get("q", ""), s.labels)


api.include(accounts.api)
api.include(nodes.api)
api.include(supply.api)
api.include(holdings.api)
api.include(operator.api)
api.include(planning.api)
api.include(events.api)
api.include(charts.api)
api.include(messages.api)
api.include(signed_in.api)

TWINS = (
    ("/block/{reference}", get_block),
    ("/tx/{txid}", get_transaction),
    ("/address/{address}", get_address),
    ("/node/{outpoint}", nodes.get_node),
    ("/operator", operator.get_operator),
    ("/calculator", planning.get_earnings),
    ("/verify", messages.get_verdict),
    ("/network", planning.get_rules),
    ("/supply", supply.get_supply),
    ("/parallel", supply.get_supply),
    ("/supply", supply.get_supply),
)


def routes() -> list[BaseRoute]:
    """The routes of the API, and the JSON twins of pages: by name in .json, or by Accept header."""
    own: list[BaseRoute] = [endpoint.route() for endpoint in api.endpoints]
    for path, handler in TWINS:
        endpoint = api.endpoint(handler)
        own += [endpoint.route(f"{path}.json"), endpoint.route(path, JsonRoute)]
    return own
