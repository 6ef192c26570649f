"""The state of chain, index and network; fees. Blockbook's status rides along: both ask for the same path."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request

from explorer.api.blockbook.fees import fee_rates
from explorer.api.blockbook.status import status as blockbook_status
from explorer.api.forms.exact import trimmed
from explorer.api.forms.node_lists import written
from explorer.api.forms.overview import newest, overview
from explorer.api.forms.reply import Passing
from explorer.api.insight.answering import Insight, Text, posted
from explorer.api.insight.blocks import newest_hash
from explorer.db import Answer
from explorer.errors import BadRequest, NotFound, UpstreamUnavailable, bad_request
from explorer.meta import FOLLOWING_BEHIND
from explorer.queries.text import address_key
from explorer.services import Services, services
from explorer.signatures import signer
from indexer import __version__
from indexer.chain.messages import read_signature
from indexer.chain.subsidy import block_subsidy
from indexer.errors import AddressError

insight = Insight()

NETWORK_NAMES: Final[Mapping[str, str]] = {"main": "livenet", "test": "testnet"}
NO_ESTIMATE = -1
LONGEST_TARGETS = 100


@insight.get("/status")
async def get_status(request: Request) -> Answer[Any]:
    """What ``q`` asks for; by default height, difficulty and daemon, with Blockbook's two halves beside them."""
    s, asked = services(request), request.query_params.get("q", "")
    if asked in ("getFluxNodes", "getZelNodes"):
        return await written(s, b'{"fluxNodes":' if asked == "getFluxNodes" else b'{"zelNodes":', b"}")
    if asked in ("getLastBlockHash", "getBestBlockHash"):
        best = await s.db.fenced(newest_hash)
        if asked == "getBestBlockHash":
            return Answer({"bestblockhash": best.value}, best.tip)
        return Answer({"syncTipHash": best.value, "lastblockhash": best.value}, best.tip)
    if asked in ("getDifficulty", "getMiningInfo"):
        block = await s.db.fenced(newest)
        told = {"difficulty": block.value.difficulty}
        return Answer(told if asked == "getDifficulty" else {"miningInfo": told}, block.tip)
    if asked == "getPeerInfo":
        raise NotFound("the daemon's peers are not told")
    return await _all(s)


async def _all(s: Services) -> Answer[Any]:
    found, halves = await asyncio.gather(overview(s), s.db.fenced(blockbook_status))
    reward = trimmed(block_subsidy(s.network, found.tip.height))
    network = NETWORK_NAMES.get(s.network.name, s.network.name)
    shown = {"info": found.value | {"network": network, "reward": reward}, **halves.value}
    return Answer(Passing(shown), found.tip)


@insight.get("/sync")
async def get_sync(request: Request) -> Answer[Any]:
    """How far the index is."""
    db = services(request).db
    found = await db.fenced(newest)
    height, best = found.value.height, max(db.meta.daemon.get("height") or 0, found.value.height)
    finished = best - height <= FOLLOWING_BEHIND
    shown = {
        "status": "finished" if finished else "syncing",
        "blockChainHeight": best,
        "syncPercentage": 100 if finished else 100 * height // best,
        "height": height,
        "error": None,
        "type": "bitcore node",
    }
    return Answer(Passing(shown), found.tip)


@insight.get("/peer")
async def get_peer(request: Request) -> Answer[Any]:
    """Whether the indexer reaches its daemon, whose address is nobody's business."""
    db = services(request).db
    found = await db.fenced(newest)
    connected = bool(db.meta.daemon.get("reachable", False))
    return Answer(Passing({"connected": connected, "host": "127.0.0.1", "port": None}), found.tip)


@insight.get("/version")
async def get_version(request: Request) -> Answer[Any]:
    """The version of this explorer."""
    found = await services(request).db.fenced(newest)
    return Answer({"version": __version__}, found.tip)


@insight.get("/utils/estimatefee")
async def get_fees(request: Request) -> Answer[Any]:
    """The fee in FLUX per 1000 bytes for each number of blocks to wait; -1 where no daemon tells one."""
    s, text = services(request), request.query_params.get("nbBlocks", "2")
    parts = text.split(",")
    if len(text) > LONGEST_TARGETS or not all(part.isascii() and part.isdecimal() for part in parts):
        raise BadRequest("nbBlocks: expected whole numbers separated by commas")
    found = await s.db.fenced(newest)
    try:
        rates = [trimmed(rate) for rate in await fee_rates(s.daemon, [int(part) for part in parts])]
    except UpstreamUnavailable:
        return Answer(Passing(dict.fromkeys(parts, NO_ESTIMATE)), found.tip)
    return Answer(dict(zip(parts, rates, strict=True)), found.tip)


@insight.get("/messages/verify")
async def get_verdict(request: Request) -> Answer[Any]:
    """Whether the key of an address signed a message."""
    return await _verdict(request, request.query_params)


@insight.post("/messages/verify")
async def post_verdict(request: Request) -> Answer[Any]:
    """Whether the key of an address signed a message."""
    return await _verdict(request, await posted(request))


async def _verdict(request: Request, given: Mapping[str, Any]) -> Answer[Any]:
    address, signature, message = (given.get(name) for name in ("address", "signature", "message"))
    if not (isinstance(address, str) and isinstance(signature, str) and isinstance(message, str)):
        raise BadRequest("Missing parameters (expected \"address\", \"signature\" and \"message\")")
    key = address_key(address, services(request).network)
    found = await services(request).db.fenced(newest)
    try:
        compact = read_signature(signature)
    except AddressError as error:
        raise bad_request(error) from error
    return Answer({"result": signer(compact, message.encode("utf-8", "replace")) == key}, found.tip)


@insight.get("/currency", "/markets/info")
async def get_market(request: Request) -> Answer[Text]:
    """No market is asked here, and no rate made up."""
    raise UpstreamUnavailable("this explorer knows no rates: ask a market")
