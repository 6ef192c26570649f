"""Blocks: one, its bytes, those of a day, one's hash."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request

from explorer.api.forms.exact import trimmed
from explorer.api.forms.reply import Passing
from explorer.api.forms.told import Told, told_of
from explorer.api.insight.answering import Insight, number_of
from explorer.db import Answer, View
from explorer.errors import BadRequest, ExplorerError, NotFound
from explorer.queries.blocks import difficulty_of, reference_at, stored_hash
from explorer.queries.results import Block
from explorer.queries.running import first_reaching_each
from explorer.queries.text import address_text, parse_block_reference, parse_height
from explorer.queries.transactions import block_with_transactions
from explorer.services import Services, services
from indexer.chain.keys import MAX_TRANSACTIONS, hash_text, txkey, txkey_height
from indexer.chain.params import Network
from indexer.chain.subsidy import block_subsidy
from indexer.parse.columns import ParsedBlock
from indexer.store.codec import Document, transaction_outputs

insight = Insight()

MOST: Final = 200
DAY: Final = timedelta(days=1)
TYPE_WORDS: Final = {"pon": "Proof of Node", "pow": "Proof of Work"}


@insight.get("/block/{reference}")
async def get_block(request: Request) -> Answer[Any]:
    """A block by hash or height; what only the daemon knows is left out without one."""
    s = services(request)
    found = await s.db.fenced(_block, parse_block_reference(request.path_params["reference"]))
    shown, txids, miner = found.value
    parsed, told = await _told(s, shown.hash)
    written = _shown(shown, txids, miner, parsed, told)
    lasting = told is not None or not s.daemon.is_configured
    return Answer(written if lasting else Passing(written), found.tip)


@insight.get("/rawblock/{reference}")
async def get_raw_block(request: Request) -> Answer[Any]:
    """The bytes of a block."""
    s = services(request)
    found = await s.db.fenced(stored_hash, parse_block_reference(request.path_params["reference"]))
    return Answer({"rawblock": (await s.daemon.raw_block(found.value[0])).hex()}, found.tip)


@insight.get("/block-index/{height}")
async def get_block_index(request: Request) -> Answer[Any]:
    """The hash of the block at a height."""
    found = await services(request).db.fenced(reference_at, parse_height(request.path_params["height"]))
    return Answer({"blockHash": found.value.hash}, found.tip)


@insight.get("/blocks")
async def get_blocks(request: Request) -> Answer[Any]:
    """The blocks of a day (UTC), newest first; by default of the day of the tip."""
    query = request.query_params
    limit = min(number_of(query, "limit", MOST) or MOST, MOST)
    until = number_of(query, "startTimestamp", 0)
    return await services(request).db.fenced(_of_day, _day(query.get("blockDate")), until, limit)


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise BadRequest("Please use yyyy-mm-dd format") from None
    if not 1971 <= day.year <= 2999:
        raise BadRequest("Please use yyyy-mm-dd format")
    return day


async def _told(s: Services, hash: str) -> tuple[ParsedBlock | None, Told | None]:
    """Bytes and words of the daemon; None where it does not give them now."""
    if not s.daemon.is_configured or not s.db.meta.daemon.get("reachable", True):
        return None, None
    try:
        return await asyncio.gather(s.daemon.parsed_block(hash), told_of(s.daemon, hash))
    except ExplorerError:
        return None, None


async def _block(view: View, reference: int | bytes) -> tuple[Block, list[str], str | None]:
    found, page = await block_with_transactions(view, reference, limit=MAX_TRANSACTIONS)
    if page is None:
        return found, [], None
    paid = ((output.address, output.value) for output in page.items[0].outputs)
    return found, [tx.txid for tx in page.items], miner_of(view.network, found.height, paid)


def _shown(
    found: Block, txids: list[str], miner: str | None, parsed: ParsedBlock | None, told: Told | None
) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "hash": found.hash,
        "size": found.size,
        "height": found.height,
        "version": found.version,
        "merkleroot": found.merkle_root,
        "tx": txids,
        "time": found.time,
        "bits": found.bits,
        "difficulty": found.difficulty,
        "confirmations": found.confirmations,
        "previousblockhash": found.previous_hash,
        "reward": trimmed(found.subsidy),
        "isMainChain": found.confirmations != -1,
        "poolInfo": {},
        "isPON": found.type == "pon",
        "blockType": TYPE_WORDS[found.type],
    }
    if found.next_hash is not None:
        shown["nextblockhash"] = found.next_hash
    if miner is not None:
        shown["minedBy"] = miner
    if found.producer is not None:
        txid, _, index = found.producer.partition(":")
        shown["nodesCollateral"] = {"hash": txid, "index": int(index)}
    if told is not None:
        shown["chainwork"] = told.chainwork
    if parsed is not None and parsed.pon:
        shown["blockSignature"] = parsed.proof.hex()
    elif parsed is not None:
        shown |= {"nonce": hash_text(parsed.nonce), "solution": parsed.proof.hex()}
    return shown


async def _of_day(view: View, day: date | None, until: int, limit: int) -> dict[str, Any]:
    newest_day = datetime.fromtimestamp(view.tip.time, UTC).date()
    day = day or newest_day
    begin = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    end = begin + int(DAY.total_seconds())
    before = min(until, end) if until else end
    first, beyond = await first_reaching_each(view, "max_time", (begin, before))
    last = view.tip.height if beyond is None else beyond - 1
    low = last + 1 if first is None else max(first, last - limit + 1)
    rows, coinbases = await asyncio.gather(
        view.many("blocks", {"_id": {"$gte": low, "$lte": last}}, sort=[("_id", -1)]),
        _coinbases(view, range(low, last + 1)),
    )
    more = first is not None and low > first
    pagination: dict[str, Any] = {
        "next": str(day + DAY),
        "prev": str(day - DAY),
        "currentTs": before - 1,
        "current": str(day),
        "isToday": day == newest_day,
        "more": more,
    }
    if more and rows:
        pagination["moreTs"] = rows[-1]["time"]
    blocks = [_listed(view, row, coinbases.get(row["_id"])) for row in rows]
    return {"blocks": blocks, "length": len(blocks), "pagination": pagination}


def _listed(view: View, row: Document, coinbase: Document | None) -> dict[str, Any]:
    outputs = () if coinbase is None else transaction_outputs(coinbase)
    paid = ((address_text(output.address, view.network), output.value) for output in outputs)
    miner = miner_of(view.network, row["_id"], paid)
    shown: dict[str, Any] = {
        "height": row["_id"],
        "size": row["size"],
        "hash": hash_text(bytes(row["hash"])),
        "time": row["time"],
        "difficulty": difficulty_of(view, row),
        "txlength": row["tx_count"],
        "poolInfo": {},
        "isMainChain": True,
    }
    return shown | ({} if miner is None else {"minedBy": miner})


async def _coinbases(view: View, heights: range | list[int]) -> dict[int, Document]:
    keys = [txkey(height, 0) for height in heights]
    fields = ("out_values", "out_addresses", "out_forms", "out_scripts")
    rows = await view.many("transactions", {"_id": {"$in": keys}}, fields=fields) if keys else []
    return {txkey_height(row["_id"]): row for row in rows}


def miner_of(network: Network, height: int, paid: Iterable[tuple[str | None, int]]) -> str | None:
    """What Insight calls ``minedBy``: who gets over 40 % of the subsidy; under Proof of Node that is no producer.

    ``paid``: address and value (zatoshi) of each output of the coinbase.
    """
    subsidy = block_subsidy(network, height)
    return next((address for address, value in paid if value * 10 > subsidy * 4 and address is not None), None)


async def newest_hash(view: View) -> str:
    """The hash of the tip."""
    if view.tip.height < 0:
        raise NotFound("there is no block")
    return (await reference_at(view, view.tip.height)).hash
