"""The part of the API under /api/v1 that is about who holds the coins, and what moves in and out of the bridge."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from starlette.requests import Request

from explorer.api.endpoint import Api, Parameter
from explorer.api.json import amount_text
from explorer.api.lists import CURSOR, LIMIT, paging
from explorer.api.respond import PlainText
from explorer.db import Answer
from explorer.errors import BadRequest
from explorer.queries.entitlements import ParallelMining, mining_of_address, mining_of_node
from explorer.queries.fusion import FusionMovement, fusion_movements
from explorer.queries.nodes import parse_node
from explorer.queries.results import Page
from explorer.queries.richlist import Distribution, Holders, distribution, holders
from explorer.queries.snapshots import Snapshots, snapshots
from explorer.services import services

COLUMNS: Final = ("chain", "name", "asset", "snapshot_height", "address", "balance")
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula
FORMATS: Final = ("json", "csv")
CSV: Final = ("text/csv",)
FORMAT = Parameter("format", {"type": "string", "enum": list(FORMATS), "default": "json"}, "how it is written")

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


@api.get("/api/v1/addresses/{address}/snapshots", Snapshots, FORMAT, errors=(400, 404, 503), also_written=CSV)
async def get_snapshots(request: Request) -> Answer[Any]:
    """What an address held at the snapshots that the parallel chains were launched with."""
    written = request.query_params.get("format", "json")
    if written not in FORMATS:
        raise BadRequest(f"format is {written[:20]!r}: expected one of {', '.join(FORMATS)}")
    found = await services(request).db.fenced(snapshots, request.path_params["address"])
    if written == "json":
        return found
    return Answer(PlainText(_csv(found.value), {"Content-Type": "text/csv; charset=utf-8"}), found.tip, found.shown)


def _csv(found: Snapshots) -> str:
    """CSV (RFC 4180): amounts in FLUX with 8 decimals, what is unknown empty, no cell a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for item in found.items:
        height = "" if item.snapshot_height is None else str(item.snapshot_height)
        balance = "" if item.balance is None else amount_text(item.balance)
        cells = (item.chain, item.name, item.asset, height, found.address, balance)
        writer.writerow(f"'{cell}" if cell.startswith(FORMULA) else cell for cell in cells)
    return text.getvalue()
