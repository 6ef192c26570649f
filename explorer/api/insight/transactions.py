"""Transactions: one, those of a block or an address page by page, handing one over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request

from explorer.api.forms.reply import Passing
from explorer.api.forms.told import bytes_of
from explorer.api.insight.answering import Insight, number_of, posted
from explorer.api.insight.histories import history
from explorer.api.insight.shapes import tx_json
from explorer.db import Answer, View
from explorer.errors import BadRequest, Syncing, UpstreamUnavailable
from explorer.queries.results import Transaction
from explorer.queries.scripts import output_scripts
from explorer.queries.text import parse_txid
from explorer.queries.transactions import FullIds, block_with_stretch, transaction
from explorer.services import Services, services
from indexer.errors import Refused

insight = Insight()

PER_PAGE = 10


@insight.get("/tx/{txid}")
async def get_transaction(request: Request) -> Answer[Any]:
    """A transaction, with its signatures if a daemon is there to give its bytes."""
    s = services(request)
    found = await s.db.fenced(_whole, parse_txid(request.path_params["txid"]), s.daemon.full_ids)
    tx, scripts = found.value
    raw = await _raw(s, tx)
    shown = tx_json(s.network, tx, scripts, raw)
    lasting = raw is not None or not s.daemon.is_configured
    return Answer(shown if lasting else Passing(shown), found.tip, found.shown)


@insight.get("/rawtx/{txid}")
async def get_raw_transaction(request: Request) -> Answer[Any]:
    """The bytes of a transaction."""
    s = services(request)
    found = await s.db.fenced(transaction, parse_txid(request.path_params["txid"]), s.daemon.full_ids)
    return Answer({"rawtx": (await bytes_of(s.daemon, found.value)).hex()}, found.tip, found.shown)


@insight.post("/tx/send")
async def send(request: Request) -> Answer[Any]:
    """Hand a transaction to the daemon."""
    s = services(request)
    raw = (await posted(request)).get("rawtx")
    if not isinstance(raw, str):
        raise BadRequest("Missing parameters (expected \"rawtx\")")
    tip = s.db.meta.tip
    if tip is None:
        raise Syncing("no block has been indexed yet: ask again later")
    try:
        return Answer(Passing({"txid": await s.daemon.broadcast(raw)}), tip)
    except BadRequest as error:
        if isinstance(error.__cause__, Refused):
            raise BadRequest(f"{error.__cause__.reason}. Code:{error.__cause__.code}") from error
        raise


@insight.get("/txs")
async def get_transactions(request: Request) -> Answer[Any]:
    """Ten transactions of a block or an address."""
    s, query = services(request), request.query_params
    page = number_of(query, "pageNum", 0)
    if text := query.get("block"):
        found = await s.db.fenced(_of_block, parse_txid(text), page)
        return Answer(found.value, found.tip, found.shown)
    if not (address := query.get("address")):
        raise BadRequest("Block hash or address expected")
    first = page * PER_PAGE
    listed = await s.db.fenced(history, [address], first, first + PER_PAGE)
    total, txs = listed.value
    return Answer({"pagesTotal": _pages(total), "txs": txs}, listed.tip, listed.shown)


async def _raw(s: Services, tx: Transaction) -> bytes | None:
    """The bytes; None where no daemon gives them now."""
    if not s.daemon.is_configured or not s.db.meta.daemon.get("reachable", True):
        return None
    try:
        return await bytes_of(s.daemon, tx)
    except UpstreamUnavailable:
        return None


async def _whole(view: View, txid: bytes, full_ids: FullIds) -> tuple[Transaction, Sequence[bytes]]:
    found = await transaction(view, txid, full_ids)
    return found, (await output_scripts(view, [found])).get(found.txid, ())


async def _of_block(view: View, hash: bytes, page: int) -> dict[str, Any]:
    found, items = await block_with_stretch(view, hash, page * PER_PAGE, PER_PAGE, spends=False)
    scripts = await output_scripts(view, items)
    txs = [tx_json(view.network, tx, scripts.get(tx.txid, ())) for tx in items]
    return {"pagesTotal": _pages(found.transaction_count), "txs": txs}


def _pages(total: int) -> int:
    return -(-total // PER_PAGE)
