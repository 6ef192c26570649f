"""The methods about chain and network as a whole, and how far the index is."""

from __future__ import annotations

import asyncio
from typing import Any

from explorer.api.fluxos.methods import Asked, Methods
from explorer.api.forms.overview import newest, overview, tip_row
from explorer.api.forms.reply import Passing
from explorer.db import Answer, View
from explorer.meta import FOLLOWING_BEHIND
from explorer.queries.next_target import next_difficulty
from explorer.queries.results import BlockSummary
from indexer.chain.params import branch_id
from indexer.daemonjson.words import pools_json
from indexer.store.codec import Document

method = Methods()


@method("daemon/getinfo")
async def info(asked: Asked) -> Answer[Any]:
    """Height, difficulty, and how the daemon is."""
    found = await overview(asked.services)
    return Answer(Passing(found.value), found.tip)


@method("daemon/getblockchaininfo")
async def chain_info(asked: Asked) -> Answer[Any]:
    """The state of the chain."""
    found = await asked.services.db.fenced(_state)
    block, row, difficulty = found.value
    meta, network = asked.services.db.meta, asked.services.network
    headers = max(meta.daemon.get("headers") or meta.daemon.get("height") or 0, block.height)
    at, after = (f"{branch_id(network, block.height + n):08x}" for n in (0, 1))
    shown: dict[str, Any] = {"chain": network.name, "blocks": block.height, "headers": headers}
    shown |= {"bestblockhash": block.hash, "difficulty": difficulty}
    shown |= {"verificationprogress": (block.height + 1) / (headers + 1), "valuePools": pools_json(row)}
    return Answer(Passing(shown | {"consensus": {"chaintip": at, "nextblock": after}}), found.tip)


@method("explorer/scannedheight")
async def scanned_height(asked: Asked) -> Answer[Any]:
    """How far the index is."""
    found = await asked.services.db.fenced(newest)
    return Answer({"generalScannedHeight": found.value.height}, found.tip)


@method("explorer/issynced")
async def is_synced(asked: Asked) -> Answer[Any]:
    """Whether the index is where the daemon is, give or take a block that was just found."""
    found = await asked.services.db.fenced(newest)
    behind = asked.services.db.meta.behind
    return Answer(Passing(behind is not None and behind <= FOLLOWING_BEHIND), found.tip)


async def _state(view: View) -> tuple[BlockSummary, Document, float]:
    block, row, difficulty = await asyncio.gather(newest(view), tip_row(view), next_difficulty(view))
    return block, row, difficulty
