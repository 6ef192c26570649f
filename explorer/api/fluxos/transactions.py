"""The methods about transactions, outputs and the mempool."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from explorer.api.fluxos.methods import DECODE_FAILED, Asked, Methods, RpcError
from explorer.api.forms.blocks import with_place
from explorer.api.forms.reply import Passing
from explorer.api.forms.told import bytes_of
from explorer.db import Answer, View
from explorer.errors import BadRequest, NotFound, Syncing
from explorer.queries.block_rows import block_row
from explorer.queries.blocks import reference_at
from explorer.queries.contents import known_of
from explorer.queries.mempool import mempool
from explorer.queries.scripts import output_scripts
from explorer.queries.text import parse_txid
from explorer.queries.transactions import FullIds, transaction
from explorer.queries.waiting import Entry, pool_entries
from indexer.chain.scripts import unspendable
from indexer.daemonjson.scripts import script_json
from indexer.daemonjson.transactions import NOTHING, Known, transaction_json
from indexer.daemonjson.words import coins
from indexer.errors import ParseError, Refused
from indexer.parse import parse_transaction

method = Methods()


@method("daemon/getrawtransaction", parameters=(("txid",), ("verbose",)))
async def raw_transaction(asked: Asked) -> Answer[Any]:
    """The bytes of a transaction, or with ``verbose`` what they say."""
    s = asked.services
    found = await s.db.fenced(transaction, parse_txid(asked.text("txid")), s.daemon.full_ids)
    raw = await bytes_of(s.daemon, found.value)
    if not asked.flag("verbose", False):
        return Answer(raw.hex(), found.tip, found.shown)
    shown = transaction_json(s.network, parse_transaction(raw), known_of(found.value))
    written = with_place(shown, raw, found.value.block, found.value.confirmations)
    return Answer(written, found.tip, found.shown)


@method("daemon/decoderawtransaction", parameters=(("hexstring", "hex"),))
async def decode(asked: Asked) -> Answer[Any]:
    """What the bytes of a transaction say, with what is known of it if it is in the chain or the mempool."""
    s = asked.services
    try:
        parsed = parse_transaction(bytes.fromhex(asked.text("hexstring")))
    except (ValueError, ParseError):
        raise RpcError(DECODE_FAILED, "TX decode failed") from None
    found = await s.db.fenced(_known, parsed.txid, s.daemon.full_ids)
    return Answer(transaction_json(s.network, parsed, found.value), found.tip, found.shown)


@method("daemon/sendrawtransaction", parameters=(("hexstring", "hex"),), verbs=("GET", "POST"))
async def send(asked: Asked) -> Answer[Any]:
    """Hand a transaction to the daemon; its txid, or the daemon's reason."""
    s = asked.services
    tip = s.db.meta.tip
    if tip is None:
        raise Syncing("no block has been indexed yet: ask again later")
    try:
        return Answer(Passing(await s.daemon.broadcast(asked.text("hexstring"))), tip)
    except BadRequest as error:
        if isinstance(error.__cause__, Refused):
            raise RpcError(error.__cause__.code, error.__cause__.reason) from error
        raise


@method("daemon/gettxout", parameters=(("txid",), ("n",), ("includemempool",)))
async def unspent_output(asked: Asked) -> Answer[Any]:
    """An unspent output; null when there is none."""
    txid, n = parse_txid(asked.text("txid")), asked.number("n")
    s = asked.services
    return await s.db.fenced(_unspent, txid, n, asked.flag("includemempool", True), s.daemon.full_ids)


@method("daemon/gettxoutsetinfo")
async def output_set(asked: Asked) -> Answer[Any]:
    """How many unspent outputs there are, and their sum."""
    return await asked.services.db.fenced(_output_set)


@method("daemon/getspentinfo", parameters=(("txid",), ("index", "n")))
async def spent(asked: Asked) -> Answer[Any]:
    """The input that spends an output."""
    s, n = asked.services, asked.number("index")
    found = await s.db.fenced(transaction, parse_txid(asked.text("txid")), s.daemon.full_ids)
    spender = known_of(found.value).spenders.get(n)
    if spender is None:
        raise NotFound("Unable to get spent info: the output is unspent, or there is none with this number")
    shown = {"txid": spender.txid, "index": spender.n, "height": spender.height}
    return Answer(shown, found.tip, found.shown)


@method("daemon/getrawmempool", parameters=(("verbose",),))
async def raw_mempool(asked: Asked) -> Answer[Any]:
    """The txids in the mempool, or with ``verbose`` size, fee, time and dependencies."""
    found = await asked.services.db.fenced(pool_entries)
    if not asked.flag("verbose", False):
        return Answer([entry.txid for entry in found.value], found.tip, found.shown)
    return Answer({entry.txid: _entry(entry) for entry in found.value}, found.tip, found.shown)


@method("daemon/getmempoolinfo")
async def mempool_size(asked: Asked) -> Answer[Any]:
    """How many transactions wait, and their size in bytes."""
    found = await asked.services.db.fenced(mempool, limit=1)
    return Answer({"size": found.value.count, "bytes": found.value.bytes}, found.tip, found.shown)


def _entry(entry: Entry) -> dict[str, int | Decimal | list[str]]:
    return {"size": entry.size, "fee": coins(entry.fee), "time": entry.time, "depends": list(entry.depends)}


async def _known(view: View, txid: bytes, full_ids: FullIds) -> Known:
    try:
        return known_of(await transaction(view, txid, full_ids))
    except NotFound:
        return NOTHING


async def _unspent(
    view: View, txid: bytes, n: int, include_mempool: bool, full_ids: FullIds
) -> dict[str, Any] | None:
    try:
        found = await transaction(view, txid, full_ids)
    except NotFound:
        return None
    scripts = (await output_scripts(view, [found])).get(found.txid, ())
    if n >= len(scripts) or unspendable(scripts[n]) or (found.block is None and not include_mempool):
        return None
    output = found.outputs[n]
    if output.spent_by is not None or include_mempool and output.spent_unconfirmed_by is not None:
        return None
    tip = await reference_at(view, view.tip.height)
    return {
        "bestblock": tip.hash,
        "confirmations": found.confirmations,
        "value": coins(output.value),
        "scriptPubKey": script_json(view.network, scripts[n]),
        "version": found.version,
        "coinbase": found.type == "coinbase",
    }


async def _output_set(view: View) -> dict[str, Any]:
    row = await block_row(view, view.tip.height)
    tip = await reference_at(view, view.tip.height)
    amount = coins(row["transparent"])
    return {"height": tip.height, "bestblock": tip.hash, "txouts": row["txouts"], "total_amount": amount}
