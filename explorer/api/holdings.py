"""The part of the API under /api/v1 that is about who holds the coins, and what moves in and out of the bridge."""

from __future__ import annotations

from starlette.requests import Request

from explorer.api.endpoint import Api
from explorer.api.lists import CURSOR, LIMIT, paging
from explorer.db import Answer
from explorer.queries.entitlements import ParallelMining, mining_of_address, mining_of_node
from explorer.queries.fusion import FusionMovement, fusion_movements
from explorer.queries.nodes import parse_node
from explorer.queries.results import Page
from explorer.queries.richlist import Distribution, Holders, distribution, holders
from explorer.services import services

api = Api()


@api.get("/api/v1/richlist", Holders, LIMIT, CURSOR, errors=(400, 409, 503))
async def get_richlist(request: Request) -> Answer[Holders]:
    """The addresses with the most coins after one block, the richest first."""
    s = services(request)
    return await s.db.fenced(holders, s.labels, **paging(request))


@api.get("/api/v1/distribution", Distribution, errors=(503,))
async def get_distribution(request: Request) -> Answer[Distribution]:
    """How many addresses have how much after one block, by powers of ten."""
    return await services(request).db.fenced(distribution)


@api.get("/api/v1/supply/fusion", Page[FusionMovement], LIMIT, CURSOR, errors=(400, 503))
async def get_fusion(request: Request) -> Answer[Page[FusionMovement]]:
    """What moved in and out of the bridge's wallets on the native chain, newest first."""
    s = services(request)
    return await s.db.fenced(fusion_movements, s.labels.fusion, **paging(request))


@api.get("/api/v1/addresses/{address}/parallel-mining", ParallelMining, errors=(400, 404, 503))
async def get_address_mining(request: Request) -> Answer[ParallelMining]:
    """What the payouts of nodes to an address entitle it to on the parallel chains: an estimate."""
    return await services(request).db.fenced(mining_of_address, request.path_params["address"])


@api.get("/api/v1/nodes/{outpoint}/parallel-mining", ParallelMining, errors=(400, 404, 503))
async def get_node_mining(request: Request) -> Answer[ParallelMining]:
    """What the payouts to a node entitle its payees to on the parallel chains: an estimate."""
    return await services(request).db.fenced(mining_of_node, parse_node(request.path_params["outpoint"]))
