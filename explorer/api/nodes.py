"""The part of the API under /api/v1 that is about nodes: tiers, queues, nodes, payouts, producers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from explorer.api.body import query_int
from explorer.api.endpoint import Api, Parameter
from explorer.api.lists import AT, CURSOR, LIMIT, WHOLE, paging
from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.queries.node_results import (
    LifeEvent,
    Node,
    NodePayout,
    Operator,
    Producer,
    ProducerTotals,
    Queue,
    Tiers,
)
from explorer.queries.nodes import Wanted, node, node_list, parse_node
from explorer.queries.operators import operators
from explorer.queries.payout_blocks import PayoutBlock, payout_blocks
from explorer.queries.payouts import payouts
from explorer.queries.producers import producer_totals, producers
from explorer.queries.queues import parse_tier, queue, tiers
from explorer.queries.results import Page
from explorer.queries.timeline import timeline
from explorer.queries.units import TIERS
from explorer.services import services
from indexer.chain.nodes import Status

TIER = Parameter("tier", {"type": "string", "enum": list(TIERS)}, "only nodes of this tier")
STATUS = Parameter("status", {"type": "string", "enum": [status.label for status in Status]}, "only with this status")
ADDRESS = Parameter("address", {"type": "string"}, "only those that pay this address")
IP = Parameter("ip", {"type": "string"}, "only with this ip as signed; without a port also with any")
PUBKEY = Parameter("pubkey", {"type": "string"}, "only with this node key, hex")
NODE = Parameter("node", {"type": "string"}, "only those of this node: its collateral")
BEFORE = Parameter("before", WHOLE, "only blocks below this height")
MISMATCHED = Parameter("mismatched", {"type": "string", "enum": ["0", "1"], "default": "0"}, "1: only what did not pay")

api = Api()


@api.get("/api/v1/tiers", Tiers, AT, errors=(400, 409, 503))
async def get_tiers(request: Request) -> Answer[Tiers]:
    """The three tiers: nodes, reward, length of a turn, who is paid next."""
    return await services(request).db.fenced(tiers, at=query_int(request, "at"))


@api.get("/api/v1/tiers/{tier}/queue", Queue, AT, LIMIT, CURSOR, errors=(400, 409, 503))
async def get_queue(request: Request) -> Answer[Queue]:
    """The confirmed nodes of a tier in payment order."""
    tier = parse_tier(request.path_params["tier"])
    return await services(request).db.fenced(queue, tier, at=query_int(request, "at"), **paging(request))


@api.get("/api/v1/nodes", Page[Node], TIER, STATUS, ADDRESS, IP, PUBKEY, LIMIT, CURSOR, errors=(400, 409, 503))
async def get_nodes(request: Request) -> Answer[Page[Node]]:
    """Nodes as they are now, in the order of their outpoints' wire bytes."""
    wanted = Wanted(*(request.query_params.get(p.name) for p in (TIER, STATUS, ADDRESS, IP, PUBKEY)))
    return await services(request).db.fenced(node_list, wanted, **paging(request))


@api.get("/api/v1/nodes/{outpoint}", Node, AT)
async def get_node(request: Request) -> Answer[Node]:
    """A node by its collateral, now or at a height."""
    point = parse_node(request.path_params["outpoint"])
    return await services(request).db.fenced(node, point, at=query_int(request, "at"))


@api.get("/api/v1/nodes/{outpoint}/events", Page[LifeEvent], LIMIT, CURSOR, errors=(400, 404, 503))
async def get_node_events(request: Request) -> Answer[Page[LifeEvent]]:
    """What happened to a node, newest first."""
    point = parse_node(request.path_params["outpoint"])
    return await services(request).db.fenced(timeline, point, **paging(request))


@api.get("/api/v1/nodes/{outpoint}/payouts", Page[NodePayout], LIMIT, CURSOR, errors=(400, 404, 503))
async def get_node_payouts(request: Request) -> Answer[Page[NodePayout]]:
    """The payouts to a node, newest first."""
    return await services(request).db.fenced(payouts, node=request.path_params["outpoint"], **paging(request))


@api.get("/api/v1/payouts", Page[NodePayout], TIER, ADDRESS, NODE, LIMIT, CURSOR, errors=(400, 404, 503))
async def get_payouts(request: Request) -> Answer[Page[NodePayout]]:
    """Payouts to nodes, newest first; those of one block in the order of tiers."""
    wanted: dict[str, Any] = {p.name: request.query_params.get(p.name) for p in (TIER, ADDRESS, NODE)}
    return await services(request).db.fenced(payouts, **wanted, **paging(request))


@api.get("/api/v1/payouts/blocks", Page[PayoutBlock], BEFORE, MISMATCHED, LIMIT, CURSOR, errors=(400, 409, 503))
async def get_payout_blocks(request: Request) -> Answer[Page[PayoutBlock]]:
    """Whom each block had to pay and whether it did, newest first."""
    text = request.query_params.get("mismatched", "0")
    if text not in ("0", "1"):
        raise BadRequest(f"mismatched is {text[:20]!r}: expected 1")
    before = query_int(request, "before")
    return await services(request).db.fenced(
        payout_blocks, before=before, mismatched=text == "1", **paging(request)
    )


@api.get("/api/v1/addresses/{address}/nodes", Page[Node], TIER, STATUS, LIMIT, CURSOR, errors=(400, 409, 503))
async def get_address_nodes(request: Request) -> Answer[Page[Node]]:
    """The nodes that pay an address, in the order of their outpoints' wire bytes."""
    wanted = Wanted(
        request.query_params.get("tier"), request.query_params.get("status"), request.path_params["address"]
    )
    return await services(request).db.fenced(node_list, wanted, **paging(request))


@api.get("/api/v1/addresses/{address}/payouts", Page[NodePayout], TIER, LIMIT, CURSOR, errors=(400, 503))
async def get_address_payouts(request: Request) -> Answer[Page[NodePayout]]:
    """The payouts that nodes earned for an address, newest first."""
    tier, address = request.query_params.get("tier"), request.path_params["address"]
    return await services(request).db.fenced(payouts, tier=tier, address=address, **paging(request))


@api.get("/api/v1/producers", Page[Producer], LIMIT, CURSOR, errors=(400, 409, 503))
async def get_producers(request: Request) -> Answer[Page[Producer]]:
    """Who produced the Proof of Node blocks, the busiest first."""
    return await services(request).db.fenced(producers, **paging(request))


@api.get("/api/v1/producers/addresses", Page[Operator], LIMIT, CURSOR, errors=(400, 409, 503))
async def get_operators(request: Request) -> Answer[Page[Operator]]:
    """Who produced the Proof of Node blocks, by the address that the nodes pay, the busiest first."""
    return await services(request).db.fenced(operators, **paging(request))


@api.get("/api/v1/producers/totals", ProducerTotals, errors=(503,))
async def get_producer_totals(request: Request) -> Answer[ProducerTotals]:
    """All Proof of Node blocks: by nodes, emergency blocks, skipped slots."""
    return await services(request).db.fenced(producer_totals)
